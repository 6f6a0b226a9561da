"""Sine and cosine of numbers, in octaves: a net tells apart what lies close together."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

MAX_FREQUENCIES = 52  # float64 has 52 digits behind the point: further waves are noise
MAX_WAVES = 1000  # so that no file makes a prediction fill the memory


class Waves(nn.Module):
    r"""Appends sines and cosines of some columns, so that a net can tell apart what lies close together.

    .. math:: \sin(\tfrac{\pi}{2} 2^k z), \cos(\tfrac{\pi}{2} 2^k z), \quad k = 0, 1, \ldots

    Args:
        columns: whose waves are appended.
        frequencies: how many; each appends the sines of all columns, then the cosines.

    Raises:
        ValueError: if there are no such columns or frequencies.

    Example:
        >>> Waves([1], frequencies=1)(torch.tensor([[0.0, 0.5]]))  # sine and cosine of a quarter of pi
        tensor([[0.0000, 0.5000, 0.7071, 0.7071]])
    """

    options: tuple[str, ...] = ("columns", "frequencies")
    columns: list[int]
    frequencies: int

    def __init__(self, columns: Sequence[int], frequencies: int) -> None:
        super().__init__()
        self.columns, self.frequencies = list(columns), frequencies
        if not self.columns or not all(type(column) is int and column >= 0 for column in self.columns):
            raise ValueError(f"columns are {self.columns}; give column numbers from 0, at least one")
        if type(frequencies) is not int or not 1 <= frequencies <= MAX_FREQUENCIES:
            raise ValueError(f"frequencies is {frequencies}; give a whole number from 1 to {MAX_FREQUENCIES}")
        if 2 * len(self.columns) * frequencies > MAX_WAVES:
            got = f"{len(self.columns)} columns with {frequencies} frequencies"
            raise ValueError(f"{got}; give fewer than {MAX_WAVES} waves")

    def check(self, x: Tensor) -> None:
        """Raises unless ``x`` has those columns."""
        if x.ndim != 2 or x.shape[1] <= max(self.columns):
            raise ValueError(f"inputs of shape {tuple(x.shape)}; give rows that have the columns {self.columns}")

    def forward(self, x: Tensor) -> Tensor:
        """Inputs ``(rows, columns)``, floats, and their waves."""
        z = x[:, self.columns]
        # Tensors, as torch.onnx rounds a number beside float64 to float32.
        angles = [z.new_tensor(torch.pi / 2 * 2**k) * z for k in range(self.frequencies)]
        return torch.cat([x, *(wave(angle) for angle in angles for wave in (torch.sin, torch.cos))], 1)
