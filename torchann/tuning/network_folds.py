"""The rows that candidates learn from in one fold, and their networks in a population, there and back."""

import copy
import time
from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import numpy as np
import torch
from sklearn.base import clone, is_classifier
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline
from sklearn.utils import check_random_state

from torchann.engine.population import Member, RandomStateOrder, Settings, SharedRows
from torchann.estimators.sklearn_internals import check_arguments, split_rows
from torchann.tuning.can_batch import network_of
from torchann.tuning.fitted_network import take_over

LOSSES = {"identity": "squared_error", "softmax": "log_loss", "logistic": "binary_log_loss"}
"""By the activation of the outputs."""
SHARED = [field.name for field in fields(Settings) if field.name not in ("loss", "batch_size")]
"""Arguments that the population knows by the same name."""


class Fold:
    """Training rows, prepared once for all candidates: transformed, checked, classes numbered.

    Args:
        estimator: an MLP of torchann.estimators, or a pipeline that ends in one.
        X: all rows.
        y: all targets.
        train: numbers of the rows to learn from, ``(training rows,)``.

    Attributes:
        x: what the network is given, ``(training rows, features)``, float32 or float64.
        y: its targets, ``(training rows, outputs)``.
        rows: numbers of its rows in the table, ``(training rows,)``.
        table: with those rows.
        steps: transformers of a pipeline, fitted on them.
        seconds: that it took to prepare them.
    """

    table: SharedRows

    def __init__(self, estimator: Any, X: Any, y: Any, train: Any) -> None:
        self.estimator = estimator
        started = time.perf_counter()
        x, y = split_rows(estimator, X, y, train)
        self.steps: list[Any] = []
        if has_transformers(estimator):
            transformers = clone(estimator)[:-1]
            x = transformers.fit_transform(x, y)
            self.steps = transformers.steps
        self.network: Any = clone(network_of(estimator))
        x, y = self.network._checked(x, y, False, reset=True)
        self.x: np.ndarray[Any, Any] = x
        self.y: np.ndarray[Any, Any] = y.reshape(len(y), -1)
        self.rows: np.ndarray[Any, Any] = np.arange(len(y))
        self.seconds: float = time.perf_counter() - started

    def start(self, candidate: Any) -> tuple[Member, Any]:
        """A candidate's network as it is before its first epoch.

        Args:
            candidate: the estimator with the candidate's arguments.

        Returns:
            The member of a population, and the estimator's network, initialised, to be given to :meth:`finish`.

        Raises:
            ValueError: where its ``fit`` would.
        """
        network = copy.copy(self.network).set_params(**clone(network_of(candidate)).get_params(deep=False))
        check_arguments(network)
        sizes = np.atleast_1d(network.hidden_layer_sizes).astype(int).tolist()
        if any(size <= 0 for size in sizes):
            raise ValueError(f"hidden_layer_sizes must be > 0, got {sizes}.")
        random_state = check_random_state(network.random_state)
        if random_state is check_random_state(None):  # all others would draw between its epochs
            random_state = np.random.RandomState(random_state.randint(2**31))
        network._random_state = random_state
        network._begin([network.n_features_in_, *sizes, self.y.shape[1]], self.x.dtype)
        rows, validation = np.arange(len(self.y)), np.empty(0, dtype=np.int64)
        if network.early_stopping:
            stratify = self.y if is_classifier(network) and network.n_outputs_ == 1 else None
            held_out = {"test_size": network.validation_fraction, "stratify": stratify}
            rows, validation = train_test_split(rows, random_state=random_state, **held_out)
            if len(validation) < 2:
                raise ValueError("The validation set is too small.")
        options = {name: getattr(network, name) for name in SHARED}
        batch_size = min(200, len(rows)) if network.batch_size == "auto" else network.batch_size
        settings = Settings(loss=LOSSES[network.out_activation_], batch_size=batch_size, **options)
        layers = zip(network.coefs_, network.intercepts_, strict=True)
        weights = [torch.from_numpy(np.vstack(layer).T) for layer in layers]
        order = RandomStateOrder(self.rows[rows], random_state, network.shuffle)
        return Member(settings, weights, order, self.rows[validation]), network

    def finish(self, network: Any, member: Member) -> Any:
        """The fitted estimator.

        Args:
            network: that :meth:`start` gave.
            member: trained.

        Returns:
            The candidate as its ``fit`` would have left it.

        Raises:
            ValueError: if its weights are not finite.
        """
        take_over(network, member)
        return self.estimator_of(network)

    def estimator_of(self, network: Any) -> Any:
        """The network, behind the fitted transformers of a pipeline if there are any."""
        if not isinstance(self.estimator, Pipeline):
            return network
        pipeline = copy.copy(self.estimator)
        pipeline.steps = [*self.steps, (self.estimator.steps[-1][0], network)]
        return pipeline


def has_transformers(estimator: Any) -> bool:
    """Whether something changes the rows before the network sees them."""
    return isinstance(estimator, Pipeline) and len(estimator.steps) > 1


def prepare(estimator: Any, X: Any, y: Any, parts: Sequence[Any]) -> list[Fold]:
    """Folds with as few tables as can be: a single one unless the rows are another thing in each fold.

    Args:
        estimator: an MLP of torchann.estimators, or a pipeline that ends in one.
        X: all rows.
        y: all targets.
        parts: of each fold, the numbers of the rows to learn from.
    """
    if not has_transformers(estimator):
        whole = Fold(estimator, X, y, np.arange(y.shape[0] if hasattr(y, "shape") else len(y)))
        table, folds = _table([whole]), []
        for part in parts:
            fold = Fold(estimator, X, y, part)
            if not np.array_equal(fold.y, whole.y[part]):
                break  # a class is missing: others have its columns
            fold.x, fold.rows, fold.table = fold.x[:0], whole.rows[part], table
            folds.append(fold)
        else:
            return folds
    folds = [Fold(estimator, X, y, part) for part in parts]
    alike: dict[Any, list[Fold]] = {}
    for fold in folds:
        alike.setdefault((fold.x.shape[1], fold.y.shape[1], fold.x.dtype), []).append(fold)
    for stacked in alike.values():
        table, first = _table(stacked), 0
        for fold in stacked:
            fold.x, fold.rows, fold.table = fold.x[:0], first + fold.rows, table
            first += len(fold.rows)
    return folds


def _table(folds: Sequence[Fold]) -> SharedRows:
    x = np.concatenate([np.asarray(fold.x) for fold in folds])
    return SharedRows.of(
        torch.from_numpy(x), torch.from_numpy(np.concatenate([fold.y for fold in folds]).astype(x.dtype))
    )
