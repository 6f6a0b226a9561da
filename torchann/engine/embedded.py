"""Explicit backpropagation through an MLP with embeddings: a vector moves by the errors of the rows that used it."""

from collections.abc import Callable, Iterator, Mapping

import torch
from torch import Tensor, nn

from torchann.engine.backprop import Backprop, Trace
from torchann.nets.embedded_mlp import EmbeddedMLP


class _DownToVectors(Backprop):
    """Goes one step further than the first layer: to the vectors among its inputs."""

    def __init__(self, net: EmbeddedMLP, error: Callable[[Tensor, Tensor], Tensor]) -> None:
        super().__init__(net.mlp, error)
        self._of_vectors = self.layers[0][0][:, net.plain :]
        self.vectors_error: Tensor = torch.empty(0)

    def backward(self, trace: Trace, error: Tensor) -> Iterator[tuple[int, Tensor]]:
        for number, layer_error in super().backward(trace, error):
            if number == 0:  # the weights of the first layer have not been moved yet
                self.vectors_error = layer_error @ self._of_vectors
            yield number, layer_error


class EmbeddedBackprop:
    """Explicit backpropagation through an MLP with embeddings, as :class:`~torchann.engine.backprop.Backprop`.

    Args:
        net: whose weights are read and moved.
        error: from outputs ``(batch, out_features)`` and targets to the derivative of each row's loss by each output.

    Example:
        >>> net = EmbeddedMLP(2, [[3, 1]], [], 1, weight_init="ones")
        >>> _ = net.tables[0].weight.data.fill_(1.0)
        >>> backprop = EmbeddedBackprop(net, lambda y_hat, y: 2 * (y_hat - y))  # of the squared error
        >>> x = backprop.prepare(torch.tensor([[2.0, 1.0]]))  # category 1, whose vector is 1
        >>> backprop.descend(x, torch.tensor([[4.0]]), lr=0.1)  # 2 + 1, one less than 4
        tensor([[3.]])
        >>> net.tables[0].weight[:, 0]  # 1 + 0.1 * 2 * 1, the weight that the vector had
        tensor([1.0000, 1.2000, 1.0000], grad_fn=<SelectBackward0>)
    """

    def __init__(self, net: EmbeddedMLP, error: Callable[[Tensor, Tensor], Tensor]) -> None:
        self.net = net
        self.mlp: _DownToVectors = _DownToVectors(net, error)
        self.tables: list[Tensor] = [table.weight.detach() for table in net.tables if isinstance(table, nn.Embedding)]
        self._sizes = [table.shape[1] for table in self.tables]

    def prepare(self, x: Tensor) -> dict[str, Tensor]:
        """Inputs ``(rows, in_features)`` as the steps take them: numbers, and the category numbers of each table."""
        codes = self.net.codes(x)
        by_table = {f"codes {number}": codes[:, number].contiguous() for number in range(len(self.tables))}
        return {"x": x[:, : self.net.plain].to(self.tables[0].dtype), **by_table}

    def _inputs(self, x: Mapping[str, Tensor]) -> Tensor:
        found = [table.index_select(0, x[f"codes {number}"]) for number, table in enumerate(self.tables)]
        return torch.cat([x["x"], *found], 1)

    def descend(
        self,
        x: Mapping[str, Tensor],
        y: Tensor,
        lr: float,
        weight_decay: float = 0.0,
        row_weight: Tensor | None = None,
    ) -> Tensor:
        """A whole gradient-descent step.

        Args:
            x: prepared inputs.
            y: targets as the error wants them.
            lr: learning rate.
            weight_decay: L2 penalty, as ``torch.optim.SGD`` applies it: to all vectors, used or not.
            row_weight: how much each row counts, ``(batch,)``; 1 if not given.

        Returns:
            The outputs before the step, ``(batch, out_features)``.
        """
        outputs = self.mlp.descend(self._inputs(x), y, lr, weight_decay, row_weight)
        keep, rate = 1 - lr * weight_decay, -lr / len(outputs)
        for table, codes, error in self._errors(x):
            if keep != 1:
                table.mul_(keep)
            table.index_add_(0, codes, error, alpha=rate)
        return outputs

    def gradients(self, x: Mapping[str, Tensor], y: Tensor, row_weight: Tensor | None = None) -> Tensor:
        """Puts the gradient of the batch's mean loss into each parameter's ``grad``, for any optimiser.

        Args:
            x: prepared inputs.
            y: targets as the error wants them.
            row_weight: how much each row counts, ``(batch,)``; 1 if not given.

        Returns:
            The outputs, ``(batch, out_features)``.
        """
        outputs = self.mlp.gradients(self._inputs(x), y, row_weight)
        for table, (weight, codes, error) in zip(self.net.tables, self._errors(x), strict=True):
            table.weight.grad = torch.zeros_like(weight).index_add_(0, codes, error)
        return outputs

    def _errors(self, x: Mapping[str, Tensor]) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        errors = torch.split(self.mlp.vectors_error, self._sizes, 1)
        for number, (table, error) in enumerate(zip(self.tables, errors, strict=True)):
            yield table, x[f"codes {number}"], error
