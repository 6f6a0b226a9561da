"""Metrics by the names that scikit-learn and torchmetrics have for them."""

import re
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from functools import partial
from typing import Any

import torch
import torchmetrics as tm
from torchmetrics import Metric
from torchmetrics.classification import (
    BinaryAUROC,
    BinaryAveragePrecision,
    MulticlassAUROC,
    MulticlassAveragePrecision,
    MultilabelAUROC,
    MultilabelAveragePrecision,
)

from torchann.tasks.own_metrics import BalancedAccuracy, LogLoss, Maker, QuantileLoss, area

MOST_TARGETS = 20
"""Targets with metrics of their own; a fit with more would log a screen of numbers per epoch."""
AVERAGES = ("macro", "micro", "weighted")


def _of_classes(metric: Any, default: str | None) -> Maker:
    def make(task: str, size: int, average: str) -> Metric:
        options: dict[str, Any] = {"num_classes": size, "validate_args": False}
        options |= {"num_labels": size} if task == "multilabel" else {}
        options |= {} if default is None else {"average": average or default}
        made: Metric = metric(task=task, **options)
        return made

    return make


CLASSIFICATION: dict[str, tuple[tuple[str, ...], Maker]] = {
    "accuracy": (("acc",), _of_classes(tm.Accuracy, "micro")),
    "balanced_accuracy": ((), lambda task, size, average: BalancedAccuracy(2 if task == "binary" else size)),
    "f1": ((), _of_classes(tm.F1Score, "macro")),
    "precision": ((), _of_classes(tm.Precision, "macro")),
    "recall": (("sensitivity",), _of_classes(tm.Recall, "macro")),
    "specificity": ((), _of_classes(tm.Specificity, "macro")),
    "jaccard": (("jaccard_index", "iou"), _of_classes(tm.JaccardIndex, "macro")),
    "roc_auc": (("auc", "auroc"), area(BinaryAUROC, MulticlassAUROC, MultilabelAUROC)),
    "average_precision": (
        ("ap", "pr_auc", "auprc"),
        area(BinaryAveragePrecision, MulticlassAveragePrecision, MultilabelAveragePrecision),
    ),
    "log_loss": (("cross_entropy",), lambda task, size, average: LogLoss()),
    "mcc": (("matthews_corrcoef", "matthews_corr_coef"), _of_classes(tm.MatthewsCorrCoef, None)),
    "cohen_kappa": (("kappa",), _of_classes(tm.CohenKappa, None)),
}
"""Other names, and what makes it of a task, its classes and an average."""

REGRESSION: dict[str, tuple[tuple[str, ...], Callable[[], Metric]]] = {
    "mse": (("mean_squared_error",), tm.MeanSquaredError),
    "rmse": (("root_mean_squared_error",), partial(tm.MeanSquaredError, squared=False)),
    "mae": (("mean_absolute_error",), tm.MeanAbsoluteError),
    "mape": (("mean_absolute_percentage_error",), tm.MeanAbsolutePercentageError),
    "msle": (("mean_squared_log_error",), tm.MeanSquaredLogError),
    "r2": ((), tm.R2Score),
    "explained_variance": ((), tm.ExplainedVariance),
}
"""Other names, and what makes it; ``quantile_loss_0.9`` comes beside them."""
QUANTILE = re.compile(r"(?:quantile|(?:mean_)?pinball)_loss_?(0?\.\d+|)")


def snake(name: str) -> str:
    """Return a name in the way that logged figures are written.

    Example:
        >>> snake("BalancedAccuracy"), snake("F1Score"), snake("AUROC"), snake("quantile_loss_0.9"), snake("a/b c")
        ('balanced_accuracy', 'f1_score', 'auroc', 'quantile_loss_0_9', 'a_b_c')
    """
    return re.sub(r"\W+", "_", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower())


def _known(name: str) -> str | None:
    # The name in the tables of what a user calls a metric.
    wanted = {snake(name), snake(name).removesuffix("_score"), snake(name).removesuffix("_error")}
    for table in (CLASSIFICATION, REGRESSION):
        for known, (others, _) in table.items():
            if wanted & {known, *others}:
                return known
    return None


def _in_doubles(metric: Metric) -> Metric:
    return metric.set_dtype(torch.float64)


def _make(name: str, task: str, size: int) -> Metric | None:
    # None for a metric of another kind of task.
    quantile = QUANTILE.fullmatch(name.lower())
    if quantile and not quantile[1]:
        raise ValueError(f"metric {name!r} has no quantile; give one from 0 to 1, such as quantile_loss_0.9")
    if quantile:
        return _in_doubles(QuantileLoss(float(quantile[1]))) if task == "regression" else None
    stem, _, average = snake(name).rpartition("_")
    stem, average = (stem, average) if average in AVERAGES and _known(stem) in CLASSIFICATION else (name, "")
    known = _known(stem)
    if known is None:
        names = [*CLASSIFICATION, *REGRESSION, "quantile_loss_0.9"]
        meant = get_close_matches(snake(name), names, 1, 0.5)
        hint = f"did you mean {meant[0]!r}? " if meant else ""
        raise ValueError(
            f"there is no metric {name!r}; {hint}choose of {', '.join(names)}, or give one of torchmetrics"
        )
    if known in REGRESSION:
        return _in_doubles(REGRESSION[known][1]()) if task == "regression" else None
    if task == "regression" or (task == "multilabel" and known in ("balanced_accuracy", "cohen_kappa")):
        return None
    return CLASSIFICATION[known][1](task, size, average)


