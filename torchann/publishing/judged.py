"""How well a model does beside a trivial and a linear one: the metrics of its end of fit, and how they are shown."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from tabulate import tabulate

from torchann.data.tables.columns import shown
from torchann.engine.class_report import HEAD, ClassReport
from torchann.nets.readable import Readable, in_digits
from torchann.publishing.markdown import code, table
from torchann.tasks.interval import Calibration, check_calibration

LABELS = {
    "rmse": "RMSE",
    "mae": "MAE",
    "r2": "R2",
    "interval_90": "90 % interval ±",
    "within_90": "share within",
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "log_loss": "log loss",
    "calibration_error": "calibration error",
    "roc_auc": "ROC AUC",
}
MODELS = ("net", "mean", "commonest", "linear")
MOST = 10_000  # metrics that a file may hold


@dataclass(frozen=True, repr=False)
class Judged(Readable):
    """Metrics of a model, of one that predicts the same for each row, and of a linear one, on the same rows.

    Attributes:
        part: test or validation.
        rows: number of rows that were judged by.
        linear_rows: number of training rows that the linear model was fitted on.
        metrics: by model (``"net"``, ``"mean"`` or ``"commonest"``, ``"linear"``), then by name; those of several
            targets as ``"rmse NAME"``; in the target's unit. None for what is not finite.
        classes: of each class the net's precision, recall, F1 and rows; None where there are no classes.
        calibration: residuals of the net on the validation rows, which intervals are made of; None for classes.

    Example:
        >>> metrics = {"net": {"rmse": 61234.5, "r2": 0.75}, "mean": {"rmse": 122000.0, "r2": 0.0}}
        >>> print(Judged("test", 24, 72, metrics))
        on 24 test rows     net     mean
        RMSE             61,234  122,000
        R2                 0.75        0
    """

    part: str
    rows: int
    linear_rows: int
    metrics: dict[str, dict[str, float | None]]
    classes: dict[str, list[float]] | None = None
    calibration: Calibration | None = None

    def describe(self) -> dict[str, Any]:
        """Return plain values, for a file."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    @classmethod
    def from_plain(cls, value: Any) -> "Judged":
        """Return what :meth:`describe` told of.

        Raises:
            ValueError: if it is nothing of the kind, as in a file that was tampered with.
        """
        known_fields, optional = set(cls.__dataclass_fields__), {"classes", "calibration"}
        given = value if type(value) is dict and known_fields - optional <= set(value) <= known_fields else {}
        parts = given.get("metrics")
        by_model = list(parts.values()) if type(parts) is dict else []
        whole = bool(by_model) and all(type(part) is dict for part in by_model)
        cells = [item for part in by_model if whole for item in part.items()]
        numbers = all(type(name) is str and type(number) in (int, float, type(None)) for name, number in cells)
        counts = all(type(given.get(count)) is int and given[count] >= 0 for count in ("rows", "linear_rows"))
        known = type(parts) is dict and set(parts) <= {"net", "mean", "commonest", "linear"}
        if (
            not by_model
            or not known
            or not all(type(part) is dict for part in by_model)
            or not numbers
            or len(cells) > MOST
        ):
            raise ValueError(f"the metrics are {value!r:.80}; wanted numbers by model and name")
        if not counts or given["part"] not in ("test", "validation"):
            raise ValueError(f"the metrics are of {given['part']!r:.40} rows; wanted test or validation, and how many")
        classes = given.get("classes")
        lines = list(classes.values()) if type(classes) is dict else []
        whole = classes is None or (type(classes) is dict and all(type(name) is str for name in classes))
        if not whole or not all(
            type(line) is list and len(line) == len(HEAD) and all(type(x) in (int, float) for x in line)
            for line in lines
        ):
            raise ValueError(f"the metrics of classes are {classes!r:.80}; wanted {len(HEAD)} numbers for each class")
        if given.get("calibration") is not None:
            check_calibration(given["calibration"])
        return cls(**given)

    @property
    def report(self) -> ClassReport | None:
        """Precision, recall, F1 and rows of each class; None where there are none."""
        if self.classes is None:
            return None
        return ClassReport.of_lines({shown(name): line for name, line in self.classes.items()})

    def _rows(self) -> list[list[str]]:
        names = dict.fromkeys(name for part in self.metrics.values() for name in part)
        return [[_label(name), *(_number(part.get(name)) for part in self.metrics.values())] for name in names]

    @property
    def _head(self) -> str:
        return f"on {self.rows:,} {self.part} row{'s' * (self.rows != 1)}"

    def __str__(self) -> str:
        head = [self._head, *self.metrics]
        right = ("left", *("right" for _ in self.metrics))
        whole = str(tabulate([head, *self._rows()], tablefmt="plain", colalign=right, disable_numparse=True))
        return whole if self.report is None else f"{whole}\n\n{self.report}"

    @property
    def markdown(self) -> str:
        """The same as tables of Markdown."""
        whole = table([self._head, *self.metrics], [[code(name), *cells] for name, *cells in self._rows()])
        if self.report is None:
            return whole
        return f"{whole}\n\n{table(['', *HEAD], [[code(name), *cells] for name, *cells in self.report.rows])}"


def _label(name: str) -> str:
    metric, _, target = name.partition(" ")
    return f"{LABELS.get(metric, shown(metric))} {shown(target)}".strip()


def _number(value: float | None) -> str:
    return "-" if value is None else in_digits(value)


def judged_of(model: Any) -> Judged | None:
    """Return the metrics that a model has from the end of its fit, None if it has none."""
    told: Mapping[str, Any] | None = getattr(model, "judged", None)
    return None if told is None else Judged.from_plain(dict(told))
