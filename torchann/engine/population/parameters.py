"""The weights of networks of one depth, padded to the widest, layer by layer in one piece of memory."""

from collections.abc import Sequence
from itertools import pairwise
from math import prod

import torch
from torch import Tensor


class Parameters:
    """What there is a number of for each weight of each network: weights, velocities, gradients.

    Args:
        count: networks.
        sizes: inputs, and the most units of each layer.
        like: a tensor of the dtype and on the device to use.

    Attributes:
        flat: all of it, ``(numbers,)``.
        layers: views of it, ``(count, units, inputs + 1)`` each; the last column holds the biases. What a network
            narrower than the widest does not have is zero.

    Example:
        >>> both = Parameters(2, [3, 4, 1], torch.zeros(0))
        >>> both.write(0, [torch.ones(2, 4), torch.ones(1, 3)])  # two units in the hidden layer
        >>> both.layers[0][0]
        tensor([[1., 1., 1., 1.],
                [1., 1., 1., 1.],
                [0., 0., 0., 0.],
                [0., 0., 0., 0.]])
        >>> both.layers[1][0]
        tensor([[1., 1., 0., 0., 1.]])
    """

    def __init__(self, count: int, sizes: Sequence[int], like: Tensor) -> None:
        shapes = [(count, units, inputs + 1) for inputs, units in pairwise(sizes)]
        self.flat: Tensor = like.new_zeros(sum(map(prod, shapes)))
        self.layers: list[Tensor] = [
            part.view(shape) for part, shape in zip(torch.split(self.flat, [*map(prod, shapes)]), shapes, strict=True)
        ]

    def write(self, number: int, weights: Sequence[Tensor]) -> None:
        """Puts in the weights of one network, ``(units, inputs + 1)`` each."""
        for layer, weight in zip(self.layers, weights, strict=True):
            units, inputs = weight.shape[0], weight.shape[1] - 1
            layer[number, :units, :inputs] = weight[:, :-1]
            layer[number, :units, -1] = weight[:, -1]

    def read(self, number: int, sizes: Sequence[int]) -> list[Tensor]:
        """Copies out the weights of one network.

        Args:
            number: which.
            sizes: its inputs, and units of each layer.
        """
        weights = []
        for layer, inputs, units in zip(self.layers, sizes, sizes[1:], strict=False):
            own = layer[number, :units]
            weights.append(torch.cat([own[:, :inputs], own[:, -1:]], 1).cpu())
        return weights

    def copy_network(self, number: int, source: "Parameters") -> None:
        """Takes over one network of others of the same sizes."""
        for layer, other in zip(self.layers, source.layers, strict=True):
            layer[number].copy_(other[number])

    def sums_of_weights(self) -> Tensor:
        """The sum over all weights of each network, without biases, ``(count,)``, float64."""
        return torch.stack([layer[:, :, :-1].sum((1, 2), dtype=torch.float64) for layer in self.layers]).sum(0)

    def finite(self) -> list[bool]:
        """Of each network, whether all its numbers are finite."""
        return torch.stack([layer.isfinite().flatten(1).all(1) for layer in self.layers]).all(0).tolist()
