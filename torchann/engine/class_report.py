"""How well each class is told from the others: scikit-learn's classification report of a stage's rows."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from tabulate import tabulate
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.classification import MulticlassStatScores, MultilabelStatScores

MOST_CLASSES = 20
"""Lines of a report that is shown; of more classes those with the lowest F1."""
HEAD = ("precision", "recall", "f1", "rows")


class ClassCounts(Metric):
    """Counts of right and wrong rows by class, of probabilities and targets.

    Args:
        task: binary, multiclass or multilabel.
        size: classes or labels.

    Example:
        >>> counts = ClassCounts("binary", 2)
        >>> counts.update(torch.tensor([0.9, 0.2, 0.7]), torch.tensor([1, 0, 0]))
        >>> print(ClassReport.of(counts.compute(), ["no", "yes"]))
                         precision    recall     f1    rows
        no                   1.000     0.500  0.667       2
        yes                  0.500     1.000  0.667       1
        macro mean           0.750     0.750  0.667       3
        weighted mean        0.833     0.667  0.667       3
    """

    threshold = 0.5

    def __init__(self, task: str, size: int) -> None:
        super().__init__()
        kind = MultilabelStatScores if task == "multilabel" else MulticlassStatScores
        size = 2 if task == "binary" else size
        self.of: Metric = kind(size, average=None, validate_args=False)

    def update(self, preds: Tensor, target: Tensor) -> None:
        """Take rows: probabilities of each class or label, or of the second of two."""
        of_two = preds.ndim == 1
        self.of.update((preds > self.threshold).long() if of_two else preds, target)

    def compute(self) -> Tensor:
        """Return true positives, false positives, true negatives, false negatives and rows, ``(classes, 5)``."""
        counts: Tensor = self.of.compute()
        return counts.reshape(-1, 5)

    def reset(self) -> None:
        """Forget all rows."""
        super().reset()
        self.of.reset()


@dataclass(frozen=True)
class ClassReport:
    """Precision, recall, F1 and rows of each class, and their means; print it.

    Attributes:
        classes: by name, in the order of the classes.
        means: of the classes (``macro mean``), and by their rows (``weighted mean``).
    """

    classes: dict[str, list[float]]
    means: dict[str, list[float]]

    @classmethod
    def of(cls, counts: Tensor, names: Sequence[str]) -> "ClassReport":
        """Return the report of counts.

        Args:
            counts: of :class:`ClassCounts`.
            names: of the classes.
        """
        right, wrong, _, missed, rows = counts.double().cpu().unbind(1)
        parts = [right / (right + wrong), right / rows, 2 * right / (2 * right + wrong + missed)]
        table = torch.stack([*(part.nan_to_num(0.0) for part in parts), rows], 1)
        return cls.of_lines(dict(zip(names, table.tolist(), strict=True)))

    @classmethod
    def of_lines(cls, classes: dict[str, list[float]]) -> "ClassReport":
        """Return the report of each class's precision, recall, F1 and rows."""
        table = torch.tensor(list(classes.values()), dtype=torch.float64).reshape(-1, len(HEAD))
        rows = table[:, 3]
        weights = {"macro mean": torch.ones_like(rows), "weighted mean": rows}
        means = {
            name: [*((table[:, :3].T @ weight) / weight.sum()).tolist(), float(rows.sum())]
            for name, weight in weights.items()
        }
        return cls(classes, means)

    @property
    def rows(self) -> list[list[str]]:
        """The table's lines: of each class, or of the twenty with the lowest F1, and of the means."""
        shown = list(self.classes.items())
        if len(shown) > MOST_CLASSES:
            shown = sorted(shown, key=lambda item: item[1][2])[:MOST_CLASSES]
        lines = [*shown, *self.means.items()]
        return [[name, *(f"{x:.3f}" for x in line[:3]), f"{line[3]:,.0f}"] for name, line in lines]

    def __str__(self) -> str:
        right = ("left", *("right" for _ in HEAD))
        more = len(self.classes) - MOST_CLASSES
        note = f"\n({more:,} classes with a higher F1 left out)" if more > 0 else ""
        return str(tabulate(self.rows, ["", *HEAD], "plain", colalign=right, disable_numparse=True)) + note


def class_counts(predicted: Tensor, y: Tensor, num_classes: int) -> Tensor:
    """Return the counts of classes ``(rows,)`` that were predicted beside the true ones, ``(classes, 5)``."""
    counts = MulticlassStatScores(num_classes, average=None, validate_args=False)
    counts.update(predicted, y)
    found: Tensor = counts.compute()
    return found.reshape(-1, 5)
