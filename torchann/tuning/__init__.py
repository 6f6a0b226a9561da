"""Fine-tuning: searches over many networks at once; names are imported when they are used."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torchann.tuning.grid_search import GridSearchCV as GridSearchCV
    from torchann.tuning.halving_search import HalvingRandomSearchCV as HalvingRandomSearchCV
    from torchann.tuning.randomized_search import RandomizedSearchCV as RandomizedSearchCV

_HOME = {
    "GridSearchCV": "torchann.tuning.grid_search",
    "HalvingRandomSearchCV": "torchann.tuning.halving_search",
    "RandomizedSearchCV": "torchann.tuning.randomized_search",
}
__all__ = ["GridSearchCV", "HalvingRandomSearchCV", "RandomizedSearchCV"]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'torchann.tuning' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
