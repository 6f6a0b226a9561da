"""From the columns of a table, as numbers, to what a net gets: scaled, filled, one-hot, codes for embeddings."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from torchann.nets.column import Column

MAX_WIDTH = 20_000  # numbers per prepared row, so that no file makes a prediction fill the memory


class TableColumns(nn.Module):
    """Prepares rows that :func:`~torchann.data.tables.columns.encode` made of a table.

    A row becomes, in this order: numbers, truth values and dates less their mean, in standard deviations, 0 where they
    are missing; sine and cosine of each date by its periods; 1 for each value that is missing, of columns where
    training rows lacked some; one-hot categories, with a place for missing ones where training rows lacked some, all 0
    for an unseen one; and the codes of the categories that the net embeds, where one more code than there are
    categories stands for missing and unseen ones.

    Args:
        columns: of the table, in the order of the rows.
        mean: of each column, ``(columns,)``, a floating dtype, in which is computed; 0 for categories.
        std: standard deviations above 0, ``(columns,)``; 1 for categories.
        missing_values: texts, in small letters, that stand for no value.
        default_missing: whether the usual texts, such as NA, stand for none, too.

    Attributes:
        table: the columns.
        out_features: numbers per prepared row.
        embeddings: of the last columns of a prepared row, each ``[codes, size]``.

    Raises:
        ValueError: if the parts do not go together, or rows would become too wide.

    Example:
        >>> columns = [Column("age", "number", missing=True), Column("city", "category", categories=["Paris", "Rome"])]
        >>> step = TableColumns(columns, torch.tensor([40.0, 0.0]), torch.tensor([10.0, 1.0]))
        >>> step(torch.tensor([[50.0, 1.0], [torch.nan, 0.0], [40.0, -1.0]]))  # the last city is in no training row
        tensor([[1., 0., 0., 1.],
                [0., 1., 1., 0.],
                [0., 0., 0., 0.]])
    """

    options: tuple[str, ...] = ("columns", "missing_values", "default_missing")
    mean: Tensor
    std: Tensor

    def __init__(
        self,
        columns: Sequence[Column | Mapping[str, Any]],
        mean: Tensor,
        std: Tensor,
        missing_values: Sequence[str] = (),
        default_missing: bool = True,
    ) -> None:
        super().__init__()
        self.table: list[Column] = [column if isinstance(column, Column) else _column(column) for column in columns]
        if not self.table or mean.shape != (len(self.table),) or std.shape != mean.shape or mean.dtype != std.dtype:
            got = (
                f"{len(self.table)} columns, mean {tuple(mean.shape)} {mean.dtype}, std {tuple(std.shape)} {std.dtype}"
            )
            raise ValueError(f"{got}; give a mean and a deviation for each column, of one dtype")
        if not (mean.is_floating_point() and mean.isfinite().all() and std.isfinite().all() and (std > 0).all()):
            raise ValueError(f"mean {mean.dtype} and std must be finite floats and std above 0")
        if len({column.name for column in self.table}) < len(self.table):
            raise ValueError("a column's name comes twice")
        if not all(type(text) is str for text in missing_values):
            raise ValueError(f"missing_values are {list(missing_values)!r:.80}; give texts")
        if type(default_missing) is not bool:
            raise ValueError(f"default_missing is {default_missing!r:.80}; give true or false")
        self.missing_values: list[str] = list(missing_values)
        self.default_missing: bool = default_missing
        self.register_buffer("mean", mean)
        self.register_buffer("std", std)
        parts = list(enumerate(self.table))
        self._scaled = [place for place, column in parts if column.kind != "category"]
        self._waves = [(place, days) for place, column in parts for days in column.periods]
        self._indicators = [place for place, column in parts if column.missing and column.kind != "category"]
        self._hot = [place for place, column in parts if column.kind == "category" and not column.embedding]
        self._embedded = [place for place, column in parts if column.embedding]
        widths = [len(self.table[place].categories) + self.table[place].missing for place in self._hot]
        self._hot_starts = [sum(widths[:number]) for number in range(len(widths))]
        self._hot_width = sum(widths)
        self.embeddings: list[list[int]] = [
            [len(self.table[p].categories) + 1, self.table[p].embedding] for p in self._embedded
        ]
        plain = len(self._scaled) + 2 * len(self._waves) + len(self._indicators)
        self.out_features: int = plain + self._hot_width + len(self._embedded)
        if self.out_features > MAX_WIDTH:
            raise ValueError(f"a row would become {self.out_features:,} numbers, more than {MAX_WIDTH:,}; embed more")

    @property
    def columns(self) -> list[dict[str, Any]]:
        """The columns as plain values."""
        return [column.describe() for column in self.table]

    def check(self, x: Tensor) -> None:
        """Raises unless ``x`` has these columns."""
        if x.ndim != 2 or x.shape[1] != len(self.table):
            raise ValueError(f"inputs of shape {tuple(x.shape)}; give raw rows (rows, {len(self.table)})")

    def forward(self, x: Tensor) -> Tensor:
        """What a net gets, ``(rows, out_features)`` float32, of rows ``(rows, columns)`` as numbers."""
        x = x.to(self.mean.dtype)
        z = (x - self.mean.to(x.device)).div_(self.std.to(x.device)).float()
        z = z.nan_to_num_(0.0, torch.inf, -torch.inf)
        if len(self._scaled) == len(self.table) and not self._waves and not self._indicators:
            return z
        gone = x.isnan()
        parts = [z[:, self._scaled]]
        for place, days in self._waves:
            angle = (x[:, place] * x.new_tensor(2 * torch.pi / days)).nan_to_num()[:, None]  # see Waves
            here = ~gone[:, place, None]
            parts += [angle.sin() * here, angle.cos() * here]
        parts.append(gone[:, self._indicators])
        parts.append(self._one_hot(x[:, self._hot], gone[:, self._hot]))
        codes, others = x[:, self._embedded], [size - 1 for size, _ in self.embeddings]
        unknown = torch.tensor(others, dtype=x.dtype, device=x.device)
        parts.append(torch.where((codes >= 0) & (codes < unknown), codes, unknown))
        return torch.cat([part.float() for part in parts], 1)

    def _one_hot(self, codes: Tensor, gone: Tensor) -> Tensor:
        hot = [self.table[place] for place in self._hot]
        counts = codes.new_tensor([len(column.categories) for column in hot])
        starts = codes.new_tensor(self._hot_starts)
        lacked = torch.tensor([column.missing for column in hot], dtype=torch.bool, device=codes.device)
        nowhere = codes.new_tensor(self._hot_width)  # a place that is cut off
        place = torch.where((codes >= 0) & (codes < counts), codes + starts, nowhere)
        place = torch.where(gone & lacked, starts + counts, place)
        ones = torch.zeros(codes.shape[0], self._hot_width + 1, device=codes.device)  # no len: an export keeps it
        return ones.scatter(1, place.long(), 1.0)[:, : self._hot_width]


def _column(described: Mapping[str, Any]) -> Column:
    if not isinstance(described, Mapping):
        raise ValueError(f"a column is {described!r:.80}; wanted a name, a kind and so on")
    return Column(**described)
