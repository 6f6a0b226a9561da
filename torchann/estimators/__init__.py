"""scikit-learn estimators on the engine of the Lightning tasks; names are imported when they are used."""

from typing import TYPE_CHECKING

from torchann.nets.names import lazy_names

if TYPE_CHECKING:
    from torchann.dashboard.estimator_callback import TensorBoard as TensorBoard
    from torchann.estimators.mlp_classifier import MLPClassifier as MLPClassifier
    from torchann.estimators.mlp_regressor import MLPRegressor as MLPRegressor
    from torchann.estimators.perceptron import Perceptron as Perceptron
    from torchann.estimators.pipelines import pipeline_of as pipeline_of
    from torchann.estimators.pipelines import task_of as task_of

__getattr__, __dir__, __all__ = lazy_names(__name__)
