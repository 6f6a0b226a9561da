"""A validation set of one's own decides when a Perceptron stops."""

import numpy as np
import pytest
import sklearn.linear_model
from scipy import sparse
from sklearn.datasets import load_digits, make_classification
from sklearn.model_selection import StratifiedShuffleSplit

from torchann.estimators import Perceptron

BINARY = make_classification(200, 20, flip_y=0.2, random_state=0)
DIGITS = load_digits(return_X_y=True)


def split(X, y):
    """The rows in an order where those that scikit-learn will set aside are the last, and how many are not."""
    train, val = next(StratifiedShuffleSplit(test_size=0.25, random_state=0).split(X, y))
    return np.concatenate([X[train], X[val]]), np.concatenate([y[train], y[val]]), len(train)


class TheirSplit(sklearn.linear_model.Perceptron):
    """scikit-learn's, made to set the last rows aside, as it would any others."""

    last = 0

    def _make_validation_split(self, y, sample_mask):
        return np.arange(len(y)) >= self.last


@pytest.mark.parametrize("form", [np.asarray, np.float32, sparse.csr_matrix])
@pytest.mark.parametrize("data", [BINARY, DIGITS], ids=["binary", "digits"])
@pytest.mark.parametrize("options", [{"penalty": "l2"}, {"class_weight": "balanced", "random_state": 3}], ids=str)
def test_validation_rows_given_are_like_rows_set_aside(options, data, form):
    X, y, rows = split(*data)
    theirs = TheirSplit(early_stopping=True, **options)
    theirs.last = rows
    theirs.fit(form(X), y)
    ours = Perceptron(early_stopping=True, **options).fit(
        form(X[:rows]), y[:rows], X_val=form(X[rows:]), y_val=y[rows:]
    )
    for name in ("coef_", "intercept_", "n_iter_", "t_"):
        np.testing.assert_array_equal(getattr(ours, name), getattr(theirs, name))
    assert set(vars(ours)) == set(vars(theirs)) - {"last"}


def test_validation_rows_change_no_weights_but_by_when_training_ends():
    X, y = BINARY
    ours = Perceptron(early_stopping=True, shuffle=False, n_iter_no_change=1)
    ours.fit(X[:150], y[:150], X_val=X[150:], y_val=y[150:])
    theirs = sklearn.linear_model.Perceptron(shuffle=False, tol=None, max_iter=ours.n_iter_).fit(X[:150], y[:150])
    np.testing.assert_array_equal(ours.coef_, theirs.coef_)


def test_training_ends_n_iter_no_change_epochs_after_the_best():
    X, y = np.array([[1.0], [-1.0]]), np.array([1, 0])  # right from the first epoch on, and never better
    ours = Perceptron(early_stopping=True, n_iter_no_change=4).fit(X, y, X_val=X, y_val=y)
    assert ours.n_iter_ == 5


def test_weights_of_validation_rows_count():
    X, y, rows = split(*BINARY)
    parts = {"X_val": X[rows:], "y_val": y[rows:]}
    few = np.zeros(len(y) - rows)
    few[:5] = 1
    a = Perceptron(early_stopping=True).fit(X[:rows], y[:rows], **parts, sample_weight_val=few)
    few_rows = {"X_val": X[rows : rows + 5], "y_val": y[rows : rows + 5]}
    b = Perceptron(early_stopping=True, shuffle=False).fit(X[:rows], y[:rows], **few_rows)
    c = Perceptron(early_stopping=True, shuffle=False).fit(X[:rows], y[:rows], **parts, sample_weight_val=few)
    np.testing.assert_array_equal(b.coef_, c.coef_)
    assert b.n_iter_ == c.n_iter_ and a.n_iter_ >= 6


def test_sparse_and_dense_rows_go_together_and_float32_stays():
    X, y, rows = split(*BINARY)
    fits = []
    for train, val in [(np.asarray, sparse.csr_matrix), (sparse.csr_matrix, np.asarray), (np.float32, np.asarray)]:
        parts = {"X_val": val(X[rows:]), "y_val": y[rows:]}
        fits.append(Perceptron(early_stopping=True).fit(train(X[:rows]), y[:rows], **parts).coef_.dtype)
    assert fits == [np.float64, np.float64, np.float32]


def test_names_of_columns_are_kept_and_must_agree():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"length": [1.0, -1.0, 2.0], "width": [0.0, 1.0, 1.0]})
    y = [1, 0, 1]
    ours = Perceptron(early_stopping=True).fit(frame, y, X_val=frame, y_val=y)
    assert ours.feature_names_in_.tolist() == ["length", "width"]
    with pytest.raises(ValueError, match="feature names"):
        ours.fit(frame, y, X_val=frame.rename(columns={"width": "depth"}), y_val=y)


X, Y = np.array([[1.0], [-1.0]]), np.array([1, 0])


@pytest.mark.parametrize(
    ("given", "early_stopping", "what"),
    [
        ({"X_val": X}, True, "there is no y_val"),
        ({"y_val": Y}, True, "there is no X_val"),
        ({"sample_weight_val": Y}, True, "there is no X_val"),
        ({"X_val": X, "y_val": Y}, False, "early_stopping is False; give early_stopping=True"),
        ({"X_val": X, "y_val": [1, 2]}, True, r"y_val has the classes \[2\]"),
        ({"X_val": X, "y_val": ["a", "b"]}, True, r"y_val has the classes \['a', 'b'\]"),
        ({"X_val": X, "y_val": Y, "sample_weight_val": [0, 0]}, True, "sample_weight_val is zero"),
        ({"X_val": X, "y_val": Y, "sample_weight_val": [1, 1, 1]}, True, "inconsistent numbers of samples"),
        ({"X_val": X, "y_val": Y, "sample_weight": [1]}, True, "inconsistent numbers of samples"),
        ({"X_val": X, "y_val": [1]}, True, "inconsistent numbers of samples"),
        ({"X_val": np.ones((2, 3)), "y_val": Y}, True, "X has 3 features"),
        ({"X_val": X * np.nan, "y_val": Y}, True, "NaN"),
    ],
    ids=str,
)
def test_validation_rows_that_do_not_fit_are_refused(given, early_stopping, what):
    with pytest.raises(ValueError, match=what):
        Perceptron(early_stopping=early_stopping).fit(X, Y, **given)


def test_failed_fit_leaves_no_rows_set_aside():
    model = Perceptron(early_stopping=True, n_iter_no_change=1)
    with pytest.raises(ValueError, match="greater than one"):
        model.fit(X, [1, 1], X_val=X, y_val=[1, 1])
    assert not hasattr(model, "_held_out")


def test_one_weight_for_all_rows_is_a_number():
    a = Perceptron(early_stopping=True).fit(X, Y, sample_weight=2.0, X_val=X, y_val=Y)
    assert a.coef_.tolist() == [[4.0]]  # at zero, then at 2 * -1 + 2 = 0: two mistakes, each of weight 2


def test_arrays_to_start_from_are_left_as_they_are():
    start = np.zeros((1, 1))
    Perceptron().fit(X, Y, coef_init=start)
    assert start == 0
