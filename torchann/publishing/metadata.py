"""What an exported file says of itself beside its graph, so that a server can name columns, classes and values."""

import json
from importlib.metadata import version
from typing import Any

from torchann.publishing.model_info import outputs_of


def metadata(task: Any) -> dict[str, str]:
    """Facts by name, each a text; lists and mappings are JSON.

    ``columns`` has for each column of a table its name and kind; a category's code is its place in ``categories``.

    Args:
        task: that is exported.

    Example:
        >>> import torchann
        >>> metadata(torchann.ClassificationMLP([], 2, 3, class_names=["a", "b", "c"]))["class_names"]
        '["a", "b", "c"]'
    """
    prepared = task.preprocessing
    table = None if prepared is None else prepared.table
    facts: dict[str, Any] = {
        "torchann_version": version("torchann"),
        "model_class": type(task).__name__,
        "task": outputs_of(task),
        "feature_names": task.feature_names,
        "columns": None if table is None else table.columns,
        "missing_values": None if table is None else table.missing_values,
        "class_names": task.hparams.get("class_names"),
        "target_names": task.hparams.get("target_names"),
    }
    return {
        name: fact if isinstance(fact, str) else json.dumps(fact, ensure_ascii=True)
        for name, fact in facts.items()
        if fact
    }
