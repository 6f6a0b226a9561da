"""One safe file that holds a trained model: weights, hyperparameters, preprocessing, names, history."""

from collections.abc import Callable
from functools import partial
from os import PathLike
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from torchann.files.plain_values import plain
from torchann.files.safetensors_file import ModelFileError, Opened, Shapes, reading, write, wrong
from torchann.nets.preprocessing import Preprocessing
from torchann.publishing.model_document import (
    CLASSES,
    check,
    check_sizes,
    class_of,
    history_columns,
    history_from,
)
from torchann.tasks.saved_net import check_prediction, without_memory

__all__ = ["ModelFileError", "load", "save"]

DTYPES = {
    "F64": torch.float64,
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "I64": torch.int64,
    "I32": torch.int32,
    "U8": torch.uint8,
    "BOOL": torch.bool,
}
MLP_OPTIONS = ("in_features", "out_features", "activation", "dropout", "norm")


def save(model: Any, path: str | PathLike[str]) -> None:
    """Writes a model to one file, from which :func:`load` makes it again.

    The file is a safetensors file with one JSON document and a checksum. It is put in its place whole or not at all.

    Args:
        model: a task or an estimator of this package, fitted or not, or an :class:`~torchann.nets.mlp.MLP`; of a
            ``NetTask`` the weights are kept and not the code of its net.
        path: the file; ``.safetensors`` is the usual ending.

    Raises:
        ModelFileError: for other models, or hyperparameters and tensors that a file cannot hold.
        RuntimeError: if the task has no sizes yet.
        OSError: if the file cannot be written; an old one is untouched then.

    Example:
        >>> import tempfile, torchann
        >>> path = Path(tempfile.mkdtemp(), "housing.safetensors")
        >>> save(torchann.RegressionMLP([30], in_features=8, out_features=1), path)
        >>> load(path).hparams["hidden_sizes"]
        [30]
    """
    name = type(model).__name__
    if type(model).__module__.startswith("torchann.estimators."):
        model.save(path)
        return
    if name not in CLASSES or type(model) is not class_of(name):
        raise ModelFileError(
            f"a {type(model).__module__}.{name} cannot be saved, as its code would not be found again; give a "
            f"{', '.join(CLASSES)}: for a net of your own NetTask(net, outputs)"
        )
    if name != "MLP":
        model._need_net()
    preprocessing: Preprocessing | None = getattr(model, "preprocessing", None)
    prepared = {} if preprocessing is None else preprocessing.tensors()
    tensors = {f"net.{key}": _tensor(key, part) for key, part in _net(model).state_dict().items()}
    tensors |= {f"preprocessing.{key}": _tensor(key, part) for key, part in prepared.items()}
    document = {
        "class": name,
        "hyperparameters": {key: plain(key, value) for key, value in _chosen(model).items()},
        "preprocessing": None if preprocessing is None else preprocessing.describe(),
        "feature_names": getattr(model, "feature_names", None),
        "data": getattr(model, "data_info", None),
        "history": history_columns(getattr(model, "history", None)),
    }
    if getattr(model, "judged", None) is not None:
        document["judged"] = model.judged
    write(Path(path), document, tensors)


def _chosen(model: Any) -> dict[str, Any]:
    # A threshold that was chosen by validation rows is a number of the model.
    options = dict(_options(model))
    return options | {"threshold": model.decision_threshold} if isinstance(options.get("threshold"), str) else options


def _net(model: Any) -> nn.Module:
    net: nn.Module = model if isinstance(model, nn.Sequential) else model.net
    return net


def _options(model: Any) -> dict[str, Any]:
    if not isinstance(model, nn.Sequential):
        return dict(model.hparams)
    hidden = [layer.out_features for layer in model if isinstance(layer, nn.Linear)][:-1]
    return {option: getattr(model, option) for option in MLP_OPTIONS} | {"hidden_sizes": hidden}


def _tensor(key: str, part: Any) -> Tensor:
    if not isinstance(part, Tensor) or part.layout != torch.strided or part.dtype not in DTYPES.values():
        kind = f"{part.layout} tensor of {part.dtype}" if isinstance(part, Tensor) else type(part).__name__
        names = ", ".join(str(dtype).removeprefix("torch.") for dtype in DTYPES.values())
        raise ModelFileError(f"the net's {key} is a {kind}; a file holds dense tensors of {names}")
    return part.detach().cpu().contiguous().clone()  # also where two share their memory


