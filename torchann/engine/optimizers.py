"""Optimisers and learning-rate schedules by name, from plain values."""

import inspect
from collections.abc import Iterable, Mapping
from typing import Any, Literal, get_args

from torch import nn, optim
from torch.optim import lr_scheduler

from torchann.nets.names import did_you_mean

OptimizerName = Literal["sgd", "adam", "adamw", "nadam", "adagrad", "rmsprop"]
ScheduleName = Literal["constant", "step", "exponential", "cosine", "one_cycle", "plateau"]

NEVER = 10**9
"""Epochs between two steps of a plateau by Lightning: the task takes them, before a checkpoint is written."""

_OPTIMIZERS: dict[str, type[optim.Optimizer]] = {
    "sgd": optim.SGD,
    "adam": optim.Adam,
    "adamw": optim.AdamW,
    "nadam": optim.NAdam,
    "adagrad": optim.Adagrad,
    "rmsprop": optim.RMSprop,
}
_SCHEDULES: dict[str, type[lr_scheduler.LRScheduler]] = {
    "step": lr_scheduler.StepLR,
    "exponential": lr_scheduler.ExponentialLR,
    "cosine": lr_scheduler.CosineAnnealingLR,
    "one_cycle": lr_scheduler.OneCycleLR,
    "plateau": lr_scheduler.ReduceLROnPlateau,
}


def _check_options(owner: str, callable_: Any, options: dict[str, Any]) -> None:
    accepted = list(inspect.signature(callable_).parameters)
    for option in options:
        if option not in accepted:
            raise ValueError(f"{owner} has no option {option!r}; it takes {', '.join(accepted)}")


def make_optimizer(
    name: str,
    parameters: Iterable[nn.Parameter],
    lr: float,
    momentum: float = 0.0,
    nesterov: bool = False,
    weight_decay: float = 0.0,
    more: Mapping[str, Any] | None = None,
    fused: bool = False,
) -> optim.Optimizer:
    """The optimiser of that name.

    Args:
        name: one of :data:`OptimizerName`.
        parameters: what it moves.
        lr: learning rate, above 0.
        momentum: for ``"sgd"`` and ``"rmsprop"``, from 0 to 1.
        nesterov: Nesterov's momentum, for ``"sgd"``.
        weight_decay: L2 penalty (decoupled from the gradient in ``"adamw"``).
        more: further arguments of the class in ``torch.optim``, such as ``eps``, ``alpha`` and ``betas``.
        fused: torch's fused step where there is one, else its foreach step: less time per step on small nets.

    Raises:
        ValueError: for an unknown name, or a knob that the optimiser would ignore.

    Example:
        >>> make_optimizer("sgd", nn.Linear(2, 1).parameters(), lr=0.1, momentum=0.9).defaults["momentum"]
        0.9
    """
    if name not in _OPTIMIZERS:
        names = get_args(OptimizerName)
        hint = did_you_mean(str(name), names, f"choose one of {', '.join(names)}")
        raise ValueError(f"there is no optimizer {name!r}; {hint}")
    options: dict[str, Any] = {"lr": lr, "weight_decay": weight_decay}
    options |= {"momentum": momentum} if momentum else {}
    options |= {"nesterov": nesterov} if nesterov else {}
    given_twice = set(options) & set(more or {})
    if given_twice:
        raise ValueError(f"{sorted(given_twice)[0]!r} is given by its own name and in optimizer_options; give it once")
    options |= more or {}
    _check_options(f"optimizer {name!r}", _OPTIMIZERS[name], options)
    parameters, accepted = list(parameters), inspect.signature(_OPTIMIZERS[name]).parameters
    if fused:
        options["fused" if "fused" in accepted else "foreach"] = True
        if "capturable" in accepted and all(parameter.is_cuda for parameter in parameters):
            options["capturable"] = True  # a CUDA graph can hold its steps
    return _OPTIMIZERS[name](parameters, **options)


def make_schedule(
    name: str, optimizer: optim.Optimizer, options: dict[str, Any], num_epochs: int | None, num_steps: int | None
) -> dict[str, Any] | None:
    """The learning-rate schedule of that name, as Lightning's ``lr_scheduler`` entry; None for a constant rate.

    ``"one_cycle"`` moves after each optimiser step, all others after each epoch. What follows from the length of the
    run need not be given: ``T_max`` of ``"cosine"``, ``max_lr`` (the optimiser's rate) and ``total_steps`` of
    ``"one_cycle"``; nor need ``gamma`` of ``"step"`` (torch: 0.1). ``"plateau"`` watches ``val_loss``. ``"one_cycle"``
    moves the rate alone and leaves the momentum as it was given; torch's own default, ``cycle_momentum=True``, puts
    0.95 to 0.85 in its place.

    Args:
        name: one of :data:`ScheduleName`.
        optimizer: whose rate moves.
        options: arguments of the class in ``torch.optim.lr_scheduler``.
        num_epochs: epochs of the run, None if it is not bounded.
        num_steps: optimiser steps of the run, None if it is not bounded.

    Raises:
        ValueError: for an unknown name, an unknown option, or one that is missing.

    Example:
        >>> sgd = optim.SGD(nn.Linear(2, 1).parameters(), lr=0.1)
        >>> make_schedule("exponential", sgd, {"gamma": 0.5}, None, None)["interval"]
        'epoch'
    """
    if name == "constant" and not options:
        return None
    if name not in _SCHEDULES:
        raise ValueError(
            f"lr_schedule {name!r} with options {options}; choose one of {', '.join(get_args(ScheduleName))}, "
            "and give options to one that is not constant"
        )
    schedule = _SCHEDULES[name]
    _check_options(f"lr_schedule {name!r}", schedule, options)
    if name == "cosine" and num_epochs is not None:
        options = {"T_max": num_epochs} | options
    if name == "one_cycle":
        options = {"max_lr": optimizer.param_groups[0]["lr"], "cycle_momentum": False} | options
        if num_steps is not None and "epochs" not in options:  # torch would ignore the epochs beside total_steps
            options = {"total_steps": num_steps} | options
    try:
        made = schedule(optimizer, **options)
    except TypeError as error:
        raise ValueError(
            f"lr_schedule {name!r} with options {options}: {error}; give it in lr_schedule_options"
        ) from None
    return {
        "scheduler": made,
        "interval": "step" if name == "one_cycle" else "epoch",
        "monitor": "val_loss" if name == "plateau" else None,
        "frequency": NEVER if name == "plateau" else 1,
    }
