"""The rows that all networks of a population share."""

from typing import NamedTuple

import torch
from torch import Tensor


class SharedRows(NamedTuple):
    """Inputs and targets, of which each network takes rows by number.

    Attributes:
        x: ``(rows, in_features + 1)``, the last column ones; float32 or float64, in which all is worked out.
        y: ``(rows, out_features)``, the same dtype; of classes 0 or 1 in a column each, two classes in one column.
    """

    x: Tensor
    y: Tensor

    @classmethod
    def of(cls, x: Tensor, y: Tensor) -> "SharedRows":
        """Copies rows and puts the ones beside them.

        Args:
            x: inputs, ``(rows, in_features)``, float32 or float64.
            y: targets, ``(rows,)`` or ``(rows, out_features)``, numbers.

        Raises:
            ValueError: if the shapes do not go together.

        Example:
            >>> SharedRows.of(torch.tensor([[3.0], [4.0]]), torch.tensor([5, 6]))
            Table(x=tensor([[3., 1.],
                    [4., 1.]]), y=tensor([[5.],
                    [6.]]))
        """
        if x.ndim != 2 or y.ndim not in (1, 2) or len(y) != len(x):
            raise ValueError(
                f"x {tuple(x.shape)} and y {tuple(y.shape)} do not fit together; "
                "give (rows, in_features) and (rows,) or (rows, out_features)"
            )
        return cls(torch.cat([x, x.new_ones(len(x), 1)], 1), y.to(x.dtype).reshape(len(y), -1).clone())

    def to(self, device: torch.device | str) -> "SharedRows":
        """The same rows on a device."""
        return SharedRows(self.x.to(device), self.y.to(device))

    def take(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Gathers batches.

        Args:
            rows: numbers, ``(..., count, batch)``.

        Returns:
            Inputs ``(..., count, batch, in_features + 1)`` and targets ``(..., count, out_features, batch)``.
        """
        flat = rows.reshape(-1)
        x = self.x.index_select(0, flat).view(*rows.shape, -1)
        if self.y.shape[1] == 1:  # a vector is gathered three times as fast
            return x, self.y.view(-1).index_select(0, flat).view(rows.shape).unsqueeze(-2)
        return x, self.y.index_select(0, flat).view(*rows.shape, -1).mT.contiguous()
