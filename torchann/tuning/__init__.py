"""Fine-tuning: learning-rate range test, searches, many networks at once; names are imported when they are used."""

from typing import TYPE_CHECKING

from torchann.nets.names import lazy_names

if TYPE_CHECKING:
    from torchann.tuning.best_model import finish as finish
    from torchann.tuning.grid_search import GridSearchCV as GridSearchCV
    from torchann.tuning.halving_search import HalvingRandomSearchCV as HalvingRandomSearchCV
    from torchann.tuning.lr_range.callback import LearningRateFinder as LearningRateFinder
    from torchann.tuning.lr_range.result import RateRange as RateRange
    from torchann.tuning.lr_range.test import learning_rate_range as learning_rate_range
    from torchann.tuning.randomized_search import RandomizedSearchCV as RandomizedSearchCV
    from torchann.tuning.study import Study as Study

__getattr__, __dir__, __all__ = lazy_names(__name__)
