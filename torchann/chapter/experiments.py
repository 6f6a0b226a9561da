"""All experiments of the chapter, by name, in its order."""

from torchann.chapter import fashion_mnist, housing, perceptron, wide_deep

_SECTIONS = (perceptron, fashion_mnist, housing, wide_deep)
EXPERIMENTS = {experiment.name: experiment for section in _SECTIONS for experiment in section.EXPERIMENTS}
