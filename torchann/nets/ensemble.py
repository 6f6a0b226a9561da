"""Several multilayer perceptrons as one net: the weighted mean of what they predict."""

from collections.abc import Mapping, Sequence
from math import fsum, isclose, log
from numbers import Integral
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import logsigmoid

from torchann.nets.checks import check_dropout, listed_sizes
from torchann.nets.mlp import MLP, activation_module
from torchann.nets.wide_deep import column_numbers

MAX_MEMBERS = 1_000
MEANS = ("values", "softmax", "sigmoid")
DEFAULTS: dict[str, Any] = {"activation": "relu", "columns": None, "dropout": 0.0}
NEEDED = {"hidden_sizes", "weight"}


class EnsembleMLP(nn.Module):
    r"""Multilayer perceptrons side by side whose predictions are averaged with weights.

    What is averaged are values or probabilities; the output is in the form of one MLP's, so that the same objective
    goes behind it: for ``softmax`` the logarithm of the mean probabilities, for ``sigmoid`` their logit.

    .. math:: \log \sum_m w_m \,\mathrm{softmax}(z_m), \qquad
        \log \sum_m w_m \,\sigma(z_m) - \log \sum_m w_m \,\sigma(-z_m)

    Args:
        in_features: numbers per row, after flattening.
        members: the MLPs, each a dict as :func:`listed_members` takes it.
        out_features: outputs per row.
        mean_of: ``"values"`` (the outputs themselves), ``"softmax"`` or ``"sigmoid"`` of the outputs.
        weight_init: scheme of the weights of all members, as :class:`~torchann.nets.mlp.MLP` has it.
        weight_init_options: arguments of that scheme.
        bias_init: name of the scheme for the biases.

    Shape:
        ``(batch, *)`` with ``in_features`` numbers per row to ``(batch, out_features)``.

    Raises:
        ValueError: for members that are none, columns outside the input, or an unknown ``mean_of``.

    Example:
        >>> members = [{"hidden_sizes": [30], "weight": 0.75}, {"hidden_sizes": [], "columns": [0, 2], "weight": 0.25}]
        >>> net = EnsembleMLP(3, members, 1)
        >>> x = torch.randn(5, 3)
        >>> mean = 0.75 * net.members[0](x) + 0.25 * net.members[1](x[:, [0, 2]])
        >>> torch.allclose(net(x), mean)
        True
    """

    def __init__(
        self,
        in_features: int,
        members: Sequence[Mapping[str, Any]],
        out_features: int,
        mean_of: str = "values",
        weight_init: str | None = "xavier_uniform",
        weight_init_options: dict[str, Any] | None = None,
        bias_init: str = "zeros",
    ) -> None:
        super().__init__()
        if mean_of not in MEANS:
            raise ValueError(f"mean_of is {mean_of!r}; choose one of {', '.join(MEANS)}")
        self.in_features, self.out_features, self.mean_of = in_features, out_features, mean_of
        listed = listed_members(members)
        self.weights: list[float] = [member["weight"] for member in listed]
        self.members: nn.ModuleList = nn.ModuleList()
        inits = (weight_init, weight_init_options, bias_init)
        for number, member in enumerate(listed):
            columns, width = member["columns"], in_features
            if columns is not None:
                columns, width = column_numbers(f"members[{number}].columns", columns, in_features), len(columns)
            self.register_buffer(f"columns_{number}", columns, persistent=False)
            sizes = (width, member["hidden_sizes"], out_features, member["activation"])
            self.members.append(MLP(*sizes, *inits, member["dropout"]))

    def forward(self, x: Tensor) -> Tensor:
        """Return logits or values, ``(batch, out_features)``, of inputs ``(batch, *)``."""
        if x.ndim < 2 or x.shape[1:].numel() != self.in_features:
            raise ValueError(f"inputs of shape {tuple(x.shape)}; this net was made for (batch, {self.in_features})")
        x = x.flatten(1)
        outputs = []
        for number, member in enumerate(self.members):
            columns = getattr(self, f"columns_{number}")
            outputs.append(member(x if columns is None else x.index_select(1, columns)))
        if self.mean_of == "values":
            return torch.stack([z * weight for z, weight in zip(outputs, self.weights, strict=True)]).sum(0)
        if self.mean_of == "softmax":
            return self._log_mean([z.log_softmax(1) for z in outputs])
        return self._log_mean([logsigmoid(z) for z in outputs]) - self._log_mean([logsigmoid(-z) for z in outputs])

    def _log_mean(self, logs: list[Tensor]) -> Tensor:
        # Of probabilities as logarithms, as the probabilities themselves may be too small for a float.
        weighted = [part + log(weight) for part, weight in zip(logs, self.weights, strict=True)]
        return torch.stack(weighted).logsumexp(0)


