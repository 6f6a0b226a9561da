"""scikit-learn estimators on the nets and the engine of the Lightning tasks, without Lightning."""

from torchann.dashboard.estimator_callback import TensorBoard
from torchann.estimators.mlp_classifier import MLPClassifier
from torchann.estimators.mlp_regressor import MLPRegressor
from torchann.estimators.perceptron import Perceptron
from torchann.estimators.pipelines import pipeline_of, task_of

__all__ = ["MLPClassifier", "MLPRegressor", "Perceptron", "TensorBoard", "pipeline_of", "task_of"]
