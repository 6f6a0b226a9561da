"""All experiments of the chapter, by name, in its order."""

from torchann.chapter import fashion_mnist, housing, perceptron

_SECTIONS = (perceptron, fashion_mnist, housing)
EXPERIMENTS = {experiment.name: experiment for section in _SECTIONS for experiment in section.EXPERIMENTS}
