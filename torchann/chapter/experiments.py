"""All experiments of the chapter, by name, in its order."""

from torchann.chapter import (
    activations,
    approximation,
    architectures,
    backpropagation,
    fashion_mnist,
    housing,
    linear_stack,
    perceptron,
    symmetry,
    wide_deep,
    xor_mlp,
)

_SECTIONS = (
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
)
EXPERIMENTS = {experiment.name: experiment for section in _SECTIONS for experiment in section.EXPERIMENTS}
