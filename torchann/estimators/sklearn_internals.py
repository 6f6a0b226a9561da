"""All private names of scikit-learn that this package uses, each behind a name that says what it stands for.

A test looks for each of them in the scikit-learn that is installed, and says what relies on it when it is gone.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from sklearn import get_config
from sklearn.utils._param_validation import Interval, StrOptions

try:
    from sklearn.callback import CallbackSupportMixin
    from sklearn.callback import with_callbacks as ends_callbacks
except ImportError:  # scikit-learn before 1.9 has no callbacks

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """Nothing, where scikit-learn has no callbacks."""

    ends_callbacks = None

__all__ = [
    "CallbackSupportMixin",
    "ChosenValidationRows",
    "Interval",
    "StrOptions",
    "accepts",
    "check_arguments",
    "context_of_fit",
    "with_callbacks",
]
Kind = TypeVar("Kind", bound=type)
Method = TypeVar("Method", bound=Callable[..., Any])


def accepts(**options: Any) -> Callable[[Kind], Kind]:
    """Declare further arguments of an estimator class, or other values of inherited ones.

    Args:
        options: by argument, the constraints that scikit-learn checks when ``fit`` begins.

    Returns:
        The decorator of the class.
    """

    def declare(kind: Kind) -> Kind:
        known: Mapping[str, Any] = kind._parameter_constraints  # type: ignore[attr-defined]
        kind._parameter_constraints = {**known, **options}  # type: ignore[attr-defined]
        return kind

    return declare


def check_arguments(estimator: Any) -> None:
    """Check the arguments of an estimator as scikit-learn does, unless the user has switched that off.

    Raises:
        ValueError: scikit-learn's, which names the argument and the values that it may have.
    """
    if not get_config()["skip_parameter_validation"]:
        estimator._validate_params()


class ChosenValidationRows:
    """A mixin by which a linear model of scikit-learn that stops early takes validation rows that were chosen for it.

    Attributes:
        _validation_mask: which of the rows given to ``fit`` are for validation, ``(rows,)`` of booleans; None to draw
            them as scikit-learn does.
    """

    _validation_mask: Any = None

    def _make_validation_split(self, y: Any, sample_mask: Any) -> Any:
        if self._validation_mask is not None:
            return self._validation_mask
        return super()._make_validation_split(y, sample_mask)  # type: ignore[misc]


def with_callbacks(method: Method) -> Method:
    """Have the callbacks of an estimator torn down whenever this method of it ends."""
    if ends_callbacks is None:
        return method
    decorated: Method = ends_callbacks(method)
    return decorated


def context_of_fit(estimator: Any, epochs: int) -> Any:
    """Return what tells the callbacks of ``set_callbacks`` of a fit, a ``CallbackContext``; None if there are none.

    Args:
        estimator: about to be fitted, in a method that is decorated by :func:`with_callbacks`.
        epochs: of the fit, at most.
    """
    if not getattr(estimator, "_skl_callbacks", None):
        return None
    return estimator._init_callback_context(max_subtasks=epochs)
