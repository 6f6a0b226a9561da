"""All experiments of the chapter, by name, in its order."""

from torchann.chapter import (
    activations,
    approximation,
    architectures,
    backpropagation,
    early_stopping,
    fashion_mnist,
    housing,
    learning_rates,
    linear_regression,
    linear_stack,
    logic_neurons,
    perceptron,
    pytorch_edition,
    symmetry,
    third_edition,
    threshold_units,
    wide_deep,
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
    fashion_mnist,
    housing,
    wide_deep,
    early_stopping,
    learning_rates,
    linear_regression,
    pytorch_edition,
    third_edition,
)
EXPERIMENTS = {experiment.name: experiment for section in _SECTIONS for experiment in section.EXPERIMENTS}
