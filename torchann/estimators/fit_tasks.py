"""scikit-learn's callbacks are told of a fit, and of each of its epochs."""

from typing import Any

from torchann.estimators.sklearn_internals import context_of_fit


class FitTasks:
    """A fit and its epochs as tasks of scikit-learn's callback interface (1.9), such as its ``ProgressBar`` knows them.

    Args:
        model: an estimator that may have callbacks by ``set_callbacks``; without, nothing is done.
        X: the rows that ``fit`` was given.
        y: their targets.
        sample_weight: how much each row counts, or None.
        epochs: of the fit, at most.
    """

    def __init__(self, model: Any, X: Any, y: Any, sample_weight: Any, epochs: int = 0) -> None:
        metadata = None if sample_weight is None else {"sample_weight": sample_weight}
        self._about = {"estimator": model, "X": X, "y": y, "metadata": metadata}
        self._fit = context_of_fit(model, epochs)
        self._epoch: Any = None
        if self._fit is not None:
            self._fit.call_on_fit_task_begin(**self._about)

    def begin_epoch(self) -> None:
        """Tell of an epoch that begins."""
        if self._fit is not None:
            self._epoch = self._fit.subcontext("epoch").call_on_fit_task_begin(**self._about)

    def end_epoch(self, fitted: Any) -> bool:
        """Tell of the end of an epoch.

        Args:
            fitted: returns what a fit that ended here would have set, attributes by name; asked if a callback wants it.

        Returns:
            Whether a callback wants the fit to end.
        """
        if self._epoch is None:
            return False
        return bool(self._epoch.call_on_fit_task_end(**self._about, reconstruction_attributes=fitted))

    def end(self) -> None:
        """Tell of the end of the fit, when all attributes are set."""
        if self._fit is not None:
            self._fit.call_on_fit_task_end(**self._about, reconstruction_attributes={})
