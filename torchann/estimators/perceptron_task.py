"""From scikit-learn's side of a Perceptron to Lightning's, and back: the same numbers in other places."""

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from torchann.files.history import History

if TYPE_CHECKING:
    from torchann.tasks.perceptron import Perceptron as Task

SAME = {"eta0": "lr", "tol": "tol", "n_iter_no_change": "n_iter_no_change"}
"""Arguments of the estimator that are the task's hyperparameters."""


def to_task(estimator: Any) -> "Task":
    """Return the task of an estimator's weights; the estimator's ``to_task`` says how."""
    import torch  # seconds, as Lightning, and no fit needs them

    from torchann.tasks.perceptron import Perceptron as Task

    check_is_fitted(estimator)
    classes = estimator.classes_.tolist()
    if len(classes) != 2:
        raise ValueError(
            f"there are {len(classes)} classes and torchann.Perceptron is one unit, for two; fit one class against "
            f"the others, such as y == {classes[0]!r}, or train a ClassificationMLP([])"
        )
    options = {theirs: getattr(estimator, ours) for ours, theirs in SAME.items()}
    names = None if _numbered(estimator.classes_) else [str(name) for name in classes]
    task = Task(estimator.n_features_in_, class_names=names, **options)
    task.net.weight.data = torch.from_numpy(_dense(estimator.coef_).astype(np.float64))
    task.net.bias.data = torch.from_numpy(estimator.intercept_.astype(np.float64))
    columns = getattr(estimator, "feature_names_in_", None)
    task.feature_names = None if columns is None else columns.tolist()
    if epochs := int(estimator.n_iter_):  # a task without a history has none
        task.history = History({"epoch": epoch} for epoch in range(epochs))
        task.data_info = {"name": None, "fingerprint": None, "rows": int(estimator.t_ - 1) // epochs}
    return task.eval()


def _numbered(classes: Any) -> bool:
    return classes.dtype.kind in "iu" and classes.tolist() == [0, 1]


def _dense(coef: Any) -> Any:
    return coef if isinstance(coef, np.ndarray) else coef.toarray()


def from_task(kind: Any, task: "Task", classes: Any, params: dict[str, Any]) -> Any:
    """Return the estimator, of a class and with other arguments, of a task's weights, as its ``from_task`` does."""
    from torchann.tasks.perceptron import Perceptron as Task

    if not isinstance(task, Task):
        raise TypeError(f"a {type(task).__name__} has no Perceptron's weights; give a torchann.Perceptron")
    if not hasattr(task, "net"):
        raise ValueError("the task has no net yet; fit it, or give in_features")
    if task.preprocessing is not None:
        steps = [step["step"] for step in task.preprocessing.describe()]
        raise ValueError(
            f"the task prepares its rows ({', '.join(steps)}) and the estimator takes them as they are; fit a "
            "make_pipeline(StandardScaler(), Perceptron()) instead"
        )
    estimator = kind(**{ours: task.hparams[theirs] for ours, theirs in SAME.items()} | params)
    estimator.coef_ = task.net.weight.numpy(force=True).copy()
    estimator.intercept_ = task.net.bias.numpy(force=True).copy()
    estimator.classes_ = _classes(task.hparams["class_names"], classes)
    estimator.n_features_in_ = estimator.coef_.shape[1]
    if task.feature_names is not None:
        estimator.feature_names_in_ = np.array(task.feature_names, dtype=object)
    estimator.n_iter_ = len(task.history or ())
    rows = (task.data_info or {}).get("rows") or 0
    estimator.t_ = 1.0 + estimator.n_iter_ * rows
    return estimator


def _classes(names: list[str] | None, given: Any) -> Any:
    classes = np.asarray(([0, 1] if names is None else names) if given is None else given)
    if classes.shape != (2,) or not classes[0] < classes[1]:
        raise ValueError(
            f"classes are {classes.tolist()!r:.80} and scikit-learn keeps them sorted; give two, classes=[first, "
            "second], the one that the task calls 0 first"
        )
    if given is not None and names is not None and names != [str(name) for name in classes.tolist()]:
        raise ValueError(f"classes are {classes.tolist()!r:.80} and the task calls them {names!r:.80}; give the same")
    return classes
