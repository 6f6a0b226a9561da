"""Random search: candidates drawn from a space, trained together."""

from typing import Any

import numpy as np
import sklearn.model_selection
import torch

from torchann.estimators.sklearn_internals import accepts
from torchann.tuning.distributions import distributions
from torchann.tuning.population_search import PopulationSearch


@accepts(device=[str, torch.device])
class RandomizedSearchCV(sklearn.model_selection.RandomizedSearchCV, PopulationSearch):  # type: ignore[misc]
    """A ``sklearn.model_selection.RandomizedSearchCV`` that trains its candidates at the same time (section 10.3).

    Same arguments, attributes, methods and, but for the last digits, the same ``cv_results_``: each network starts from
    the weights, takes the rows and stops by the rule that scikit-learn's ``fit`` would have with the candidate's
    arguments and ``random_state``. All candidates and folds are networks of one
    :class:`torchann.engine.population.Population`. ``fit_time`` is a network's share of the time.

    The estimator is an ``MLPRegressor`` or ``MLPClassifier`` of :mod:`torchann.estimators` with solver ``"sgd"`` or
    ``"adam"``, or a pipeline that ends in one and whose other steps are not searched: they are fitted once in each
    fold, on its training rows. Anything else, scikit-learn's own networks among it, is evaluated as scikit-learn does,
    candidate by candidate, and a warning says why.

    Args:
        estimator: whose arguments are searched.
        param_distributions: by argument: a list to choose from, a distribution of SciPy, or two numbers
            ``(low, high)``, see :func:`torchann.tuning.distributions.distributions`; or a list of such spaces.
        n_iter: candidates.
        scoring: one or several of scikit-learn's scores, or a function; None asks the estimator.
        n_jobs: processes, as joblib counts: None is 1, -1 all cores.
        refit: whether to fit the best candidate on all rows; of several scores, the name of the one that decides.
        cv: folds, or how to make them; None is 5.
        verbose: above 0, a bar with the best score so far.
        pre_dispatch: of candidates that are not trained together.
        random_state: of the draws.
        error_score: of a fit that fails or diverges, or ``"raise"``.
        return_train_score: whether training rows are scored as well.
        device: of torch, where the networks are trained.

    Attributes:
        cv_results_: by column, a row per candidate: scores of each fold, means, deviations, ranks, seconds.
        best_estimator_: fitted on all rows.
        best_params_: its arguments.
        best_score_: its mean score.
        best_index_: its row.
        refit_time_: seconds that the last fit took.
        n_splits_: folds.
        scorer_: what scored, by name if there are several.
        multimetric_: whether there are.

    Example:
        >>> from sklearn.datasets import load_diabetes
        >>> from sklearn.pipeline import make_pipeline
        >>> from sklearn.preprocessing import StandardScaler
        >>> from torchann.estimators import MLPRegressor
        >>> network = MLPRegressor(early_stopping=True, tol=0.01, max_iter=500, random_state=0)
        >>> model = make_pipeline(StandardScaler(), network)
        >>> space = {"mlpregressor__hidden_layer_sizes": (1, 40), "mlpregressor__learning_rate_init": (1e-3, 1e-1)}
        >>> search = RandomizedSearchCV(model, space, n_iter=8, cv=3, random_state=0)
        >>> print(search.fit(*load_diabetes(return_X_y=True)).best_score_ > 0.3)
        True
    """

    def __init__(
        self,
        estimator: Any,
        param_distributions: Any,
        *,
        n_iter: int = 10,
        scoring: Any = None,
        n_jobs: int | None = None,
        refit: Any = True,
        cv: Any = None,
        verbose: int = 0,
        pre_dispatch: int | str = "2*n_jobs",
        random_state: Any = None,
        error_score: Any = np.nan,
        return_train_score: bool = False,
        device: str | torch.device = "cpu",
    ) -> None:
        super().__init__(
            estimator,
            param_distributions,
            n_iter=n_iter,
            scoring=scoring,
            n_jobs=n_jobs,
            refit=refit,
            cv=cv,
            verbose=verbose,
            pre_dispatch=pre_dispatch,
            random_state=random_state,
            error_score=error_score,
            return_train_score=return_train_score,
        )
        self.device = device

    def _translated(self) -> dict[str, Any]:
        return {"param_distributions": distributions(self.param_distributions)}
