"""What options of a report may be."""

from typing import Any


def frequency(name: str, value: Any, least: int = 0) -> int:
    """Return a number of epochs or steps, or raise ValueError for anything else."""
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        words = {"update_freq": ", 'epoch' or 'batch'", "pictures_freq": " or 'end'"}.get(name, "")
        raise ValueError(f"{name} is {value!r}; give a whole number from {least} on{words}")
    return value


def profiled_steps(profile_batch: int | tuple[int, int] | list[int]) -> tuple[int, int]:
    """Return the first and the last step to profile, or raise ValueError for anything else."""
    steps = profile_batch if isinstance(profile_batch, (tuple, list)) else (profile_batch, profile_batch)
    if len(steps) != 2 or not all(type(step) is int for step in steps):
        raise ValueError(f"profile_batch is {profile_batch!r}; give a step from 1 on, or the first and the last one")
    return steps[0], steps[1]
