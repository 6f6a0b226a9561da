"""Random search: candidates drawn from a space."""

from typing import Any

import sklearn.model_selection

from torchann.tuning.distributions import distributions
from torchann.tuning.threaded_search import ThreadedSearch


class RandomizedSearchCV(ThreadedSearch, sklearn.model_selection.RandomizedSearchCV):  # type: ignore[misc]
    """A ``sklearn.model_selection.RandomizedSearchCV`` that fits networks in threads (section 10.3).

    Same arguments, attributes, methods and results. Each candidate is fitted in each fold by its own ``fit``; for an
    ``MLPRegressor`` or ``MLPClassifier`` of :mod:`torchann.estimators`, also in a pipeline, threads do that, as many as
    there are cores: compiled steps hold no lock of Python, and nothing is copied or started for a fit. Anything else is
    left to scikit-learn and its processes.

    Args:
        estimator: whose arguments are searched.
        param_distributions: by argument: a list to choose from, a distribution of SciPy, or two numbers
            ``(low, high)``, see :func:`torchann.tuning.distributions.distributions`; or a list of such spaces.
        n_iter: candidates.
        scoring: one or several of scikit-learn's scores, or a function; None asks the estimator.
        n_jobs: threads, as joblib counts: None and -1 are all cores. Of another estimator processes, and None is 1.
        refit: whether to fit the best candidate on all rows; of several scores, the name of the one that decides.
        cv: folds, or how to make them; None is 5.
        verbose: above 0, a bar with the best score so far.
        pre_dispatch: fits that are handed to the threads ahead.
        random_state: of the draws.
        error_score: of a fit that fails or diverges, or ``"raise"``.
        return_train_score: whether training rows are scored as well.

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

    def _translated(self) -> dict[str, Any]:
        return {"param_distributions": distributions(self.param_distributions)}
