"""Grid search: all combinations, trained together."""

from typing import Any

import numpy as np
import sklearn.model_selection
import torch

from torchann.estimators.sklearn_internals import accepts
from torchann.tuning.population_search import PopulationSearch


@accepts(device=[str, torch.device])
class GridSearchCV(sklearn.model_selection.GridSearchCV, PopulationSearch):  # type: ignore[misc]
    """A ``sklearn.model_selection.GridSearchCV`` that trains its candidates at the same time.

    What is said of :class:`torchann.tuning.RandomizedSearchCV` holds here, but that candidates are all combinations.

    Args:
        estimator: whose arguments are searched.
        param_grid: by argument, the values to try; or a list of such grids.
        scoring: one or several of scikit-learn's scores, or a function; None asks the estimator.
        n_jobs: processes, as joblib counts: None is 1, -1 all cores.
        refit: whether to fit the best candidate on all rows; of several scores, the name of the one that decides.
        cv: folds, or how to make them; None is 5.
        verbose: above 0, a bar with the best score so far.
        pre_dispatch: of candidates that are not trained together.
        error_score: of a fit that fails or diverges, or ``"raise"``.
        return_train_score: whether training rows are scored as well.
        device: of torch, where the networks are trained.

    Example:
        >>> from sklearn.datasets import load_iris
        >>> from torchann.estimators import MLPClassifier
        >>> model = MLPClassifier(solver="sgd", max_iter=500, tol=1e-3, random_state=0)
        >>> grid = {"hidden_layer_sizes": [(3,), (20,)], "learning_rate_init": [0.001, 0.01]}
        >>> GridSearchCV(model, grid, cv=3).fit(*load_iris(return_X_y=True)).best_params_["learning_rate_init"]
        0.01
    """

    def __init__(
        self,
        estimator: Any,
        param_grid: Any,
        *,
        scoring: Any = None,
        n_jobs: int | None = None,
        refit: Any = True,
        cv: Any = None,
        verbose: int = 0,
        pre_dispatch: int | str = "2*n_jobs",
        error_score: Any = np.nan,
        return_train_score: bool = False,
        device: str | torch.device = "cpu",
    ) -> None:
        super().__init__(
            estimator,
            param_grid,
            scoring=scoring,
            n_jobs=n_jobs,
            refit=refit,
            cv=cv,
            verbose=verbose,
            pre_dispatch=pre_dispatch,
            error_score=error_score,
            return_train_score=return_train_score,
        )
        self.device = device
