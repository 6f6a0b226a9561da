"""scikit-learn's Perceptron, bit for bit, with a validation set of one's own, the safe file and the way to the task."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import numpy as np
import sklearn.linear_model
from scipy import sparse
from sklearn.utils import check_consistent_length
from sklearn.utils.validation import validate_data

from torchann.estimators import perceptron_task
from torchann.estimators.estimator_file import SafeFile
from torchann.estimators.sklearn_internals import ChosenValidationRows
from torchann.nets.class_weights import check_class_weights

if TYPE_CHECKING:
    from torchann.tasks.perceptron import Perceptron as Task

Own = TypeVar("Own", bound="Perceptron")
ROWS: dict[str, Any] = {
    "accept_sparse": "csr",
    "dtype": [np.float64, np.float32],
    "order": "C",
    "accept_large_sparse": False,
}


class Perceptron(SafeFile, ChosenValidationRows, sklearn.linear_model.Perceptron):  # type: ignore[misc]
    """A threshold logic unit for each class, one alone for two, that learns from its mistakes (section 10.1.3).

    A ``sklearn.linear_model.Perceptron``: same arguments, attributes, methods and warnings, and every bit of the
    weights. The rule takes one row after the other, each with the weights that the row before has left. scikit-learn's
    compiled loop does so also for penalties, weights of rows and classes, and sparse rows; a loop of our own would be
    slower there, or not exact. For the same reason there is no ``device``: a GPU would find nothing to do at once.
    New are validation rows in :meth:`fit`, and :meth:`save`, :meth:`load`, :meth:`to_task` and :meth:`from_task`.

    Args:
        penalty: ``"l1"``, ``"l2"``, ``"elasticnet"`` or None.
        alpha: how much the penalty counts, at least 0.
        l1_ratio: share of l1 in ``"elasticnet"``, 0–1.
        fit_intercept: whether to learn biases.
        max_iter: epochs of ``fit``, at most.
        tol: an epoch is an improvement if its loss is lower than the best by this much; None never stops early.
        shuffle: whether each epoch visits the rows in an order of its own.
        verbose: above 0, a line per epoch.
        eta0: learning rate; without penalty it scales the weights and changes no prediction.
        n_jobs: threads for several classes; None is 1, -1 all cores.
        random_state: seed of the orders and of the validation rows, a ``RandomState``, or None for numpy's own.
        early_stopping: whether the accuracy of validation rows decides in place of the training loss.
        validation_fraction: share of rows that this takes, 0–1, unless ``fit`` is given such rows.
        n_iter_no_change: epochs without improvement before training stops.
        class_weight: by class, or ``"balanced"``; None counts each row once.
        warm_start: whether ``fit`` goes on from the weights that there are.

    Attributes:
        coef_: weights, ``(1, features)`` for two classes, else ``(classes, features)``; float32 if the rows were.
        intercept_: biases, ``(1,)`` or ``(classes,)``.
        classes_: sorted, ``(classes,)``.
        n_iter_: epochs, of the class that took most.
        t_: rows seen, and one.
        n_features_in_: numbers per row.
        feature_names_in_: of a data frame's columns, ``(features,)``, where all are text.

    Example:
        >>> from sklearn.datasets import load_iris
        >>> iris = load_iris()
        >>> unit = Perceptron(random_state=42).fit(iris.data[:, 2:], iris.target == 0)  # petals in cm; setosa or not
        >>> unit.coef_.round(1), unit.intercept_, unit.n_iter_
        (array([[-1.4, -2.2]]), array([4.]), 7)
        >>> unit.predict([[2, 0.5]])
        array([ True])
    """

    fitted: ClassVar[tuple[str, ...]] = (
        "coef_",
        "intercept_",
        "classes_",
        "n_iter_",
        "t_",
        "n_features_in_",
        "feature_names_in_",
    )

    def fit(
        self: Own,
        X: Any,
        y: Any,
        coef_init: Any = None,
        intercept_init: Any = None,
        sample_weight: Any = None,
        *,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: Any = None,
    ) -> Own:
        """Learns from the rows, epoch by epoch.

        Args:
            X: ``(rows, features)``, an array, data frame or sparse matrix; float32 stays so.
            y: classes, ``(rows,)``, numbers or text.
            coef_init: weights to start from, of the shape of ``coef_``; left as they are.
            intercept_init: biases to start from, of the shape of ``intercept_``; left as they are.
            sample_weight: how much each row counts, ``(rows,)``.
            X_val: rows whose accuracy decides when to stop, ``(validation rows, features)``; without them,
                ``early_stopping`` sets a share of ``X`` aside. ``t_`` and ``"balanced"`` count them, as they do those.
            y_val: their classes, ``(validation rows,)``.
            sample_weight_val: how much each of them counts.

        Returns:
            The estimator.

        Raises:
            ValueError: for NaN or infinity, fewer than two classes, lengths that differ, a ``class_weight`` below 0,
                validation rows without ``early_stopping``, or with a class that ``y`` lacks.
        """
        given = {"coef_init": coef_init, "intercept_init": intercept_init}
        if isinstance(self.class_weight, Mapping):
            check_class_weights([self.class_weight.get(name, 1.0) for name in np.unique(y).tolist()])
        start = {name: None if part is None else np.array(part) for name, part in given.items()}  # learns in place
        if X_val is None and y_val is None and sample_weight_val is None:
            super().fit(X, y, sample_weight=sample_weight, **start)
            return self
        if X_val is None or y_val is None:
            missing = "X_val" if X_val is None else "y_val"
            raise ValueError(f"there is no {missing}; give both X_val and y_val, or neither and no sample_weight_val")
        if not self.early_stopping:
            raise ValueError("X_val decides when to stop, and early_stopping is False; give early_stopping=True")
        X, y = validate_data(self, X, y, **ROWS)
        names = getattr(self, "feature_names_in_", None)
        X_val, y_val = validate_data(self, X_val, y_val, reset=False, **ROWS)
        if unknown := set(y_val.tolist()) - set(y.tolist()):
            message = sorted(unknown, key=str)
            raise ValueError(f"y_val has the classes {message!r:.80} and y has not; give rows of them in X")
        weights, counts = _weights(sample_weight, X), _weights(sample_weight_val, X_val)
        if not np.any(counts):
            raise ValueError("sample_weight_val is zero for all rows; give a row that counts, or leave it out")
        rows = _stacked(X, X_val)
        self._validation_mask = np.arange(rows.shape[0]) >= len(y)
        try:
            super().fit(rows, np.concatenate([y, y_val]), sample_weight=np.concatenate([weights, counts]), **start)
        finally:
            del self._validation_mask
        if names is not None:
            self.feature_names_in_ = names
        return self

    def to_task(self) -> "Task":
        """The Lightning task of the same weights, names of features and classes, and counts of epochs and rows.

        Returns:
            A ``torchann.Perceptron``, in evaluation mode, ready to predict, to be saved or to be fitted further. Its
            history has the epochs without figures, as scikit-learn keeps none.

        Raises:
            NotFittedError: before ``fit``.
            ValueError: for more than two classes.

        Example:
            >>> Perceptron().fit([[1.0, 2.0], [3.0, 1.0]], ["no", "yes"]).to_task().hparams["class_names"]
            ['no', 'yes']
        """
        return perceptron_task.to_task(self)

    @classmethod
    def from_task(cls: type[Own], task: "Task", *, classes: Any = None, **params: Any) -> Own:
        """The estimator of the same weights, names and counts as a ``torchann.Perceptron``.

        Args:
            task: fitted, or from a file.
            classes: the two classes, where they are not text or 0 and 1: ``estimator.classes_`` of the one before.
            params: arguments of the estimator that a task has not, such as ``penalty`` or ``random_state``; learning
                rate, ``tol`` and ``n_iter_no_change`` are the task's.

        Returns:
            An estimator that predicts, and goes on with ``partial_fit`` or ``warm_start=True``.

        Raises:
            TypeError: for another task, or an unknown argument.
            ValueError: if the task has no net yet or prepares its rows, or ``classes`` are not two in order.

        Example:
            >>> unit = Perceptron().fit([[1.0, 2.0], [3.0, 1.0]], ["no", "yes"])
            >>> Perceptron.from_task(unit.to_task()).predict([[3.0, 1.0]])
            array(['yes'], dtype='<U3')
        """
        estimator: Own = perceptron_task.from_task(cls, task, classes, params)
        return estimator

    def _check_fitted(self) -> None:
        """Raises ValueError unless the fitted attributes, which come from a file, go with each other."""
        outputs = 1 if len(self.classes_) == 2 else len(self.classes_)
        shapes = {"coef_": (outputs, self.n_features_in_), "intercept_": (outputs,), "classes_": (len(self.classes_),)}
        if hasattr(self, "feature_names_in_"):
            shapes["feature_names_in_"] = (self.n_features_in_,)
        for name, shape in shapes.items():
            part = getattr(self, name)
            if not isinstance(part, np.ndarray) or part.shape != shape:
                raise ValueError(f"{name} has the shape {np.shape(part)} and should have {shape}")
        for part in (self.coef_, self.intercept_):  # of two classes, scikit-learn keeps the bias in float64
            if part.dtype not in (np.float32, np.float64):
                raise ValueError(f"coef_ or intercept_ is {part.dtype} and should be float32 or float64")
        if len(self.classes_) < 2 or not np.array_equal(np.unique(self.classes_), self.classes_):
            raise ValueError(f"classes_ are {self.classes_!r:.80} and should be two or more, sorted")


def _weights(given: Any, X: Any) -> Any:
    if given is None or np.ndim(given) == 0:
        return np.full(X.shape[0], 1.0 if given is None else given)
    check_consistent_length(X, given)
    return np.asarray(given)


def _stacked(X: Any, X_val: Any) -> Any:
    if sparse.issparse(X):
        return sparse.vstack([X, sparse.csr_matrix(X_val, dtype=X.dtype)], "csr")
    return np.concatenate([X, X_val.toarray() if sparse.issparse(X_val) else X_val], dtype=X.dtype)
