"""Fine-tuning: learning-rate range test, searches, many networks at once; names are imported when they are used."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torchann.tuning.best_model import finish as finish
    from torchann.tuning.grid_search import GridSearchCV as GridSearchCV
    from torchann.tuning.halving_search import HalvingRandomSearchCV as HalvingRandomSearchCV
    from torchann.tuning.lr_range.callback import LearningRateFinder as LearningRateFinder
    from torchann.tuning.lr_range.result import RateRange as RateRange
    from torchann.tuning.lr_range.test import learning_rate_range as learning_rate_range
    from torchann.tuning.randomized_search import RandomizedSearchCV as RandomizedSearchCV
    from torchann.tuning.study import Study as Study

_HOME = {
    "GridSearchCV": "torchann.tuning.grid_search",
    "HalvingRandomSearchCV": "torchann.tuning.halving_search",
    "LearningRateFinder": "torchann.tuning.lr_range.callback",
    "RandomizedSearchCV": "torchann.tuning.randomized_search",
    "RateRange": "torchann.tuning.lr_range.result",
    "Study": "torchann.tuning.study",
    "finish": "torchann.tuning.best_model",
    "learning_rate_range": "torchann.tuning.lr_range.test",
}
__all__ = [
    "GridSearchCV",
    "HalvingRandomSearchCV",
    "LearningRateFinder",
    "RandomizedSearchCV",
    "RateRange",
    "Study",
    "finish",
    "learning_rate_range",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'torchann.tuning' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
