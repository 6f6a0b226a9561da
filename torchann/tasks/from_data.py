"""What a task need not be told, because its data module knows."""

from collections.abc import MutableMapping, Sequence
from typing import Any

from torchann.nets.preprocessing import Preprocessing


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
            source = "there is no data module" if data is None else f"{type(data).__name__} has none"
            raise ValueError(
                f"{task} needs {size}: it was not given and {source}; "
                f"give {task}({size}=...) or a data module with that attribute"
            )
        if found is not None and found != given:
            raise ValueError(
                f"{task} has {size}={given} and {type(data).__name__} has {size}={found}; "
                f"leave {size} out to take that of the data"
            )


def take_inputs(task: Any, data: Any) -> None:
    """Takes along what it needs to predict from raw inputs, and of what data it is.

    Args:
        task: whose ``preprocessing``, ``feature_names`` and ``data_info`` are set.
        data: a data module.

    Raises:
        ValueError: if the preprocessing is none that a model can take along.
    """
    preprocessing, names = getattr(data, "preprocessing", None), getattr(data, "feature_names", None)
    if preprocessing is not None and not isinstance(preprocessing, Preprocessing):
        raise ValueError(
            f"preprocessing of {type(data).__name__} is a {type(preprocessing).__name__}; give a Preprocessing of "
            "torchann.nets.preprocessing, which a model can take along, or call yours by another name"
        )
    task.preprocessing, task.feature_names = preprocessing, None if names is None else list(names)
    unknown = {"name": type(data).__name__, "fingerprint": None, "rows": None}
    task.data_info = getattr(data, "data_info", unknown)


def inputs_state(task: Any) -> dict[str, Any]:
    """What :func:`take_inputs` has set, as plain values and tensors."""
    prepared = task.preprocessing
    return {
        "preprocessing": None if prepared is None else (prepared.describe(), prepared.tensors()),
        "feature_names": task.feature_names,
        "data_info": task.data_info,
    }


def load_inputs_state(task: Any, state: dict[str, Any]) -> None:
    """Takes it back from a checkpoint."""
    told = state["preprocessing"]
    task.preprocessing = None if told is None else Preprocessing.rebuild(*told)
    task.feature_names, task.data_info = state["feature_names"], state["data_info"]
