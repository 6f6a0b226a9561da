"""What a loss refuses before it broadcasts: outputs that are not the task's, targets that do not fit them."""

import torch
from torch import Tensor

_PROBABILITIES = {"SoftmaxBackward0": "softmax", "SigmoidBackward0": "sigmoid"}
_VIEWS = {f"{name}Backward0" for name in ("View", "ReshapeAlias", "Squeeze", "Unsqueeze", "Select", "Slice", "Split")}
_VIEWS |= {"SqueezeBackward1", "ToCopyBackward0"}


def check_outputs(outputs: Tensor, units: int) -> None:
    """Raises unless a net gives each row its outputs.

    Args:
        outputs: of a net.
        units: outputs per row that the task has.

    Raises:
        ValueError: with the shape, unless it is ``(batch, units)``.

    Example:
        >>> check_outputs(torch.zeros(32), 1)
        Traceback (most recent call last):
            ...
        ValueError: the net's outputs are (32,) and the task's (batch, 1); leave the last dimension: unsqueeze(1)
    """
    if outputs.ndim != 2 or outputs.shape[1] != units:
        flat = outputs.ndim == 1 and units == 1
        how = "leave the last dimension: unsqueeze(1)" if flat else f"give the net's last layer out_features={units}"
        raise ValueError(f"the net's outputs are {tuple(outputs.shape)} and the task's (batch, {units}); {how}")


def check_logits(logits: Tensor, units: int) -> None:
    """Raises unless outputs fit a classification: of its shape, and no probabilities.

    Which function made them is read from autograd, where it has recorded them.

    Args:
        logits: of a net.
        units: outputs per row that the task has.

    Raises:
        ValueError: if the shape is not ``(batch, units)``, or they come from a softmax or a sigmoid, which the loss
            would take a second time.

    Example:
        >>> check_logits(torch.zeros(32, 3, requires_grad=True).softmax(1), 3)
        Traceback (most recent call last):
            ...
        ValueError: the net gives probabilities, of a softmax, where logits are meant; leave out the net's last softmax
    """
    check_outputs(logits, units)
    made = logits.grad_fn
    if made is None:
        return
    while made.name() in _VIEWS and made.next_functions[0][0] is not None:
        made = made.next_functions[0][0]
    if name := _PROBABILITIES.get(made.name()):
        raise ValueError(
            f"the net gives probabilities, of a {name}, where logits are meant; leave out the net's last {name}"
        )


def check_targets(logits: Tensor, y: Tensor, wanted: torch.Size) -> None:
    """Raises unless a classification's targets have the shape that fits its logits.

    Args:
        logits: outputs of a net.
        y: targets.
        wanted: their shape.

    Raises:
        ValueError: with the shapes.

    Example:
        >>> check_targets(torch.zeros(32, 3), torch.zeros(32, 3), torch.Size([32]))
        Traceback (most recent call last):
            ...
        ValueError: targets (32, 3) do not fit logits (32, 3); give (32,): y.argmax(1) of one-hot rows
    """
    if y.shape == wanted:
        return
    how = ""
    if len(wanted) == 1 and y.ndim == 2:
        how = ": y.squeeze(1)" if y.shape[1] == 1 else ": y.argmax(1) of one-hot rows"
    raise ValueError(f"targets {tuple(y.shape)} do not fit logits {tuple(logits.shape)}; give {tuple(wanted)}{how}")


def check_values(y_hat: Tensor, y: Tensor) -> None:
    """Raises unless predictions and targets of a regression have one shape.

    Args:
        y_hat: predictions, ``(batch, out_features)``.
        y: targets.

    Raises:
        ValueError: with the shapes.

    Example:
        >>> check_values(torch.zeros(32, 1), torch.zeros(32))
        Traceback (most recent call last):
            ...
        ValueError: predictions (32, 1) and targets (32,) must have the same shape; give targets of shape (32, 1)
    """
    if y_hat.shape != y.shape:
        raise ValueError(
            f"predictions {tuple(y_hat.shape)} and targets {tuple(y.shape)} must have the same shape; "
            f"give targets of shape {tuple(y_hat.shape)}"
        )
