"""The net that hyperparameters of a task ask for: one MLP, one that learns vectors for categories, or several."""

from collections.abc import Mapping
from typing import Any

from torchann.nets.embedded_mlp import EmbeddedMLP
from torchann.nets.ensemble import MEANS, EnsembleMLP
from torchann.nets.heads import Objective
from torchann.nets.mlp import MLP

OF_ONE_NET = ("hidden_sizes", "activation", "dropout", "norm")
"""Hyperparameters that are not used where there are members."""
MOST = 8


def net_of(h: Any, objective: Objective) -> EmbeddedMLP | EnsembleMLP | MLP:
    """Make the net of a task.

    Args:
        h: hyperparameters of a regression or classification task, sizes known.
        objective: that goes behind the net; where it ends in a softmax or a sigmoid the members of an ensemble are
            averaged behind that, and otherwise their outputs.

    Raises:
        ValueError: for members and embeddings together, or options that make no net.

    Example:
        >>> import torchann
        >>> members = [{"hidden_sizes": [4], "weight": 1}]
        >>> task = torchann.ClassificationMLP(in_features=2, num_classes=3, members=members)
        >>> type(task.net).__name__, task.net.mean_of
        ('EnsembleMLP', 'softmax')
    """
    inits = (h.weight_init, h.weight_init_options, h.bias_init)
    if h.members is not None:
        if h.embeddings:
            raise ValueError(
                f"members are given and embeddings are {h.embeddings!r:.80}; members take plain numbers: make the "
                "data module with a max_one_hot above the number of categories, or leave members out"
            )
        mean_of = objective.activation_name if objective.activation_name in MEANS else "values"
        return EnsembleMLP(h.in_features, h.members, objective.out_features, mean_of, *inits)
    sizes = (h.hidden_sizes, objective.out_features, h.activation, *inits, h.dropout, h.norm)
    return EmbeddedMLP(h.in_features, h.embeddings, *sizes) if h.embeddings else MLP(h.in_features, *sizes)


def net_in_words(hparams: Mapping[str, Any]) -> str:
    """Return the hidden layers that hyperparameters ask for; nothing where they do not say.

    Example:
        >>> net_in_words({"hidden_sizes": [30, 20], "activation": "relu", "members": None})
        'hidden layers [30, 20], relu'
        >>> member = {"hidden_sizes": [30], "activation": "tanh", "columns": [0, 4], "weight": 0.5}
        >>> net_in_words({"members": [member, member]})
        'mean of 2 nets: 0.5 × [30] tanh of 2 inputs, 0.5 × [30] tanh of 2 inputs'
    """
    if members := hparams.get("members"):
        nets = [
            f"{member['weight']:.3g} × {member['hidden_sizes']} {member['activation']}"
            + (f" of {len(member['columns'])} input{'s'[: len(member['columns']) - 1]}" if member["columns"] else "")
            for member in members[:MOST]
        ]
        more = f" and {len(members) - MOST} more" if len(members) > MOST else ""
        return f"mean of {len(members)} nets: {', '.join(nets)}{more}"
    if "hidden_sizes" not in hparams:
        return ""
    return f"hidden layers {hparams['hidden_sizes']}, {hparams.get('activation', '')}".rstrip(", ")