def rises(figure: str) -> bool | None:
    """Return whether a logged figure gets better as it rises, by the metric in its name; None if that has none.

    Example:
        >>> rises("val_r2"), rises("val_main_mae"), rises("val_f1_macro"), rises("val_r2_price"), rises("val_speed")
        (True, False, True, True, None)
    """
    words = figure.split("_")
    if words[-1] == "loss":
        return False
    parts = [words[start:end] for start in range(len(words)) for end in range(start + 1, len(words) + 1)]
    for name in map("_".join, sorted(parts, key=len, reverse=True)):
        known = _known(name)
        if known is not None:
            metric = _make(name, "regression" if known in REGRESSION else "binary", 2)
            return None if metric is None else metric.higher_is_better
    return None


def by_name(metrics: Iterable[Any] | Mapping[str, Any] | str) -> dict[str, Any]:
    """Return metrics by the names that they are logged under.

    Args:
        metrics: names, or torchmetrics objects; a mapping gives them names of its own.

    Raises:
        ValueError: for two of one name, and a name that no metric has.
        TypeError: for something else.

    Example:
        >>> list(by_name(["f1", "BalancedAccuracy", tm.MeanAbsoluteError()]))
        ['f1', 'balanced_accuracy', 'mean_absolute_error']
    """
    given = [metrics] if isinstance(metrics, (str, Metric)) else metrics
    named: dict[str, Any] = {}
    for item in given:
        metric = given[item] if isinstance(given, Mapping) else item
        if not isinstance(metric, (str, Metric)):
            raise TypeError(f"a metric is {metric!r:.80}; give a name, such as 'f1', or an object of torchmetrics")
        name = snake(item if isinstance(item, str) else re.sub("^(Binary|Multi(class|label))", "", type(item).__name__))
        if name in named or name == "loss":
            raise ValueError(f"two metrics are called {name!r}; give their names: metrics={{'name': metric, ...}}")
        if isinstance(metric, str):
            _make(metric, "binary", 2)
        named[name] = metric
    return named


def plain(metrics: Iterable[Any] | Mapping[str, Any] | str | None) -> Any:
    """Return those metrics that were asked for by name, as a checkpoint can hold them; None if there are none.

    Example:
        >>> plain(("f1", tm.MeanAbsoluteError())), plain({"f2": tm.FBetaScore("binary", beta=2.0)})
        (['f1'], None)
    """
    if isinstance(metrics, Mapping):
        return {name: metric for name, metric in metrics.items() if isinstance(metric, str)} or None
    listed = [metrics] if isinstance(metrics, (str, Metric)) else metrics or []
    return [metric for metric in listed if isinstance(metric, str)] or None


def named_metrics(given: Mapping[str, Any], task: str, size: int) -> dict[str, Metric]:
    """Return the metrics that an output can have, of those that a user asks for.

    Args:
        given: names or objects of torchmetrics, by the name to log.
        task: regression, binary, multiclass or multilabel.
        size: classes or labels.

    Example:
        >>> list(named_metrics(by_name(["f1", "mae", "AUC"]), "binary", 2))
        ['f1', 'auc']
    """
    other = "torchmetrics.classification" if task == "regression" else "torchmetrics.regression"
    made = {
        name: _make(metric, task, size) if isinstance(metric, str) else metric
        for name, metric in given.items()
        if not type(metric).__module__.startswith(other)
    }
    return {name: metric for name, metric in made.items() if metric is not None}


def of_each_target(metrics: Mapping[str, Metric], targets: list[str]) -> dict[str, tuple[Metric, int]]:
    """Return the metrics of each target, by name, with the target's column; none where there is one, or many.

    Args:
        metrics: of all targets together.
        targets: what they are called.

    Example:
        >>> found = of_each_target({"mae": tm.MeanAbsoluteError()}, ["price in $", "rent"])
        >>> [(name, column) for name, (_, column) in found.items()]
        [('mae_price_in', 0), ('mae_rent', 1)]
    """
    if not 1 < len(targets) <= MOST_TARGETS:
        return {}
    words = [re.sub(r"\W+", "_", name).strip("_") for name in targets]
    words = words if len(set(words)) == len(words) and all(words) else [str(number) for number in range(len(words))]
    return {
        f"{name}_{word}": (metric.clone(), column)
        for name, metric in metrics.items()
        for column, word in enumerate(words)
    }
