"""A forward pass written down as it happens: what each layer and each function takes and returns."""

import inspect
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.overrides import TorchFunctionMode

from torchann.nets.evaluating import evaluating

CONTAINERS = (nn.Sequential, nn.ModuleList, nn.ModuleDict)


@dataclass(frozen=True)
class Step:
    """An input, a call of a layer, or a function that a network's own ``forward`` calls.

    Attributes:
        name: of the input, the path of the layer in the network (``"deep.0"``), or the function's name.
        type: ``"input"``, ``"function"``, or the class of a layer.
        shapes: of the tensors it returns, None for the batch; empty for a layer that was not called.
        parents: numbers of the steps whose results it takes.
        parameters: weights and biases, 0 where an earlier step has counted them.
        trainable: those of them that training changes.
    """

    name: str
    type: str
    shapes: tuple[tuple[int | None, ...], ...]
    parents: tuple[int, ...] = ()
    parameters: int = 0
    trainable: int = 0

    @property
    def is_layer(self) -> bool:
        """Whether it is a layer; otherwise an input or a function."""
        return self.type not in ("input", "function")


def forward_steps(net: nn.Module, args: Sequence[Any], kwargs: Mapping[str, Any]) -> tuple[Step, ...]:
    """Calls a network once, in evaluation mode and without gradients, and writes down its steps.

    Unlike ``torch.fx``, which follows ``forward`` without values, it gets past checks of shapes and any ``if``.
    Training flags, buffers and torch's generator are afterwards what they were.

    Args:
        net: any module.
        args: what it takes, tensors with the batch first, or dicts of them.
        kwargs: what it takes by name.

    Returns:
        The inputs; the layers and functions that led to the outputs or to a layer, as they were called; last whatever
        has parameters and was not called.

    Example:
        >>> [step.name for step in forward_steps(nn.Sequential(nn.Linear(2, 1)), [torch.zeros(4, 2)], {})]
        ['input', '0']
    """
    recorder = _Recorder(inspect.signature(net.forward).bind(*args, **kwargs).arguments)
    layers: dict[nn.Module, str] = {}
    for name, layer in _layers(net):
        layers.setdefault(layer, name)
    handles = [handle for layer, name in layers.items() for handle in recorder.watch(name, layer)]
    buffers = {name: buffer.clone() for name, buffer in net.named_buffers()}
    try:
        with evaluating(net), torch.no_grad(), torch.random.fork_rng(devices=[]), recorder:
            outputs = functional_call(net, buffers, tuple(args), dict(kwargs))
    finally:
        for handle in handles:
            handle.remove()
    for name, module in net.named_modules():
        recorder.add_uncounted(name, module)
    return recorder.steps_towards(outputs)


def _layers(module: nn.Module, name: str = "") -> Iterator[tuple[str, nn.Module]]:
    # What torch.nn makes of several modules, such as attention, is one layer, as in torch.fx.
    made_by_torch = type(module).__module__.startswith("torch.nn.") and type(module) not in CONTAINERS
    children = [] if made_by_torch else list(module.named_children())
    if not children:
        yield name, module
    for child_name, child in children:
        yield from _layers(child, f"{name}.{child_name}" if name else child_name)


def _tensors(value: Any, name: str = "") -> Iterator[tuple[str, Tensor]]:
    if isinstance(value, Tensor):
        yield name, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _tensors(item, str(key))
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _tensors(item, name)


class _Recorder(TorchFunctionMode):
    def __init__(self, inputs: Mapping[str, Any]) -> None:
        super().__init__()
        self.steps: list[Step] = []
        self._made: dict[int, tuple[int, Tensor]] = {}  # holds the tensors, lest another takes over an id
        self._counted: set[nn.Parameter] = set()
        self._in_layer = False
        tensors = list(_tensors(inputs))
        self._batch = tensors[0][1].shape[:1] if tensors else ()
        for name, tensor in tensors:
            self._add(name, "input", (), tensor)

    def watch(self, name: str, layer: nn.Module) -> list[Any]:
        def enter(module: nn.Module, args: Any) -> None:
            self._in_layer = True

        def leave(module: nn.Module, args: Any, kwargs: Any, result: Any) -> Any:
            if any(result is tensor for _, tensor in _tensors((args, kwargs))):
                result = result.view_as(result)  # nn.Identity's result would pass for its input
            self._add(name, type(layer).__name__, (args, kwargs), result, layer.parameters())
            self._in_layer = False
            return result

        return [layer.register_forward_pre_hook(enter), layer.register_forward_hook(leave, with_kwargs=True)]

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        if not self._in_layer:
            given = {id(tensor) for _, tensor in _tensors((args, kwargs))}
            changed = func.__name__.endswith("_") or any(id(tensor) not in given for _, tensor in _tensors(result))
            if changed and not given.isdisjoint(self._made):
                name = func.__self__.__name__ if func.__name__ == "__get__" else func.__name__.strip("_")
                self._add(name, "function", (args, kwargs), result)
        return result

    def add_uncounted(self, name: str, module: nn.Module) -> None:
        own = list(module.parameters(recurse=False))
        if not self._counted.issuperset(own):
            self._add(name, type(module).__name__, (), (), own)

    def _add(self, name: str, kind: str, given: Any, result: Any, parameters: Iterable[nn.Parameter] = ()) -> None:
        made = [self._made[id(tensor)][0] for _, tensor in _tensors(given) if id(tensor) in self._made]
        new = [parameter for parameter in parameters if parameter not in self._counted]
        self._counted.update(new)
        total = sum(parameter.numel() for parameter in new)
        trainable = sum(parameter.numel() for parameter in new if parameter.requires_grad)
        self._made |= {id(tensor): (len(self.steps), tensor) for _, tensor in _tensors(result)}
        shapes = tuple(self._shape(tensor) for _, tensor in _tensors(result))
        self.steps.append(Step(name, kind, shapes, tuple(dict.fromkeys(made)), total, trainable))

    def _shape(self, tensor: Tensor) -> tuple[int | None, ...]:
        sizes = tuple(tensor.shape)
        return (None, *sizes[1:]) if sizes and sizes[:1] == self._batch else sizes

    def steps_towards(self, outputs: Any) -> tuple[Step, ...]:
        # A comparison that only decides which way to go leads to no output and to no layer.
        needed = {self._made[id(tensor)][0] for _, tensor in _tensors(outputs) if id(tensor) in self._made}
        for number, step in reversed(list(enumerate(self.steps))):
            if number in needed or step.type != "function":
                needed |= {number, *step.parents}
        place = {number: new for new, number in enumerate(sorted(needed))}
        return tuple(replace(s, parents=tuple(place[p] for p in s.parents)) for s in map(self.steps.__getitem__, place))
