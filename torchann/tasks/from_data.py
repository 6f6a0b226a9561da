"""What a task need not be told, because its data module knows."""

from collections.abc import MutableMapping, Sequence
from typing import Any


def take_from_data(
    hparams: MutableMapping[str, Any], data: Any, sizes: Sequence[str], names: Sequence[str], task: str
) -> None:
    """Fills in hyperparameters that are None with the data module's attributes of the same names.

    Args:
        hparams: of the task, changed in place.
        data: a data module, or None.
        sizes: hyperparameters that the task cannot do without.
        names: those it can do without.
        task: the name of its class, for the errors.

    Raises:
        ValueError: if a size is neither given nor in the data module, or the two differ.

    Example:
        >>> from torchann.data import IrisDataModule
        >>> hparams = {"in_features": None}
        >>> take_from_data(hparams, IrisDataModule(), ["in_features"], [], "Perceptron")
        >>> hparams
        {'in_features': 2}
    """
    for name in (*sizes, *names):
        if hparams.get(name) is None:
            hparams[name] = getattr(data, name, None)
    for size in sizes:
        given, found = hparams[size], getattr(data, size, None)
        if given is None:
            source = "there is no data module" if data is None else f"{type(data).__name__} has none{_own_task(data)}"
            raise ValueError(
                f"{task} needs {size}: it was not given and {source}; "
                f"give {task}({size}=...) or a data module with that attribute"
            )
        if found is not None and found != given:
            raise ValueError(
                f"{task} has {size}={given} and {type(data).__name__} has {size}={found}; "
                f"leave {size} out to take that of the data"
            )


def _own_task(data: Any) -> str:
    kind = getattr(data, "task", None)
    return f", as its target makes a {kind} task" if isinstance(kind, str) else ""
