"""Grid search: all combinations."""

import sklearn.model_selection

from torchann.tuning.threaded_search import ThreadedSearch


class GridSearchCV(ThreadedSearch, sklearn.model_selection.GridSearchCV):  # type: ignore[misc]
    """A ``sklearn.model_selection.GridSearchCV`` that fits networks in threads.

    What is said of :class:`torchann.tuning.RandomizedSearchCV` holds here; candidates are all combinations.

    Args:
        estimator: whose arguments are searched.
        param_grid: by argument, the values to try; or a list of such grids.
        scoring: one or several of scikit-learn's scores, or a function; None asks the estimator.
        n_jobs: threads, as joblib counts: None and -1 are all cores.
        refit: whether to fit the best candidate on all rows; of several scores, the name of the one that decides.
        cv: folds, or how to make them; None is 5.
        verbose: above 0, a bar with the best score so far.
        pre_dispatch: fits that are handed to the threads ahead.
        error_score: of a fit that fails or diverges, or ``"raise"``.
        return_train_score: whether training rows are scored as well.

    Example:
        >>> from sklearn.datasets import load_iris
        >>> from torchann.estimators import MLPClassifier
        >>> model = MLPClassifier(solver="sgd", max_iter=500, tol=1e-3, random_state=0)
        >>> grid = {"hidden_layer_sizes": [(3,), (20,)], "learning_rate_init": [0.001, 0.01]}
        >>> GridSearchCV(model, grid, cv=3).fit(*load_iris(return_X_y=True)).best_params_["learning_rate_init"]
        0.01
    """
