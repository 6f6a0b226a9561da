"""From a table's standardised numbers to several views of them, which a net learns from more easily."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from torchann.nets.number_parts import NUMBER_PARTS
from torchann.nets.table_columns import MAX_WIDTH


class NumberEncoding(nn.Module):
    """Encodes the first columns of prepared rows and keeps the others behind them.

    It stands behind :class:`~torchann.nets.table_columns.TableColumns`, whose rows begin with the standardised numbers
    and end with the codes that a net embeds. :func:`~torchann.data.tables.number_encodings.fit_number_encoding` makes
    it from training rows.

    Args:
        count: number of columns that are encoded: the first ones.
        parts: what becomes of them, in the order of the output; each says its ``kind`` (standard, robust, quantile,
            piecewise or waves), its ``columns`` and the options of its class in
            :mod:`~torchann.nets.number_parts`. A column may be in several parts, or in none.
        behind: number of columns behind them, which are kept.
        tensors: of the parts, each behind ``encoders.`` and the number of its part.

    Attributes:
        out_features: numbers per encoded row.

    Raises:
        ValueError: for an unknown kind or column, tensors that do not suit the parts, or rows that become too wide.

    Example:
        >>> parts = [{"kind": "standard", "columns": [0, 1]}, {"kind": "waves", "columns": [1], "octaves": 1}]
        >>> NumberEncoding(2, parts, behind=1)(torch.tensor([[3.0, 0.5, 7.0]]))
        tensor([[3.0000, 0.5000, 0.7071, 0.7071, 7.0000]])
    """

    options: tuple[str, ...] = ("count", "parts", "behind")

    def __init__(self, count: int, parts: Sequence[Mapping[str, Any]], behind: int = 0, **tensors: Tensor) -> None:
        super().__init__()
        for name, value in (("count", count), ("behind", behind)):
            if type(value) is not int or not 0 <= value <= MAX_WIDTH:
                raise ValueError(f"{name} is {value!r:.80}; give a whole number from 0 to {MAX_WIDTH:,}")
        self.count, self.behind = count, behind
        self.out_features: int = behind
        self.parts: list[dict[str, Any]] = []
        self.encoders = nn.ModuleList()
        for number, part in enumerate(parts):
            start = f"encoders.{number}."
            own = {name.removeprefix(start): tensors.pop(name) for name in list(tensors) if name.startswith(start)}
            encoder = _encoder(count, part, own)
            self.out_features += encoder.width
            if self.out_features > MAX_WIDTH:
                raise ValueError(f"a row would become more than {MAX_WIDTH:,} numbers; give fewer parts or bins")
            self.parts.append(dict(part))
            self.encoders.append(encoder)
        if tensors or not self.encoders:
            raise ValueError(f"{len(self.encoders)} parts and no part of tensors {sorted(tensors)}; give at least one")

    def check(self, x: Tensor) -> None:
        """Raise ValueError unless ``x`` has these columns."""
        if x.ndim != 2 or x.shape[1] != self.count + self.behind:
            raise ValueError(f"inputs of shape {tuple(x.shape)}; give rows (rows, {self.count + self.behind})")

    def forward(self, x: Tensor) -> Tensor:
        """Return encoded rows ``(rows, out_features)`` of prepared rows ``(rows, count + behind)``, both float32."""
        self.check(x)  # behind another step, which a file may name wrongly
        views = [self.encoders[number](x[:, part["columns"]]) for number, part in enumerate(self.parts)]
        return torch.cat([*views, x[:, self.count :]], 1)


def _encoder(count: int, part: Any, tensors: dict[str, Tensor]) -> Any:
    kind: Any = NUMBER_PARTS.get(str(part.get("kind"))) if isinstance(part, Mapping) else None
    if kind is None:
        raise ValueError(f"a part is {part!r:.80}; give one of kind {', '.join(NUMBER_PARTS)}")
    columns = part.get("columns")
    listed = isinstance(columns, list) and 0 < len(columns) == len(set(map(str, columns)))
    if not listed or not all(type(column) is int and 0 <= column < count for column in columns):
        raise ValueError(f"columns are {columns!r:.80}; give numbers of columns from 0 to {count - 1}, each once")
    options = {name: value for name, value in part.items() if name not in ("kind", "columns")}
    try:
        return kind(len(columns), **options, **tensors)
    except TypeError as error:
        raise ValueError(f"part {part!r:.80} with tensors {sorted(tensors)}: {error}") from None