def load(path: str | PathLike[str], net: nn.Module | None = None) -> Any:
    """The model of a file that :func:`save` wrote, in evaluation mode, ready to predict from raw inputs.

    No code of the file runs and nothing is unpickled; a damaged or hostile file is refused before it can fill the
    memory. The caller's random generators are left as they were.

    Args:
        path: the file.
        net: for a ``NetTask``, a net of the shape that was saved; its weights are replaced.

    Returns:
        A task of the class that was saved, with its ``history``, ``preprocessing``, ``feature_names`` and
        ``data_info``; or an MLP, or an estimator.

    Raises:
        FileNotFoundError: if there is no such file.
        ModelFileError: if it is no such file; the error says what it is and what to do.
    """
    with reading(Path(path)) as opened:
        if str(opened.document.get("class")).startswith("estimators."):
            from torchann.estimators import estimator_file  # only here, as it imports scikit-learn

            return estimator_file.rebuild(opened, net)
        check(opened.document)
        check_sizes(opened.document, opened.shapes)
        return _rebuild(opened, net)


def _rebuild(opened: Opened, net: nn.Module | None) -> Any:
    document, shapes = opened.document, opened.shapes
    name, options = document["class"], document["hyperparameters"]
    if name == "NetTask" and net is None:
        raise ModelFileError("of a NetTask a file has the weights, not the net's code; give load(path, net=MyNet())")
    if name != "NetTask" and net is not None:
        raise ModelFileError(f"a {name} needs no net and one was given; leave net out")
    kind, given = class_of(name), {} if net is None else {"net": net}
    skeleton = _made(partial(without_memory, kind, {**options, **given}), name)
    dtype = _check_tensors(_net(skeleton), shapes, own=net is not None)
    tensors = opened.tensors()
    preprocessing = _preprocessing(document["preprocessing"], tensors)
    history = history_from(document["history"])
    with torch.random.fork_rng(devices=[]):
        model = _made(partial(kind, **options, **given), name)
    weights = {key.partition(".")[2]: part for key, part in tensors.items() if key.startswith("net.")}
    _net(model).to(dtype).load_state_dict(weights)
    if name != "MLP":
        model.preprocessing, model.feature_names = preprocessing, document["feature_names"]
        model.data_info, model.history, model.judged = document["data"], history, document.get("judged")
        if net is None:
            _fitting(model)
    return model.eval()


def _fitting(model: Any) -> None:
    try:
        check_prediction(model)
    except ValueError as error:
        raise wrong(str(error)) from None


def _made(make: Callable[[], Any], name: str) -> Any:
    try:
        return make()
    except Exception as error:  # whatever a constructor says of values that come from a file
        raise wrong(f"hyperparameters that make no {name} ({type(error).__name__}: {error})") from None


def _check_tensors(net: nn.Module, shapes: Shapes, own: bool) -> torch.dtype | None:
    """The dtype that all weights have in the file; None of a net of one's own, which has the same ones already."""
    way_out = wrong if not own else lambda what: ModelFileError(f"{what}; give a net of the shape that was saved")
    wanted, floats = {f"net.{key}": part for key, part in net.state_dict().items()}, set()
    found = {key: saved for key, saved in shapes.items() if not key.startswith("preprocessing.")}
    if set(wanted) != set(found):
        more, less = sorted(set(found) - set(wanted)), sorted(set(wanted) - set(found))
        raise way_out(f"the file has tensors {more!r:.80} that the net has not, and lacks {less!r:.80}")
    for key, part in wanted.items():
        dtype, shape = DTYPES.get(found[key][0]), found[key][1]
        free = part.is_floating_point() and not own and dtype is not None and dtype.is_floating_point
        if shape != tuple(part.shape) or not (free or dtype is part.dtype):
            got, has = f"{tuple(shape)} {found[key][0]}", f"{tuple(part.shape)} {part.dtype}"
            raise way_out(f"{key} is {got} in the file and {has} in the net")
        floats |= {dtype} if free else set()
    if len(floats) > 1:
        raise way_out(f"the weights are of several dtypes, {floats}")
    return next(iter(floats), None)


def _preprocessing(steps: Any, tensors: dict[str, Tensor]) -> Preprocessing | None:
    parts = {key.partition(".")[2]: part for key, part in tensors.items() if key.startswith("preprocessing.")}
    if steps is None and not parts:
        return None
    try:
        return Preprocessing.rebuild(steps, parts)
    except ValueError as error:
        raise wrong(str(error)) from None
