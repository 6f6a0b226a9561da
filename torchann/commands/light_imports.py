"""Imports Lightning without what it imports in passing: a compiler, a plotting and a signal library.

Most commands use none of them, and they take longer to import than all the rest. Each is imported as usual by whatever
uses it later.
"""

import functools
import importlib
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

COMPILER = "torch._dynamo"
PLOTS = "torchmetrics.utilities.plot"


class _Compiled(type):
    # For isinstance(x, OptimizedModule): nothing is one before torch.compile has imported the real class.
    def __instancecheck__(cls, instance: object) -> bool:
        return COMPILER in sys.modules and isinstance(instance, sys.modules[COMPILER].OptimizedModule)


def _not_compiled(function: Callable[..., Any], *_: Any, **__: Any) -> Callable[..., Any]:
    # As torch._dynamo.disable, which means nothing before the compiler is imported.
    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        if COMPILER not in sys.modules:
            return function(*args, **kwargs)
        return sys.modules[COMPILER].disable(function)(*args, **kwargs)

    return call


def _of_plots(name: str) -> Any:
    # Types for annotations, and functions.
    if not name.startswith("plot_"):
        return object
    return lambda *args, **kwargs: getattr(importlib.import_module(PLOTS), name)(*args, **kwargs)


STAND_INS: dict[str, Callable[[str], Any]] = {
    COMPILER: {"OptimizedModule": _Compiled("OptimizedModule", (), {}), "disable": _not_compiled}.__getitem__,
    PLOTS: _of_plots,
    "scipy.signal": lambda name: None,  # of which torchmetrics asks whether an old name is there
}


class _StandIn(ModuleType):
    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # of which inspect asks each module
            raise AttributeError(name)
        return STAND_INS[self.__name__](name)


def import_lightning() -> None:
    """Import Lightning and torchmetrics, unless that has been done already."""
    if "lightning" in sys.modules or "torchmetrics" in sys.modules:
        return
    import torch  # with the real modules

    before = set(sys.modules)
    missing = {name: _StandIn(name) for name in STAND_INS if name not in before}
    sys.modules.update(missing)
    try:
        import lightning.pytorch  # noqa: F401
    except Exception:  # another release, which takes more of them: it is imported in full when it is used
        for name in set(sys.modules) - before:
            del sys.modules[name]
        return
    for name in missing:
        del sys.modules[name]
    for method in vars(torch.optim.Optimizer).values():
        if hasattr(method, "__wrapped__"):  # which each imports the compiler when it is first called
            method.__wrapped__.__dynamo_disable = _not_compiled(method.__wrapped__)
