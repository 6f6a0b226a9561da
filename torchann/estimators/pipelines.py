"""Tasks that prepare their rows, as scikit-learn's pipelines, and back."""

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import MaxAbsScaler, StandardScaler
from sklearn.utils.validation import check_is_fitted

if TYPE_CHECKING:
    from torchann.tasks.task import Task


def pipeline_of(task: "Task", *, classes: Any = None, **params: Any) -> Pipeline:
    """What a task does with raw rows, as a pipeline: scikit-learn's scaler, and our estimator.

    Args:
        task: a ``torchann.ClassificationMLP`` or ``torchann.RegressionMLP``, fitted, or from a file.
        classes: what a classifier counts from 0, where that is not its ``class_names``.
        params: arguments of the estimator that the task has not.

    Returns:
        A fitted pipeline, whose predictions are the task's to rounding. Images are rows of it, ``(rows, pixels)``.

    Raises:
        TypeError: for another task, or an unknown argument.
        ValueError: if the task prepares its rows as no scaler of scikit-learn does, or cannot be an estimator.

    Example:
        >>> import torch, torchann
        >>> from torchann.nets.preprocessing import Preprocessing, Standardize
        >>> task = torchann.RegressionMLP([3], in_features=2, out_features=1)
        >>> task.preprocessing = Preprocessing(Standardize(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 4.0])))
        >>> [name for name, _ in pipeline_of(task).steps]
        ['standardscaler', 'mlpregressor']
    """
    from torchann.estimators import MLPClassifier, MLPRegressor
    from torchann.nets.preprocessing import Pixels, Standardize  # torch: seconds

    kind = MLPClassifier if "num_classes" in task.hparams else MLPRegressor
    if task.preprocessing is not None and task.preprocessing.table is not None:
        raise ValueError(
            "the task prepares the columns of a table by their kinds, which no scaler does; predict with it"
        )
    preprocessing, task.preprocessing = task.preprocessing, None
    try:
        model = kind.from_task(task, classes=classes, **params)
    finally:
        task.preprocessing = preprocessing
    if preprocessing is None:
        return make_pipeline(model)
    (step, *more) = preprocessing.steps
    if more or not isinstance(step, Standardize | Pixels):
        message = ", ".join(step["step"] for step in preprocessing.describe())
        raise ValueError(
            f"the task prepares its rows by {message}, and a pipeline can by standardize or by pixels alone"
        )
    width = model.n_features_in_
    scaler: Any = StandardScaler() if isinstance(step, Standardize) else MaxAbsScaler()
    if isinstance(step, Standardize):
        scaler.mean_, scaler.scale_ = (part.numpy(force=True).ravel().astype(float) for part in (step.mean, step.std))
        scaler.var_ = scaler.scale_**2
    else:
        scaler.scale_ = scaler.max_abs_ = np.full(width, 255.0)
    scaler.n_features_in_, scaler.n_samples_seen_ = width, (task.data_info or {}).get("rows") or 0
    if hasattr(model, "feature_names_in_"):
        scaler.feature_names_in_ = model.feature_names_in_
        del model.feature_names_in_  # the scaler's output has none
    return make_pipeline(scaler, model)


def task_of(pipeline: Pipeline) -> "Task":
    """The task that predicts what a pipeline predicts, and prepares raw rows by itself.

    Args:
        pipeline: fitted: a ``StandardScaler`` and one of our MLPs, or an MLP alone.

    Raises:
        NotFittedError: before ``fit``.
        ValueError: for other steps.

    Example:
        >>> import torchann.estimators
        >>> net = torchann.estimators.MLPRegressor(hidden_layer_sizes=(3,), solver="lbfgs", random_state=0)
        >>> pipeline = make_pipeline(StandardScaler(), net).fit([[1.0, 2.0], [3.0, 4.0]], [0.0, 1.0])
        >>> task_of(pipeline).preprocessing.describe()
        [{'step': 'standardize'}]
    """
    import torch  # seconds, and no fit needs it

    from torchann.nets.preprocessing import Preprocessing, Standardize

    *steps, model = [step for _, step in pipeline.steps]
    check_is_fitted(pipeline)
    if not hasattr(model, "to_task") or len(steps) > 1 or not all(type(step) is StandardScaler for step in steps):
        message = ", ".join(type(step).__name__ for _, step in pipeline.steps)
        raise ValueError(
            f"the pipeline is of {message}; give a StandardScaler and an estimator of torchann, or that alone"
        )
    task = model.to_task()
    for scaler in steps:
        width = scaler.n_features_in_
        mean = scaler.mean_ if scaler.with_mean else np.zeros(width)
        std = scaler.scale_ if scaler.with_std else np.ones(width)
        task.preprocessing = Preprocessing(Standardize(torch.from_numpy(mean.copy()), torch.from_numpy(std.copy())))
        if hasattr(scaler, "feature_names_in_"):
            task.feature_names = scaler.feature_names_in_.tolist()
    return task  # type: ignore[no-any-return]
