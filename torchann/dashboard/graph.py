"""The graph of a network for TensorBoard: its inputs, layers and functions as a forward pass meets them."""

from collections.abc import Sequence
from itertools import count
from typing import Any

import torch
from tensorboard.compat.proto.attr_value_pb2 import AttrValue
from tensorboard.compat.proto.graph_pb2 import GraphDef
from tensorboard.compat.proto.node_def_pb2 import NodeDef
from tensorboard.compat.proto.tensor_shape_pb2 import TensorShapeProto
from tensorboard.compat.proto.versions_pb2 import VersionDef
from torch import nn

from torchann.nets.steps import Step, forward_steps


def not_compiled(net: nn.Module) -> nn.Module:
    """Return the net itself where ``torch.compile`` has wrapped it.

    Example:
        >>> net = nn.Linear(2, 1)
        >>> not_compiled(torch.compile(net, backend="eager")) is net, not_compiled(net) is net
        (True, True)
    """
    return next(net.children()) if type(net).__name__ == "OptimizedModule" else net


def steps_of(task: nn.Module, x: Any) -> tuple[Step, ...]:
    """The steps of a task's net on some rows, whatever of them the task gives it.

    Args:
        task: calls ``task.net``; a module without one is a net itself. In evaluation mode.
        x: two rows or more as the task takes them.

    Example:
        >>> [step.name for step in steps_of(nn.Linear(2, 1), torch.zeros(4, 2))]
        ['input', '']
    """
    net = getattr(task, "net", None)
    if not isinstance(net, nn.Module):
        return forward_steps(task, [x], {})
    given: list[Any] = []
    hook = net.register_forward_pre_hook(lambda _, args, kwargs: given.append((args, kwargs)), with_kwargs=True)
    try:
        with torch.no_grad():
            task(x)
    finally:
        hook.remove()
    return forward_steps(not_compiled(net), *given[0])


def layer_name(path: str, kind: str) -> str:
    """What the dashboard calls a layer; charts of scalars get lost where a name has parentheses.

    Example:
        >>> layer_name("deep.0", "Linear"), layer_name("", "Linear")
        ('deep.0_Linear', 'Linear')
    """
    return f"{path}_{kind}" if path else kind


def graph_of(steps: Sequence[Step]) -> Any:
    """The graph that TensorBoard draws: a node for each step, layers of a module within it in a box of their own.

    Torch's ``SummaryWriter.add_graph`` draws every operation of a trace, and no net that takes its inputs by name.

    Args:
        steps: of a forward pass.

    Example:
        >>> graph = graph_of(forward_steps(nn.Sequential(nn.Linear(2, 3), nn.ReLU()), [torch.zeros(4, 2)], {}))
        >>> [(node.name, node.op, list(node.input)) for node in graph.node]
        [('input', 'input', []), ('0_Linear', 'Linear', ['input']), ('1_ReLU', 'ReLU', ['0_Linear'])]
    """
    names: list[str] = []
    for step in steps:
        name = layer_name(step.name, step.type).replace(".", "/") if step.is_layer else step.name
        numbered = (f"{name}-{number}" for number in count(2))
        names.append(name if name not in names else next(other for other in numbered if other not in names))
    nodes = [
        NodeDef(
            name=name,
            op=step.name if step.type == "function" else step.type,
            input=[names[parent] for parent in step.parents],
            attr=_attributes(step),
        )
        for name, step in zip(names, steps, strict=True)
    ]
    return GraphDef(node=nodes, versions=VersionDef(producer=22))


def _attributes(step: Step) -> dict[str, AttrValue]:
    shapes = [
        TensorShapeProto(dim=[TensorShapeProto.Dim(size=-1 if size is None else size) for size in shape])
        for shape in step.shapes
    ]
    found = {"_output_shapes": AttrValue(list=AttrValue.ListValue(shape=shapes))}
    return found | ({"parameters": AttrValue(i=step.parameters)} if step.is_layer else {})