def listed_members(members: Any) -> list[dict[str, Any]]:
    """Return the members of an ensemble as plain values with all their options, as a file holds them.

    Args:
        members: for each MLP a mapping with ``hidden_sizes`` and ``weight``, its share of the mean, above 0, where all
            weights add up to 1; if wanted with ``activation`` (relu), ``dropout`` (0) and ``columns``, the numbers of
            the inputs that it takes (all of them).

    Raises:
        ValueError: for anything else.

    Example:
        >>> listed_members([{"hidden_sizes": (30, 20), "weight": 1}])
        [{'hidden_sizes': [30, 20], 'activation': 'relu', 'columns': None, 'dropout': 0.0, 'weight': 1.0}]
        >>> listed_members([{"hidden_sizes": [30], "weight": 0.5}])
        Traceback (most recent call last):
            ...
        ValueError: the weights of the members, [0.5], add up to 0.5; give numbers above 0 that add up to 1
    """
    if not isinstance(members, (list, tuple)) or not 1 <= len(members) <= MAX_MEMBERS:
        many = f" of {len(members):,}" if isinstance(members, (list, tuple)) else ""
        raise ValueError(f"members is {members!r:.80}{many}; give a list of 1 to {MAX_MEMBERS:,} dicts")
    listed = []
    for number, member in enumerate(members):
        if not isinstance(member, Mapping) or not NEEDED <= set(member) <= NEEDED | set(DEFAULTS):
            raise ValueError(
                f"members[{number}] is {member!r:.80}; give a dict with hidden_sizes and weight, and if wanted with "
                f"{', '.join(DEFAULTS)}"
            )
        try:
            listed.append(_listed(DEFAULTS | dict(member)))
        except ValueError as error:
            raise ValueError(f"members[{number}]: {error}") from None
    weights = [member["weight"] for member in listed]
    if not isclose(fsum(weights), 1, abs_tol=1e-6):
        what = f"the weights of the members, {weights!r:.80}, add up to {fsum(weights):g}"
        raise ValueError(f"{what}; give numbers above 0 that add up to 1")
    return listed


def _listed(member: dict[str, Any]) -> dict[str, Any]:
    activation, columns, dropout, weight = (member[name] for name in ("activation", "columns", "dropout", "weight"))
    activation_module(activation)
    check_dropout(dropout)
    if not isinstance(weight, (int, float, np.number)) or isinstance(weight, bool) or not 0 < weight <= 1:
        raise ValueError(f"weight is {weight!r:.80}; give a number above 0, at most 1")
    if columns is not None:
        whole = isinstance(columns, Sequence) and all(type(c) is not bool and isinstance(c, Integral) for c in columns)
        if not whole or not columns or len(set(columns)) < len(columns):
            raise ValueError(f"columns is {columns!r:.80}; give different numbers of inputs, or None for all")
        columns = [int(column) for column in columns]
    return {
        "hidden_sizes": listed_sizes(member["hidden_sizes"]),
        "activation": activation,
        "columns": columns,
        "dropout": float(dropout),
        "weight": float(weight),
    }
