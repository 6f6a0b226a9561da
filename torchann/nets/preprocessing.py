"""From raw inputs to what a net was trained on: a part of the model that travels with it, by name and as tensors."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from torchann.nets.number_encoding import NumberEncoding
from torchann.nets.table_columns import TableColumns
from torchann.nets.waves import Waves

MAX_STEPS = 8  # so that no file makes a prediction fill the memory


class Standardize(nn.Module):
    """Subtracts the mean and divides by the standard deviation, in the dtype of both, as ``StandardScaler`` does.

    Args:
        mean: of each input, a floating dtype, of the shape of a row.
        std: standard deviations, of the same shape and dtype, above 0.

    Raises:
        ValueError: if the two do not go together, or a deviation is not above 0.

    Example:
        >>> Standardize(torch.tensor([1.0, 10.0]), torch.tensor([1.0, 5.0]))(torch.tensor([[2, 20]]))
        tensor([[1., 2.]])
    """

    options: tuple[str, ...] = ()
    mean: Tensor
    std: Tensor

    def __init__(self, mean: Tensor, std: Tensor) -> None:
        super().__init__()
        got = f"mean {tuple(mean.shape)} {mean.dtype} and std {tuple(std.shape)} {std.dtype}"
        if mean.shape != std.shape or mean.dtype != std.dtype or not mean.is_floating_point() or not mean.ndim:
            raise ValueError(f"{got} must have one shape, that of a row, and one floating dtype")
        if not (mean.isfinite().all() and std.isfinite().all() and (std > 0).all()):
            raise ValueError(f"{got} must be finite and std above 0; leave constant inputs out")
        self.register_buffer("mean", mean)
        self.register_buffer("std", std)

    def check(self, x: Tensor) -> None:
        """Raises unless ``x`` has rows of the right shape."""
        if x.shape[1:] != self.mean.shape:
            raise ValueError(f"inputs of shape {tuple(x.shape)}; give raw rows ({_shape('rows', self.mean.shape)})")

    def forward(self, x: Tensor) -> Tensor:
        """Standard deviations from the mean, of raw inputs ``(rows, *)`` of any dtype."""
        return (x.to(self.mean.dtype) - self.mean.to(x.device)) / self.std.to(x.device)


def _shape(*sizes: object) -> str:
    return ", ".join(str(part) for size in sizes for part in (size if isinstance(size, tuple) else (size,)))


class Pixels(nn.Module):
    """Bytes 0–255 as pixels 0–1, float32.

    Example:
        >>> Pixels()(torch.tensor([0, 51, 255], dtype=torch.uint8))  # 51 / 255 is a fifth
        tensor([0.0000, 0.2000, 1.0000])
    """

    options: tuple[str, ...] = ()

    def check(self, x: Tensor) -> None:
        """Raises if ``x`` was divided by 255 before."""
        if x.is_floating_point() and x.numel() and 0 < x.max() <= 1:
            raise ValueError(f"pixels up to {x.max():g} were divided by 255 before; give them raw, from 0 to 255")

    def forward(self, x: Tensor) -> Tensor:
        """Pixels of the same shape."""
        # Dividing bytes, which torch's vectorised loops do not, takes three times as long as these two passes.
        return x.to(torch.float32).div_(255) if x.dtype == torch.uint8 else torch.div(x, 255)


Step = Standardize | Pixels | Waves | TableColumns | NumberEncoding
STEPS: dict[str, type[Step]] = {
    "standardize": Standardize,
    "pixels": Pixels,
    "waves": Waves,
    "columns": TableColumns,
    "numbers": NumberEncoding,
}
"""The steps by the names that files know them by."""


class _Float32(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.float()


class Preprocessing:
    """Steps one after the other, float32 at the end; works where its inputs lie, and no ``model.half()`` rounds it.

    Args:
        steps: one or more of :data:`STEPS`; None is no step.

    Attributes:
        module: all of it as one ``torch.nn.Module``.

    Example:
        >>> steps = Preprocessing(Standardize(torch.tensor([1.0]), torch.tensor([2.0])), Waves([0], 1))
        >>> again = Preprocessing.rebuild(steps.describe(), steps.tensors())
        >>> again.describe()
        [{'step': 'standardize'}, {'step': 'waves', 'columns': [0], 'frequencies': 1}]
        >>> again(torch.tensor([[2.0]]))
        tensor([[0.5000, 0.7071, 0.7071]])
    """

    def __init__(self, *steps: Step | None) -> None:
        self.steps: tuple[Step, ...] = tuple(step for step in steps if step is not None)
        self.module: nn.Sequential = nn.Sequential(*self.steps, _Float32())

    def __call__(self, x: Tensor) -> Tensor:
        """What the net gets, ``(rows, *)`` float32, of raw inputs ``(rows, *)``."""
        y: Tensor = self.module(x)
        return y

    @property
    def table(self) -> TableColumns | None:
        """What it knows of the columns of a table by name; None where its inputs are numbers alone."""
        first = self.steps[0]
        return first if isinstance(first, TableColumns) else None

    def check(self, x: Tensor) -> None:
        """Raises unless ``x`` can be raw inputs.

        Raises:
            ValueError: for another shape, or pixels that are prepared already.
        """
        self.steps[0].check(x)

    def describe(self) -> list[dict[str, Any]]:
        """The steps by name with their options, plain values."""
        names = {kind: name for name, kind in STEPS.items()}
        return [
            {"step": names[type(step)], **{option: getattr(step, option) for option in step.options}}
            for step in self.steps
        ]

    def tensors(self) -> dict[str, Tensor]:
        """The steps' tensors, on the CPU, each behind the number of its step (``"0.mean"``)."""
        return {name: part.detach().cpu() for name, part in self.module.state_dict().items()}

    @classmethod
    def rebuild(cls, steps: Any, tensors: Mapping[str, Tensor]) -> "Preprocessing":
        """What :meth:`describe` and :meth:`tensors` told of.

        Raises:
            ValueError: if they do not tell of any, as from a file that was tampered with.
        """
        listed = isinstance(steps, list) and 1 <= len(steps) <= MAX_STEPS
        if not listed or not all(isinstance(step, dict) for step in steps):
            raise ValueError(f"preprocessing is {steps!r:.80}; wanted a list of 1 to {MAX_STEPS} steps")
        left, made = dict(tensors), []
        for number, step in enumerate(steps):
            kind: Any = STEPS.get(str(step.get("step")))
            if kind is None:
                raise ValueError(f"there is no preprocessing {step.get('step')!r:.80}; wanted {', '.join(STEPS)}")
            options = {name: value for name, value in step.items() if name != "step"}
            own = [name for name in left if name.startswith(f"{number}.")]
            parts = {name.partition(".")[2]: left.pop(name) for name in own}
            try:
                made.append(kind(**options, **parts))
            except (TypeError, RuntimeError) as error:
                raise ValueError(f"preprocessing {step!r:.80} with tensors {own}: {error}") from None
        if left:
            raise ValueError(f"no step of the preprocessing has tensors {sorted(left)}")
        return cls(*made)
