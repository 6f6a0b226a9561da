"""The steps of a block as one CUDA graph: on a GPU small nets cost what it takes to start their kernels, one by one."""

from collections.abc import Callable, Hashable
from typing import Any

import torch
from torch import Tensor

Steps = Callable[[Tensor, Tensor], Tensor]
Capture = Callable[[Callable[[], Tensor]], tuple[Callable[[], None], Tensor]]


def capture_on_gpu(function: Callable[[], Tensor]) -> tuple[Callable[[], None], Tensor]:
    """Records what a function does on the GPU, without doing it (``torch.cuda.graph``).

    Args:
        function: whose kernels read and write memory that stays where it is.

    Returns:
        What does it, and the tensor that then holds what the function returned.
    """
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        outputs = function()
    return graph.replay, outputs


class BlockGraph:
    """Runs the steps of blocks of equal shape by replaying a graph of them.

    Whatever is a plain number to a kernel, such as the learning rate, is fixed in the graph: it comes in the ``key``,
    and a graph is recorded when a key comes for the second time. The first block of a key, as one whose numbers change
    each time, runs step by step.

    Args:
        steps: trains on inputs ``(rows, in_features)`` and targets ``(rows, ...)`` and returns the outputs.
        capture: what records; a test without a GPU gives its own.
    """

    def __init__(self, steps: Steps, capture: Capture = capture_on_gpu) -> None:
        self.steps = steps
        self.capture = capture
        self._key: Hashable = None
        self._recorded: tuple[Tensor, Tensor, Callable[[], None], Tensor] | None = None

    def run(self, x: Tensor, y: Tensor, key: Hashable) -> Tensor:
        """Trains on a block.

        Args:
            x: inputs, ``(rows, in_features)``.
            y: targets, ``(rows, ...)``.
            key: all numbers that the steps use beside the tensors.

        Returns:
            The outputs, ``(rows, out_features)``.
        """
        key = (x.shape, x.dtype, y.shape, y.dtype, key)
        if key != self._key:
            self._key, self._recorded = key, None
            return self.steps(x, y)
        if self._recorded is None:
            static: Any = x.clone(), y.clone()
            self._recorded = (*static, *self.capture(lambda: self.steps(*static)))
        static_x, static_y, replay, outputs = self._recorded
        static_x.copy_(x)
        static_y.copy_(y)
        replay()
        return outputs.clone()
