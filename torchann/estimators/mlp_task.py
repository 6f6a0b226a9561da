"""From scikit-learn's side of an MLP to Lightning's, and back: the same numbers in other places."""

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import is_classifier
from sklearn.utils.validation import check_is_fitted

from torchann.estimators.mlp_file import check_fitted
from torchann.estimators.options import OWN_LOSSES, SCHEDULES
from torchann.files.history import History
from torchann.nets.class_weights import weights_by_class

if TYPE_CHECKING:
    from torchann.tasks.classification import ClassificationMLP
    from torchann.tasks.regression import RegressionMLP

LOSSES = {"squared_error": "mse", **OWN_LOSSES}
AUTO_BATCH = 200  # of batch_size="auto", but for fewer rows
WITH_BETAS = ("adam", "adamw", "nadam")
KNOWN_OPTIONS = {"betas", "eps"}


def to_task(model: Any) -> "ClassificationMLP | RegressionMLP":
    """Return the task of an estimator's net; :meth:`~torchann.estimators.mlp.MLP.to_task` says how."""
    import torch  # seconds, as Lightning, and no fit needs them

    from torchann.tasks.classification import ClassificationMLP
    from torchann.tasks.regression import RegressionMLP

    check_is_fitted(model)
    options: dict[str, Any] = {
        "hidden_sizes": np.atleast_1d(model.hidden_layer_sizes).tolist(),
        "in_features": model.n_features_in_,
        "activation": "sigmoid" if model.activation == "logistic" else model.activation,
        "dropout": model.dropout,
        "norm": model.norm,
        **_optimizer_of(model),
    }
    task: Any
    if is_classifier(model):
        kind, classes = _kind(model), model.classes_
        if len(classes) < 2:
            raise ValueError(f"there is one class, {classes.tolist()[0]!r}, and a task tells two or more apart")
        named = kind == "multilabel" or (classes.dtype.kind in "iu" and classes.tolist() == list(range(len(classes))))
        task = ClassificationMLP(
            num_classes=len(classes),
            task=kind,  # type: ignore[arg-type]
            class_names=None if named else [str(name) for name in classes.tolist()],
            class_weight=_weights_of_classes(model.class_weight, classes),
            **options,
        )
    elif model.loss not in LOSSES:
        raise ValueError(f"loss is {model.loss!r} and no task has it; give one of {', '.join(LOSSES)}")
    else:
        options["loss"] = LOSSES[model.loss]
        task = RegressionMLP(out_features=model.n_outputs_, **options)
    task.net.to(getattr(torch, str(model.coefs_[0].dtype)))
    with torch.no_grad():
        for layer, weight, bias in zip(task.net.linears(), model.coefs_, model.intercepts_, strict=True):
            layer.weight.copy_(torch.tensor(weight).t())
            layer.bias.copy_(torch.tensor(bias))
        for norm, arrays in zip(_norms(task.net), model.norms_, strict=True):
            for name, array in arrays.items():
                getattr(norm, name).copy_(torch.tensor(array))
    columns = getattr(model, "feature_names_in_", None)
    task.feature_names = None if columns is None else columns.tolist()
    task.history = History(
        {"epoch": epoch, "loss": loss} for epoch, loss in enumerate(getattr(model, "loss_curve_", []))
    )
    for row, score in zip(task.history.rows, getattr(model, "validation_scores_", None) or [], strict=False):
        row["validation_score"] = score
    if model.n_iter_ and model.t_:
        task.data_info = {"name": None, "fingerprint": None, "rows": int(model.t_) // max(1, len(task.history))}
    return task.eval()  # type: ignore[no-any-return]


def _norms(net: Any) -> list[Any]:
    from torch import nn

    return [layer for layer in net.modules() if isinstance(layer, nn.BatchNorm1d | nn.LayerNorm)]


def _kind(model: Any) -> str:
    if model.out_activation_ == "softmax":
        return "multiclass"
    return "binary" if model.n_outputs_ == 1 else "multilabel"


def _weights_of_classes(given: Any, classes: Any) -> Any:
    if not isinstance(given, dict):
        return given
    return [float(given.get(name, 1.0)) for name in classes.tolist()]


def _batch_size(given: Any, rows: int) -> int:
    batch_size = AUTO_BATCH if given == "auto" else int(given)
    return min(batch_size, rows) if rows else batch_size


def _optimizer_of(model: Any) -> dict[str, Any]:
    name = "adam" if model.solver == "lbfgs" else model.solver
    epochs = len(getattr(model, "loss_curve_", ())) or 1
    batch_size = _batch_size(model.batch_size, int(model.t_) // epochs)
    options: dict[str, Any] = {
        "optimizer": name,
        "lr": model.learning_rate_init,
        "weight_decay": model.alpha if name == "adamw" else model.alpha / batch_size,
    }
    if name == "sgd":
        options |= {"momentum": model.momentum, "nesterov": bool(model.nesterovs_momentum and model.momentum)}
    else:
        betas = {"betas": [model.beta_1, model.beta_2]} if name in WITH_BETAS else {}
        options["optimizer_options"] = betas | {"eps": model.epsilon}
    if model.learning_rate in SCHEDULES:
        options |= {"lr_schedule": model.learning_rate, "lr_schedule_options": model.learning_rate_options}
    return options


def from_task(kind: Any, task: Any, classes: Any, params: dict[str, Any]) -> Any:
    """Return the estimator, of a class and with other arguments, of a task's net, as ``MLP.from_task`` does."""
    from torchann.tasks.classification import ClassificationMLP
    from torchann.tasks.regression import RegressionMLP

    wanted = ClassificationMLP if is_classifier(kind()) else RegressionMLP
    if not isinstance(task, wanted):
        raise TypeError(f"a {type(task).__name__} is no {kind.__name__}'s; give a torchann.{wanted.__name__}")
    if not hasattr(task, "net"):
        raise ValueError("the task has no net yet; fit it, or give its sizes")
    if task.preprocessing is not None:
        steps = ", ".join(step["step"] for step in task.preprocessing.describe())
        raise ValueError(
            f"the task prepares its rows ({steps}) and the estimator takes them as they are; call "
            "torchann.estimators.pipeline_of(task)"
        )
    h: Any = task.hparams
    if h.members is not None:
        raise ValueError("the task averages its members and an estimator is one net; give a task without members")
    if h.embeddings:
        raise ValueError(
            "the task learns vectors for categories and an estimator does not; train with max_one_hot large"
        )
    rows = (task.data_info or {}).get("rows") or 0
    net: Any = task.net
    model = kind(**_params_of(h, _batch_size(params.get("batch_size", "auto"), rows)) | params)
    model.coefs_ = [layer.weight.numpy(force=True).T.copy() for layer in net.linears()]
    model.intercepts_ = [layer.bias.numpy(force=True).copy() for layer in net.linears()]
    parts = [norm.state_dict() for norm in _norms(net)]
    model.norms_ = [{k: part.numpy(force=True).copy() for k, part in norm.items() if part.ndim} for norm in parts]
    model.n_features_in_, model.n_outputs_ = model.coefs_[0].shape[0], model.coefs_[-1].shape[1]
    model.n_layers_ = len(model.coefs_) + 1
    if task.feature_names is not None:
        model.feature_names_in_ = np.array(task.feature_names, dtype=object)
    if wanted is RegressionMLP:
        if h.output != "unbounded":
            raise ValueError(f"the task's output is {h.output} and an estimator's is unbounded; train such a task")
        model.out_activation_ = "identity"
        if h.target_std is not None:  # the last layer of an estimator speaks in the targets' unit
            dtype = model.coefs_[-1].dtype
            std, mean = (np.array(part, dtype) for part in (h.target_std, h.target_mean or [0.0] * h.out_features))
            model.coefs_[-1], model.intercepts_[-1] = model.coefs_[-1] * std, model.intercepts_[-1] * std + mean
    else:
        model.out_activation_ = "softmax" if h.task == "multiclass" else "logistic"
        _take_classes(model, h, classes)
        given = h.class_weight
        given = weights_by_class(given, h.num_classes, h.class_names) if isinstance(given, dict) else given
        if isinstance(given, list):
            weights = dict(zip(np.asarray(_names(h, classes)).tolist(), given, strict=True))
            model.class_weight = {name: weight for name, weight in weights.items() if weight != 1.0}
        elif "class_weight" not in params:
            model.class_weight = given
    _take_history(model, task)
    check_fitted(model)
    model._best_coefs, model._best_intercepts, model._best_norms = model.coefs_, model.intercepts_, model.norms_
    return model


def _params_of(h: Any, batch_size: int) -> dict[str, Any]:
    options = h.optimizer_options or {}
    if set(options) - KNOWN_OPTIONS or h.lr_schedule == "plateau":
        given = f"optimizer_options={options} and lr_schedule={h.lr_schedule!r}"
        raise ValueError(f"the task has {given}, and an estimator knows betas and eps, and no plateau; train without")
    params = {
        "hidden_layer_sizes": tuple(h.hidden_sizes),
        "activation": "logistic" if h.activation == "sigmoid" else h.activation,
        "dropout": h.dropout,
        "norm": h.norm,
        "solver": h.optimizer,
        "learning_rate_init": h.lr,
        "alpha": h.weight_decay if h.optimizer == "adamw" else h.weight_decay * batch_size,
    }
    if h.optimizer == "sgd":
        params |= {"momentum": h.momentum, "nesterovs_momentum": h.nesterov}
    params |= dict(zip(("beta_1", "beta_2"), options.get("betas", ()), strict=False))
    params |= {"epsilon": options["eps"]} if "eps" in options else {}
    if h.lr_schedule in SCHEDULES:
        params |= {"learning_rate": h.lr_schedule, "learning_rate_options": h.lr_schedule_options}
    if "loss" in h:
        params["loss"] = {ours: theirs for theirs, ours in LOSSES.items()}[h.loss]
    return params


def _names(h: Any, given: Any) -> Any:
    names = None if h.task == "multilabel" else h.class_names
    return (names or range(h.num_classes)) if given is None else given


def _take_classes(model: Any, h: Any, given: Any) -> None:
    # scikit-learn keeps classes sorted: outputs that are in another order are put into that one.
    classes = np.asarray(_names(h, given))
    model.classes_, order = np.unique(classes, return_index=True)
    if classes.shape != (h.num_classes,) or len(order) != h.num_classes:
        raise ValueError(
            f"classes are {classes.tolist()!r:.80}; give {h.num_classes} that differ, as the task counts them"
        )
    if h.task == "binary":
        sign = 1 if order[0] == 0 else -1
        model.coefs_[-1] *= sign
        model.intercepts_[-1] *= sign
    else:
        model.coefs_[-1], model.intercepts_[-1] = model.coefs_[-1][:, order], model.intercepts_[-1][order]


def _take_history(model: Any, task: Any) -> None:
    history = task.history or History()
    losses = history["loss"] if "loss" in history.columns else []
    losses = losses or (history["train_loss"] if "train_loss" in history.columns else [])
    scores = history["validation_score"] if "validation_score" in history.columns else None
    rows = (task.data_info or {}).get("rows") or 0
    model.n_iter_, model.t_ = len(history), len(history) * rows
    model.loss_curve_, model._no_improvement_count = losses, 0
    model.loss_ = losses[-1] if losses else np.inf
    model.validation_scores_ = scores
    model.best_loss_ = min(losses, default=np.inf) if scores is None else None
    model.best_validation_score_ = None if scores is None else max(scores)
