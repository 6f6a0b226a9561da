"""How much the rows of each class count in training: what a user gives, as one number per class."""

from collections.abc import Iterable, Mapping, Sequence
from math import inf

from torchann.nets.names import did_you_mean

MOST = 10  # classes to name in an error


def weights_by_class(weights: Mapping[str | int, float], num_classes: int, names: Sequence[str] | None) -> list[float]:
    """Return a weight for each class, 1 for those that a mapping leaves out.

    Args:
        weights: by the names of classes or, unless all keys are names, by their indices.
        num_classes: number of classes.
        names: of the classes, None if they have none.

    Raises:
        ValueError: for a key that is no class.

    Example:
        >>> weights_by_class({"dog": 2.0}, 2, ["cat", "dog"]), weights_by_class({0: 3.0}, 2, ["cat", "dog"])
        ([1.0, 2.0], [3.0, 1.0])
    """
    given = {str(key): weight for key, weight in weights.items()}
    numbers, names = list(map(str, range(num_classes))), list(names or ())
    known = names if set(given) <= set(names) else numbers
    if unknown := [key for key in given if key not in known]:
        there = names or numbers
        shown = ", ".join(there[:MOST]) + (f" and {len(there) - MOST} more" if len(there) > MOST else "")
        hint = did_you_mean(unknown[0], names, f"the classes are {shown}")
        raise ValueError(f"class_weight has a number for {unknown[0]!r:.80}, which is no class; {hint}")
    return [given.get(key, 1.0) for key in known]


def check_class_weights(weights: Iterable[float]) -> None:
    """Raise ValueError unless the weights of classes, one each, are finite, none below 0 and one above.

    Example:
        >>> check_class_weights([0.0, 0.0])
        Traceback (most recent call last):
            ...
        ValueError: class_weight is [0.0, 0.0]; give finite numbers, 0 or more, and not 0 for each class
    """
    given = [float(weight) for weight in weights]
    if not all(0 <= weight < inf for weight in given) or not any(given):
        raise ValueError(f"class_weight is {given}; give finite numbers, 0 or more, and not 0 for each class")
