"""Estimators in the safe file: arguments and fitted attributes by name, arrays as tensors; nothing that runs."""

from os import PathLike
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from torchann.files.plain_values import decode, encode
from torchann.files.safetensors_file import ModelFileError, Opened, reading, write, wrong

Own = TypeVar("Own", bound="SafeFile")
FIELDS = ("class", "fitted", "hyperparameters", "torchann")


class SafeFile:
    """What can be saved to a safetensors file and made again from it; abstract.

    A class names its attributes in ``fitted`` and checks them in ``_check_fitted``, as they come from a file. Only
    the classes of ``torchann.estimators`` can be saved: a file holds no code, and names no module.
    """

    fitted: ClassVar[tuple[str, ...]]
    """Attributes that a fit may set and that a file keeps."""

    def save(self, path: str | PathLike[str]) -> None:
        """Writes arguments and fitted attributes to one file, from which :meth:`load` makes the estimator again.

        Args:
            path: the file; ``.safetensors`` is the usual ending.

        Raises:
            ModelFileError: for arguments or attributes that a file cannot hold, and for classes derived from this one.
            OSError: if the file cannot be written; an old one is untouched then.
        """
        if type(self) is not _classes().get(type(self).__name__):
            raise ModelFileError(
                f"a {type(self).__module__}.{type(self).__name__} cannot be saved, as its code would not be found "
                f"again; give one of torchann.estimators: {', '.join(sorted(_classes()))}"
            )
        tensors: dict[str, Any] = {}
        document = {
            "class": f"estimators.{type(self).__name__}",
            "hyperparameters": {name: encode(name, value, tensors) for name, value in self._parameters().items()},
            "fitted": {name: encode(name, value, tensors) for name, value in self._fitted_values().items()},
        }
        write(Path(path), document, tensors)

    @classmethod
    def load(cls: type[Own], path: str | PathLike[str]) -> Own:
        """The estimator of a file that :meth:`save` wrote, with the same arguments, attributes and predictions.

        No code of the file runs and nothing is unpickled.

        Args:
            path: the file.

        Raises:
            FileNotFoundError: if there is no such file.
            ModelFileError: if it is no such file, damaged, or of another class.
        """
        with reading(Path(path)) as opened:
            estimator = rebuild(opened)
        if not isinstance(estimator, cls):
            found = type(estimator).__name__
            raise ModelFileError(f"{path} holds a {found} and no {cls.__name__}; call {found}.load(path)")
        return estimator

    def _parameters(self) -> dict[str, Any]:
        params: dict[str, Any] = self.get_params(deep=False)  # type: ignore[attr-defined]
        return params

    def _fitted_values(self) -> dict[str, Any]:
        return {name: vars(self)[name] for name in self.fitted if name in vars(self)}

    def _take_fitted(self, values: dict[str, Any]) -> None:
        """Takes what a file has of the fitted attributes; raises ValueError unless they go with each other."""
        vars(self).update(values)
        self._check_fitted()

    def _check_fitted(self) -> None:
        raise NotImplementedError


def _classes() -> dict[str, Any]:
    import torchann.estimators as room  # which imports this file

    kinds = {name: getattr(room, name) for name in room.__all__}
    return {name: kind for name, kind in kinds.items() if isinstance(kind, type) and issubclass(kind, SafeFile)}


def rebuild(opened: Opened, net: Any = None) -> Any:
    """Return the estimator of any class that a file holds; ModelFileError if it holds none, or a net was given."""
    if net is not None:
        raise ModelFileError("an estimator needs no net and one was given; leave net out")
    document = opened.document
    name = document.get("class")
    kinds = {f"estimators.{name}": kind for name, kind in _classes().items()}
    if not isinstance(name, str) or name not in kinds:
        raise ModelFileError(f"there is a {name!r:.80} in it, and no estimator; call torchann.load(path)")
    params, fitted = document.get("hyperparameters"), document.get("fitted")
    if tuple(sorted(document)) != FIELDS or not isinstance(params, dict) or not isinstance(fitted, dict):
        raise wrong(f"the fields are {sorted(document)!r:.200} and should be {', '.join(FIELDS)}")
    if unknown := set(fitted) - set(kinds[name].fitted):
        raise wrong(f"{name} has no attribute {sorted(unknown)!r:.80}")
    try:
        tensors = opened.arrays()
        estimator = kinds[name](**{key: decode(key, value, tensors) for key, value in params.items()})
        values = {key: decode(key, value, tensors) for key, value in fitted.items()}
        if values:
            estimator._take_fitted(values)
    except (TypeError, ValueError, AttributeError, OverflowError, LookupError) as error:
        raise wrong(f"it makes no {name} ({type(error).__name__}: {error})") from None
    if tensors:
        raise wrong(f"nothing of {name} has the tensors {sorted(tensors)!r:.80}")
    return estimator
