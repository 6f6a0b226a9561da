"""What is written of a run before it trains: the network's graph, and which charts belong together."""

import logging
from typing import Any

from tensorboard.compat.proto.event_pb2 import Event
from torch.utils.tensorboard import SummaryWriter

from torchann.dashboard.graph import graph_of, steps_of
from torchann.dashboard.layout import layout
from torchann.dashboard.sample import is_task, undisturbed
from torchann.engine.rows.loader import map_rows
from torchann.nets.steps import Step

log: logging.Logger = logging.getLogger("torchann")


def steps_if_known(task: Any, batch: Any) -> tuple[Step, ...] | None:
    """Return the steps of a task's forward pass on two rows of a batch; None where they cannot be followed."""
    if is_task(task):  # anything may happen in the forward of someone else's
        try:
            with undisturbed(task):
                return steps_of(task, map_rows(lambda part: part[:2], batch[0]))
        except Exception as error:  # of a net that cannot be followed, such as one that torch has compiled
            log.info("TensorBoard has no graph of %s: %s", type(task).__name__, error)
    return None


def describe(writer: SummaryWriter, task: Any, graph: tuple[Step, ...] | None, layers: bool, steps: bool) -> None:
    """Write a network's graph and the layout of the custom scalars.

    Args:
        writer: of the run.
        task: that is trained.
        graph: steps of its forward pass; None for no graph.
        layers: whether there are figures of layers.
        steps: whether there are losses of steps.
    """
    if graph is not None:
        event = Event(graph_def=graph_of(graph).SerializeToString())
        writer.file_writer.add_event(event)  # type: ignore[attr-defined]
    figures = task.figure_names() if is_task(task) else ["loss"]
    writer.add_custom_scalars(layout(figures, layers, steps))
