"""Encodings of numbers: the parts of :class:`~torchann.nets.number_encoding.NumberEncoding`.

All take standardised columns ``(rows, columns)`` and return ``(rows, width)`` of the same dtype.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from torchann.nets.waves import Waves

MAX_KNOTS = 2**16 + 1
FAR = 1e9  # the clip has reached its bound long before, and the square is finite


class StandardNumbers(nn.Module):
    """Columns as they are: in standard deviations from the mean.

    Args:
        columns: number of columns.

    Attributes:
        width: numbers per encoded row.
    """

    def __init__(self, columns: int) -> None:
        super().__init__()
        self.width = columns

    def forward(self, z: Tensor) -> Tensor:
        """Return the columns."""
        return z


class RobustNumbers(nn.Module):
    r"""Columns less their median, in interquartile ranges, bent so that outliers end at 3, as RealMLP has them.

    .. math:: u = \frac{z - m}{s}, \quad \frac{u}{\sqrt{1 + (u / 3)^2}}

    Args:
        columns: number of columns.
        center: medians, ``(columns,)``.
        scale: interquartile ranges above 0, ``(columns,)``.

    Attributes:
        width: numbers per encoded row.

    Raises:
        ValueError: if a tensor has another shape, is not finite, or a scale is not above 0.

    Example:
        >>> RobustNumbers(1, torch.tensor([1.0]), torch.tensor([0.5]))(torch.tensor([[1.0], [3.0], [1e6]]))
        tensor([[0.0000],
                [2.4000],
                [3.0000]])
    """

    center: Tensor
    scale: Tensor

    def __init__(self, columns: int, center: Tensor, scale: Tensor) -> None:
        super().__init__()
        check_tensor("center", center, (columns,))
        check_tensor("scale", scale, (columns,))
        if not (scale > 0).all():
            raise ValueError("a scale is not above 0; give interquartile ranges, and 1 where all values are one")
        self.register_buffer("center", center)
        self.register_buffer("scale", scale)
        self.width = columns

    def forward(self, z: Tensor) -> Tensor:
        """Return numbers from -3 to 3."""
        u = ((z - self.center.to(z)) / self.scale.to(z)).clamp(-FAR, FAR)
        third = u / 3
        return u / (third * third + 1).sqrt()


class QuantileNumbers(nn.Module):
    """Columns by rank, as normally distributed numbers: linear between knots, and constant outside of them.

    Args:
        columns: number of columns.
        knots: values, ``(columns, 2**n + 1)``, each row rising or equal.
        values: what they become, of the same shape.

    Attributes:
        width: numbers per encoded row.

    Raises:
        ValueError: if a tensor has another shape or is not finite, or the knots fall.

    Example:
        >>> part = QuantileNumbers(1, torch.tensor([[0.0, 1.0, 9.0]]), torch.tensor([[-2.0, 0.0, 2.0]]))
        >>> part(torch.tensor([[-7.0], [0.5], [5.0], [70.0]])).flatten()
        tensor([-2., -1.,  1.,  2.])
    """

    knots: Tensor
    values: Tensor

    def __init__(self, columns: int, knots: Tensor, values: Tensor) -> None:
        super().__init__()
        size = knots.shape[-1] - 1 if knots.ndim else 0
        if not 1 <= size < MAX_KNOTS or size & (size - 1):
            raise ValueError(f"knots have the shape {tuple(knots.shape)}; give 2, 3, 5, 9, ... to {MAX_KNOTS} a column")
        check_tensor("knots", knots, (columns, size + 1))
        check_tensor("values", values, (columns, size + 1))
        if not (knots.diff() >= 0).all():
            raise ValueError("knots fall; give them in rising order")
        self.register_buffer("knots", knots)
        self.register_buffer("values", values)
        self.width = columns

    def forward(self, z: Tensor) -> Tensor:
        """Return normal quantiles."""
        knots, values = self.knots.to(z), self.values.to(z)
        z = torch.minimum(torch.maximum(z, knots[:, 0]), knots[:, -1])
        columns, half = knots.shape[0], knots.shape[1] - 1
        flat, levels = knots.flatten(), values.flatten()
        # A binary search written out, as ONNX has none: the knot on the left of each number.
        at = (torch.arange(columns, device=z.device) * knots.shape[1]).expand_as(z)
        while half > 1:
            half //= 2
            at = torch.where(z >= flat[at + half], at + half, at)
        left, low = flat[at], levels[at]
        gap = flat[at + 1] - left
        share = torch.where(gap > 0, (z - left) / torch.where(gap > 0, gap, torch.ones_like(gap)), 0.0)
        return low + share * (levels[at + 1] - low)


class PiecewiseNumbers(nn.Module):
    r"""Piecewise linear encoding (Gorishniy et al. 2022): a number per bin, which says how far into it a value lies.

    .. math:: \frac{z - b_{t}}{b_{t+1} - b_{t}}, \text{ from 0 to 1; in the first bin not below, in the last not above}

    Args:
        columns: number of columns.
        bins: number of bins of each column.
        edges: of the bins, rising, one more than bins for each column, one column after the other.

    Attributes:
        width: numbers per encoded row: the bins of all columns.

    Raises:
        ValueError: if the bins do not go with the columns or the edges, or edges do not rise.

    Example:
        >>> part = PiecewiseNumbers(1, [3], torch.tensor([0.0, 1.0, 3.0, 4.0]))
        >>> part(torch.tensor([[-1.0], [2.0], [6.0]]))
        tensor([[-1.0000,  0.0000,  0.0000],
                [ 1.0000,  0.5000,  0.0000],
                [ 1.0000,  1.0000,  3.0000]])
    """

    edges: Tensor

    def __init__(self, columns: int, bins: Sequence[int], edges: Tensor) -> None:
        super().__init__()
        bins = list(bins)
        if len(bins) != columns or not all(type(count) is int and count >= 1 for count in bins):
            raise ValueError(f"bins are {bins!r:.80}; give a whole number from 1 for each of {columns} columns")
        self.width = sum(bins)
        check_tensor("edges", edges, (self.width + columns,))
        self.register_buffer("edges", edges)
        ends = [sum(bins[: place + 1]) + place for place in range(columns)]  # of each column's edges
        starts = sorted(set(range(len(edges))) - set(ends))
        self._left, self._right = starts, [place + 1 for place in starts]
        if not (edges[self._right] > edges[self._left]).all():
            raise ValueError("edges of bins do not rise; give each once, in rising order")
        self._source = [place for place, count in enumerate(bins) for _ in range(count)]
        first = [bin_ == 0 for count in bins for bin_ in range(count)]
        last = [bin_ == count - 1 for count in bins for bin_ in range(count)]
        self.register_buffer("low", torch.tensor([-torch.inf if open_ else 0.0 for open_ in first]), persistent=False)
        self.register_buffer("high", torch.tensor([torch.inf if open_ else 1.0 for open_ in last]), persistent=False)

    low: Tensor
    high: Tensor

    def forward(self, z: Tensor) -> Tensor:
        """Return the bins of the first column, then those of the second, ..."""
        edges = self.edges.to(z)
        left = edges[self._left]
        share = (z[:, self._source] - left) / (edges[self._right] - left)
        return torch.minimum(torch.maximum(share, self.low.to(z)), self.high.to(z))


class WaveNumbers(nn.Module):
    """Sine and cosine of the columns in octaves, without the columns: see :class:`~torchann.nets.waves.Waves`.

    Args:
        columns: number of columns.
        octaves: of waves, from a half turn for each two standard deviations on.

    Attributes:
        width: numbers per encoded row.

    Raises:
        ValueError: for more octaves or waves than there can be.

    Example:
        >>> WaveNumbers(1, octaves=1)(torch.tensor([[0.5]]))  # sine and cosine of a quarter of pi
        tensor([[0.7071, 0.7071]])
    """

    def __init__(self, columns: int, octaves: int) -> None:
        super().__init__()
        self.waves = Waves(range(columns), octaves)
        self.width = 2 * columns * octaves

    def forward(self, z: Tensor) -> Tensor:
        """Return for each octave the sines of all columns, then their cosines."""
        waves: Tensor = self.waves(z)
        return waves[:, -self.width :]


def check_tensor(name: str, value: Tensor, shape: tuple[int, ...]) -> None:
    """Raise ValueError unless a tensor has a shape and finite floats."""
    if value.shape != shape or not value.is_floating_point() or not value.isfinite().all():
        got = f"{name} {tuple(value.shape)} {value.dtype}"
        raise ValueError(f"{got}; give finite floats of the shape {shape}")


NumberPart = StandardNumbers | RobustNumbers | QuantileNumbers | PiecewiseNumbers | WaveNumbers
NUMBER_PARTS: dict[str, type[NumberPart]] = {
    "standard": StandardNumbers,
    "robust": RobustNumbers,
    "quantile": QuantileNumbers,
    "piecewise": PiecewiseNumbers,
    "waves": WaveNumbers,
}
"""The encodings by the names that files know them by."""
