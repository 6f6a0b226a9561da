"""The learning rates of torch's schedules, for steps that no optimiser of torch takes."""

import threading
from typing import Any

import numpy as np
from numpy.typing import NDArray

_lock = threading.Lock()


def scheduled_rates(
    name: str, first: float, options: dict[str, Any] | None, epochs: int, steps: int
) -> NDArray[np.float64]:
    """Return the learning rate of each step of a fit, ``(epochs * steps,)``.

    Args:
        name: as :func:`~torchann.engine.optimizers.make_schedule` knows it, but not ``"plateau"``.
        first: rate of the first step; the highest of ``"one_cycle"``.
        options: arguments of the schedule.
        epochs: of the fit.
        steps: of an epoch.

    Raises:
        ValueError: for an unknown option, one that is missing, or one that torch stumbles over.

    Example:
        >>> scheduled_rates("exponential", 0.1, {"gamma": 0.5}, epochs=2, steps=3).tolist()
        [0.1, 0.1, 0.1, 0.05, 0.05, 0.05]
    """
    with _lock:  # two threads must not import parts of torch at the same time
        return _rates_of_torch(name, first, options, epochs, steps)


def _rates_of_torch(
    name: str, first: float, options: dict[str, Any] | None, epochs: int, steps: int
) -> NDArray[np.float64]:
    import torch  # seconds, and only schedules need it

    from torchann.engine.optimizers import make_schedule

    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(0))], lr=first)
    try:
        made = make_schedule(name, optimizer, options or {}, epochs, epochs * steps)
        assert made is not None
        optimizer.step()  # or torch warns that the schedule moves first
        by_step = made["interval"] == "step"
        rates = np.empty(epochs * steps if by_step else epochs)
        for number in range(len(rates)):
            rates[number] = optimizer.param_groups[0]["lr"]
            if number + 1 < len(rates):  # behind the last step torch's one_cycle would turn up again
                made["scheduler"].step()
    except ValueError as error:
        raise ValueError(str(error).replace("lr_schedule", "learning_rate")) from None
    except (ZeroDivisionError, LookupError) as error:
        raise ValueError(f"learning_rate_options={options}: {error}; give others") from None
    return rates if by_step else np.repeat(rates, steps)
