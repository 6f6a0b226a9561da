"""Judges a model at the end of its fit, beside a trivial and a linear one: one pass over the rows to judge by."""

import warnings
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from torchann.data.tables.columns import shown
from torchann.data.tabular import Part, TabularDataModule
from torchann.engine.class_report import ClassReport, class_counts
from torchann.nets.evaluating import evaluating
from torchann.publishing.judged import Judged
from torchann.tasks.interval import Calibration, calibration_of, half_widths

VALUES, PRODUCTS = 5 * 10**6, 10**8  # of the rows that the linear model is fitted on; of a step of that, at most
RARE, FOUND = 0.2, 0.9  # share of the rows of a rare class, and of those of it that a good model finds
MOST_AREAS = 100  # classes; an area for each of more would take longer than the fit
Numbers = NDArray[np.float64]


def judge(model: Any, data: TabularDataModule, calibration: Calibration | None = None) -> Judged | None:
    """Measure a model on the test rows of its table, or on the validation rows where there are none.

    Args:
        model: a task that was fitted on the table.
        data: the table, read already.
        calibration: of intervals, if the model was trained on the validation rows, too; by these rows otherwise.

    Returns:
        The metrics; None for a task of several outputs, or one that predicts no probabilities.

    Example:
        >>> import torchann
        >>> table = {"x": np.arange(200.0) % 17, "y": np.arange(200.0) % 17 * 3}
        >>> data = TabularDataModule(table, "y", kinds={"x": "number"}, task="regression")
        >>> model = torchann.RegressionMLP([])
        >>> torchann.Trainer(max_epochs=1, logger=False, quiet=True).fit(model, datamodule=data)
        >>> judged = judge(model, data)
        >>> judged.part, judged.rows, round(judged.metrics["linear"]["r2"], 6)
        ('test', 40, 1.0)
    """
    part: Part = "test" if data.num_rows("test") else "val"
    x, y = _some_rows(data)
    regression = data.task == "regression"
    trivial = y.mean(0) if regression else np.bincount(y.astype(np.int64), minlength=data.num_classes) / len(y)
    name, linear = "mean" if regression else "commonest", _linear(x, y, data)
    beside = {name: lambda rows: np.broadcast_to(trivial, (len(rows), np.size(trivial))), "linear": linear}
    found = _predicted(model, beside, data, part)
    if found is None:
        return None
    whole, said, tables = found
    classes = None
    if regression:
        calibrations: dict[str, Calibration | None] = {"net": calibration}
        if calibration is None and data.num_rows("val"):
            y_val, _, of_val = found if part == "val" else _predicted(model, beside, data, "val") or found
            calibrations = {
                name: calibration_of(dict(zip(data.target_names, (y_val - table).T, strict=True)))
                for name, table in of_val.items()
            }
            calibration = calibrations["net"]
        halves = {name: _half_widths(calibrations.get(name) if part == "test" else None) for name in tables}
        metrics = {name: _of_values(whole, table, data.target_names, halves[name]) for name, table in tables.items()}
    else:
        classed: NDArray[np.int64] = whole[:, 0].astype(np.int64)
        chosen = {name: table.argmax(1) for name, table in tables.items()} | {"net": said.numpy()}
        metrics = {name: _of_classes(classed, table, chosen[name]) for name, table in tables.items()}
        counts = class_counts(said, torch.from_numpy(classed), data.num_classes)
        classes = ClassReport.of(counts, data.class_names).classes
    finite = {n: {k: v if np.isfinite(v) else None for k, v in part.items()} for n, part in metrics.items()}
    named = "test" if part == "test" else "validation"
    return Judged(named, len(whole), len(x), finite, classes, calibration)


def _predicted(
    model: Any, beside: dict[str, Any], data: TabularDataModule, part: Part
) -> tuple[Numbers, torch.Tensor, dict[str, NDArray[Any]]] | None:
    # Of all rows of a part the true targets (rows, targets), the net's classes, and the tables of all models.
    tables: dict[str, list[NDArray[Any]]] = {name: [] for name in ("net", *beside)}
    true: list[Numbers] = []
    said: list[torch.Tensor] = [torch.empty(0, dtype=torch.int64)]
    device, regression = next(model.parameters()).device, data.task == "regression"
    with evaluating(model), torch.no_grad():
        for inputs, targets in data.prepared_rows(part):
            predicted = model.predictions(model(inputs.to(device)))
            key = "value" if regression else "proba"
            if key not in predicted:
                return None
            tables["net"].append(_numbers(predicted[key]) if regression else predicted[key].cpu().numpy())
            for name, predict in beside.items():
                tables[name].append(predict(inputs.cpu().numpy()))
            true.append(_numbers(targets).reshape(len(targets), -1))
            said += [predicted["class"].cpu()] if not regression else []
    return np.concatenate(true), torch.cat(said), {name: np.concatenate(parts) for name, parts in tables.items()}


def _half_widths(calibration: Calibration | None) -> list[float] | None:
    try:
        return None if calibration is None else half_widths(calibration, 0.9)
    except ValueError:  # of too few rows
        return None


