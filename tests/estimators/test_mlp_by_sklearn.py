"""scikit-learn's checks of an estimator, and its own tests of its MLPs, on ours."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from tests.estimators.sklearn_tests import borrowed
from torchann.estimators import MLPClassifier, MLPRegressor

MODULE = "sklearn.neural_network.tests.test_mlp"
CLASSES = {"sklearn.neural_network.MLPClassifier": MLPClassifier, "sklearn.neural_network.MLPRegressor": MLPRegressor}

LEFT_OUT = {"test_gradient": "it differentiates a method of scikit-learn's MLPs that ours do not use"}
globals().update(borrowed(MODULE, CLASSES, LEFT_OUT))


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")  # checks take max_iter as it comes
@pytest.mark.filterwarnings("ignore:Got `batch_size` less than 1 or larger:UserWarning")
@parametrize_with_checks([MLPClassifier(), MLPRegressor()])
def test_mlp_passes_the_check_of_scikit_learn(estimator, check):
    check(estimator)


def test_tests_of_scikit_learn_are_run_on_our_classes():
    theirs = globals()["test_fit"].__globals__
    assert theirs["MLPClassifier"] is MLPClassifier and theirs["MLPRegressor"] is MLPRegressor
    assert {"test_fit", "test_lbfgs_regression", "test_adaptive_learning_rate"} <= set(globals())
