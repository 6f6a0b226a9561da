"""scikit-learn estimators on the nets and the engine of the Lightning tasks, without Lightning."""

from torchann.estimators.perceptron import Perceptron

__all__ = ["Perceptron"]
