"""The gradient of a batch that several processes share, in one message."""

from collections.abc import Iterable

import torch

from torchann.engine.rows.sharding import rank_and_world


class AllReduceGradients:
    """All gradients of a net in one flat tensor, which ``torch.distributed.all_reduce`` adds up over the processes.

    How many rows a process has goes along with its gradient, so that each row of the batch counts the same, whoever
    has it, and a process may have none. Made when the processes have met.

    Args:
        parameters: of the net; those that are frozen are left out.

    Example:
        >>> weight = torch.nn.Parameter(torch.zeros(2))
        >>> bucket = AllReduceGradients([weight])  # of the only process here
        >>> weight.grad = torch.tensor([1.0, 2.0])
        >>> bucket.share(rows=4)
        >>> weight.grad
        tensor([1., 2.])
    """

    def __init__(self, parameters: Iterable[torch.nn.Parameter]) -> None:
        self.parameters: list[torch.nn.Parameter] = [parameter for parameter in parameters if parameter.requires_grad]
        sizes = [parameter.numel() for parameter in self.parameters]
        first = self.parameters[0]
        self._all = torch.zeros(sum(sizes) + 1, dtype=first.dtype, device=first.device)
        self._gradients, self._rows = self._all[:-1], self._all[-1:]
        parts = torch.split(self._gradients, sizes)
        self._parts = [part.view_as(parameter) for part, parameter in zip(parts, self.parameters, strict=True)]

    def clear(self) -> None:
        """Makes all gradients 0, for what adds to them."""
        self._gradients.zero_()
        for parameter, part in zip(self.parameters, self._parts, strict=True):
            parameter.grad = part

    def share(self, rows: int) -> None:
        """Makes each parameter's ``grad`` that of the mean loss over the rows of all processes.

        Args:
            rows: over which ``grad`` is the gradient of the mean loss on this process; 0 for none.
        """
        for parameter, part in zip(self.parameters, self._parts, strict=True):
            if parameter.grad is not part:
                part.zero_() if parameter.grad is None else part.copy_(parameter.grad)
                parameter.grad = part
        self._gradients.mul_(rows)
        self._rows.fill_(rows)
        if rank_and_world()[1] > 1:
            torch.distributed.all_reduce(self._all)
        self._gradients.div_(self._rows)