def unequal_classes(model: Any, judged: Judged) -> str | None:
    """Return a line on a rare class of two that the model may miss for want of a threshold; None if all is well."""
    classes = judged.classes or {}
    rows = sum(line[3] for line in classes.values())
    if len(classes) != 2 or not rows or getattr(model, "hparams", {}).get("threshold") != 0.5:
        return None
    name, (_, recall, _, count) = min(classes.items(), key=lambda item: item[1][3])
    if count >= RARE * rows or recall > FOUND:
        return None
    return (
        f"{count / rows:.0%} of the rows are {shown(name)!r}, and {1 - recall:.0%} of them are missed; "
        "--model.threshold balanced_accuracy (or f1) chooses by validation rows from which probability on a row is one"
    )


def _numbers(part: torch.Tensor) -> Numbers:
    return part.detach().cpu().double().numpy()


def _some_rows(data: TabularDataModule) -> tuple[NDArray[np.float32], Numbers]:
    products = data.in_features * (1 if data.task == "regression" else data.num_classes)
    wanted, x, y = max(1_000, min(VALUES // data.in_features, PRODUCTS // products)), [], []
    for inputs, targets in data.prepared_rows("train"):
        x.append(inputs.cpu().numpy())
        y.append(_numbers(targets))
        wanted -= len(inputs)
        if wanted <= 0:
            break
    whole = np.concatenate(y)
    return np.concatenate(x), whole[:, None] if data.task == "regression" and whole.ndim == 1 else whole


def _linear(x: NDArray[np.float32], y: Numbers, data: TabularDataModule) -> Any:
    from sklearn.compose import make_column_transformer
    from sklearn.linear_model import LinearRegression, LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder

    codes = list(range(x.shape[1] - len(data.embeddings or []), x.shape[1]))  # of categories that the net embeds
    one_hot = (OneHotEncoder(handle_unknown="ignore"), codes)
    steps = [make_column_transformer(one_hot, remainder="passthrough")] if codes else []
    if data.task == "regression":
        fitted = make_pipeline(*steps, LinearRegression()).fit(x.astype(np.float64), y)
        return lambda rows: fitted.predict(rows.astype(np.float64)).reshape(len(rows), -1)
    classes = np.unique(y).astype(np.int64)
    if len(classes) < 2:
        return lambda rows: np.broadcast_to(np.eye(data.num_classes)[classes[0]], (len(rows), data.num_classes))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that 1,000 steps were not enough
        fitted = make_pipeline(*steps, LogisticRegression(max_iter=1000)).fit(x.astype(np.float64), y)

    def proba(rows: NDArray[np.float32]) -> NDArray[np.float32]:
        whole = np.zeros((len(rows), data.num_classes), np.float32)
        whole[:, classes] = fitted.predict_proba(rows.astype(np.float64))
        return whole

    return proba


def _of_values(y: Numbers, found: Numbers, names: list[str], halves: list[float] | None) -> dict[str, float]:
    metrics = {}
    for place, name in enumerate(names):
        error, spread = found[:, place] - y[:, place], ((y[:, place] - y[:, place].mean()) ** 2).sum()
        of = f" {name}" if len(names) > 1 else ""
        metrics[f"rmse{of}"] = float(np.sqrt((error**2).mean()))
        metrics[f"mae{of}"] = float(np.abs(error).mean())
        metrics[f"r2{of}"] = float(1 - (error**2).sum() / spread) if spread else float("nan")
        if halves is not None:
            metrics[f"interval_90{of}"] = halves[place]
            metrics[f"within_90{of}"] = float((np.abs(error) <= halves[place]).mean())
    return metrics


def _of_classes(y: NDArray[np.int64], proba: NDArray[Any], found: NDArray[np.int64]) -> dict[str, float]:
    there = np.unique(y)
    right = found == y
    own = np.clip(
        proba[np.arange(len(y)), y].astype(np.float64) / proba.sum(1, dtype=np.float64), np.finfo(np.float32).eps, 1
    )
    judged = [1] if proba.shape[1] == 2 else [c for c in there if (y != c).any()]
    areas = [_area(y == c, proba[:, c]) for c in judged] if len(there) > 1 and len(judged) <= MOST_AREAS else []
    return {
        "accuracy": float(right.mean()),
        "balanced_accuracy": float(np.mean([right[y == c].mean() for c in there])),
        "log_loss": float(-np.log(own).mean()),
        "calibration_error": _calibration_error(y, proba) if np.isfinite(own).all() else float("nan"),
        "roc_auc": float(np.mean(areas)) if areas else float("nan"),
    }


def _calibration_error(y: NDArray[np.int64], proba: NDArray[Any]) -> float:
    # In 15 bins of probabilities (of two classes of the second, of more of the likeliest): how far their mean lies from
    # the share of rows that have the class, weighted by rows.
    proba = proba / proba.sum(1, keepdims=True)
    binary = proba.shape[1] == 2
    said, true = (proba[:, 1], y == 1) if binary else (proba.max(1), proba.argmax(1) == y)
    return float(np.abs(np.bincount(np.minimum(15 * said, 14).astype(np.int64), said - true)).sum() / len(y))


def _area(positive: NDArray[np.bool_], score: NDArray[Any]) -> float:
    # By ranks, those of equal scores shared: the share of pairs that are in the right order.
    _, place, counts = np.unique(score, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[place]
    count = int(positive.sum())
    return float((ranks[positive].sum() - count * (count + 1) / 2) / (count * (len(positive) - count)))
