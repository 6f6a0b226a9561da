"""The net that the hyperparameters of a task ask for: one MLP, one that learns vectors for categories, or several."""

from typing import Any

from torchann.nets.embedded_mlp import EmbeddedMLP
from torchann.nets.ensemble import MEANS, EnsembleMLP
from torchann.nets.heads import Objective
from torchann.nets.mlp import MLP


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
