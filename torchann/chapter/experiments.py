"""All experiments of the chapter, by name, in its order."""

from torchann.chapter import (
    activations,
    approximation,
    architectures,
    backpropagation,
    beyond,
    learning_rate_range,
    linear_regression,
    linear_stack,
    logic_neurons,
    perceptron,
    pytorch_edition,
    random_search,
    studies,
    symmetry,
    third_edition,
    threshold_units,
    trainings,
    xor_mlp,
)

_SECTIONS = (
    logic_neurons,
    threshold_units,
    perceptron,
    xor_mlp,
    activations,
    backpropagation,
    symmetry,
    linear_stack,
    approximation,
    architectures,
    trainings,
    random_search,
    learning_rate_range,
    studies,
    linear_regression,
    pytorch_edition,
    third_edition,
    beyond,
)
EXPERIMENTS = {experiment.name: experiment for section in _SECTIONS for experiment in section.EXPERIMENTS}
