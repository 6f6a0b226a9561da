"""scikit-learn's checks of an estimator, and its own tests of its Perceptron, on ours."""

import pytest
from sklearn.utils.estimator_checks import check_estimator, parametrize_with_checks

from tests.estimators.sklearn_tests import borrowed
from torchann.estimators import Perceptron

MODULE = "sklearn.linear_model.tests.test_perceptron"
CLASSES = {"sklearn.linear_model.Perceptron": Perceptron}
# The check wants weighted rows in one order to end at the bits of repeated rows in another, and what a Perceptron
# learns depends on the order. scikit-learn expects these two to fail of its own; a Perceptron that passed them could
# not have scikit-learn's weights without sample_weight.
ORDER = "a Perceptron that depends on the order of rows, as scikit-learn's does, cannot pass"
FAILS = dict.fromkeys(
    [f"check_sample_weight_equivalence_on_{kind}_data" for kind in ("dense", "sparse")],
    ORDER,
)

globals().update(borrowed(MODULE, CLASSES, left_out={}))


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")  # checks take max_iter as it comes
@parametrize_with_checks(
    [Perceptron(), Perceptron(penalty="elasticnet", n_jobs=2)],
    expected_failed_checks=lambda estimator: FAILS,
)
def test_perceptron_passes_the_check_of_scikit_learn(estimator, check):
    check(estimator)


@pytest.mark.filterwarnings("ignore")
def test_perceptron_fails_no_check_but_those_that_scikit_learns_own_fails():
    results = {
        kind: {
            run["check_name"]
            for run in check_estimator(kind(), on_fail=None, on_skip=None)
            if run["status"] == "failed"
        }
        for kind in (Perceptron, Perceptron.__bases__[-1])
    }
    assert len(set(map(frozenset, results.values()))) == 1 and set(results[Perceptron]) == set(FAILS)


def test_tests_of_scikit_learn_are_run_on_our_class():
    assert globals()["test_perceptron_accuracy"].__globals__["Perceptron"] is Perceptron
    assert {"test_perceptron_correctness", "test_undefined_methods", "test_perceptron_l1_ratio"} <= set(globals())


def test_file_that_does_not_use_a_class_is_an_error():
    with pytest.raises(AssertionError, match="does not use .*MLPClassifier"):
        borrowed(MODULE, {"sklearn.neural_network.MLPClassifier": object}, {})


def test_name_to_leave_out_that_is_no_test_is_an_error():
    with pytest.raises(AssertionError, match="has no .*test_perceptrons"):
        borrowed(MODULE, CLASSES, {"test_perceptrons": "private"})


def test_test_that_is_left_out_says_why():
    mark = borrowed(MODULE, CLASSES, {"test_perceptron_accuracy": "private state"})[
        "test_perceptron_accuracy"
    ].pytestmark
    assert [m.kwargs["reason"] for m in mark if m.name == "skip"] == ["private state"]
