"""Successive halving: many candidates for a few epochs, the better ones for more."""

import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import sklearn.model_selection
from sklearn.exceptions import ConvergenceWarning
from sklearn.experimental import enable_halving_search_cv  # noqa: F401  # without it, scikit-learn hides the class

from torchann.tuning.distributions import distributions
from torchann.tuning.threaded_search import ThreadedSearch


class HalvingRandomSearchCV(ThreadedSearch, sklearn.model_selection.HalvingRandomSearchCV):  # type: ignore[misc]
    """A ``sklearn.model_selection.HalvingRandomSearchCV`` over epochs that fits networks in threads.

    All candidates are trained for a few epochs; the best third for three times as many, and so on, each time anew, as
    scikit-learn does. The resource is ``max_iter``, or a pipeline's ``mlp__max_iter``; others, such as ``"n_samples"``,
    work as in scikit-learn. Besides, what is said of :class:`torchann.tuning.RandomizedSearchCV` holds here.

    Args:
        estimator: whose arguments are searched.
        param_distributions: as there.
        n_candidates: at the start; ``"exhaust"`` for as many as the last round can use.
        factor: how many times fewer candidates, and more epochs, each round has.
        resource: an argument that grows.
        max_resources: of one candidate; ``"auto"`` for what the estimator says (its ``max_iter``).
        min_resources: in the first round: a number, ``"smallest"`` or ``"exhaust"``.
        aggressive_elimination: whether early rounds repeat the smallest resource if there are not enough.
        cv: folds, or how to make them; they must be the same each time.
        scoring: one of scikit-learn's scores, or a function; None asks the estimator.
        refit: whether to fit the best candidate on all rows.
        error_score: of a fit that fails or diverges, or ``"raise"``.
        return_train_score: whether training rows are scored as well.
        random_state: of the draws.
        n_jobs: as there.
        verbose: above 0, a bar for each round with its best score so far.

    Attributes:
        n_candidates_: of each round.
        n_resources_: of each round.
        n_iterations_: rounds.
        n_remaining_candidates_: that would be in the next round; after Ctrl-C, that are done in the last one.
        cv_results_: a row per candidate and round, with the columns ``iter`` and ``n_resources``.

    Example:
        >>> from sklearn.datasets import load_diabetes
        >>> from torchann.estimators import MLPRegressor
        >>> model = MLPRegressor(random_state=0, tol=0.0)
        >>> space = {"hidden_layer_sizes": (1, 40), "learning_rate_init": (1e-3, 1e-1)}
        >>> search = HalvingRandomSearchCV(model, space, n_candidates=9, min_resources=5, max_resources=45, cv=3)
        >>> search = search.set_params(random_state=0, refit=False).fit(*load_diabetes(return_X_y=True))
        >>> search.n_candidates_, search.n_resources_
        ([9, 3, 1], [5, 15, 45])
    """

    def __init__(
        self,
        estimator: Any,
        param_distributions: Any,
        *,
        n_candidates: int | str = "exhaust",
        factor: float = 3,
        resource: str = "max_iter",
        max_resources: int | str = "auto",
        min_resources: int | str = "smallest",
        aggressive_elimination: bool = False,
        cv: Any = 5,
        scoring: Any = None,
        refit: Any = True,
        error_score: Any = np.nan,
        return_train_score: bool = True,
        random_state: Any = None,
        n_jobs: int | None = None,
        verbose: int = 0,
    ) -> None:
        super().__init__(
            estimator,
            param_distributions,
            n_candidates=n_candidates,
            factor=factor,
            resource=resource,
            max_resources=max_resources,
            min_resources=min_resources,
            aggressive_elimination=aggressive_elimination,
            cv=cv,
            scoring=scoring,
            refit=refit,
            error_score=error_score,
            return_train_score=return_train_score,
            random_state=random_state,
            n_jobs=n_jobs,
            verbose=verbose,
        )

    def _translated(self) -> dict[str, Any]:
        params = self.estimator.get_params()
        epochs = self.max_resources == "auto" and self.resource in params
        return {
            "param_distributions": distributions(self.param_distributions),
            "max_resources": params[self.resource] if epochs else self.max_resources,
        }

    def _run_search(self, evaluate_candidates: Callable[..., Any], *, callback_ctx: Any = None) -> None:
        with warnings.catch_warnings():
            if self.resource.endswith("max_iter"):  # few epochs are what such a search is about
                warnings.simplefilter("ignore", ConvergenceWarning)
            super()._run_search(evaluate_candidates, callback_ctx=callback_ctx)

    def _after_interrupt(self, results: Mapping[str, Any]) -> None:
        self.n_iterations_: int = len(self.n_candidates_)
        self.n_remaining_candidates_: int = int(np.sum(results["iter"] == max(results["iter"])))
