"""Initial weights by name: every scheme of ``torch.nn.init``, and Keras' names for four of them."""

import inspect
from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

from torchann.nets.names import did_you_mean

KERAS_NAMES = {
    "glorot_uniform": "xavier_uniform",
    "glorot_normal": "xavier_normal",
    "he_uniform": "kaiming_uniform",
    "he_normal": "kaiming_normal",
}
SCHEMES: dict[str, Callable[..., Tensor]] = {
    name[:-1]: scheme
    for name, scheme in vars(nn.init).items()
    if name.endswith("_") and not name.startswith("_") and inspect.isfunction(scheme)
}


def initializer(name: str, **options: Any) -> Callable[[Tensor], Any]:
    """The function that fills a tensor in place with the scheme of that name.

    Args:
        name: a function of ``torch.nn.init`` without its final underscore (``"xavier_uniform"``, ``"orthogonal"``,
            ``"zeros"``), or Keras' ``"glorot_uniform"``, ``"glorot_normal"``, ``"he_uniform"``, ``"he_normal"``,
            which are torch's Xavier and Kaiming schemes for ReLU (Keras cuts off the tails of its normal ones).
        options: that function's own arguments (``gain``, ``std``, ``val``).

    Raises:
        ValueError: if there is no scheme of that name, or an option is missing or unknown to it.

    Example:
        >>> import torch
        >>> initializer("constant", val=0.5)(torch.empty(2))
        tensor([0.5000, 0.5000])
    """
    if name.startswith("he_"):
        options = {"nonlinearity": "relu"} | options
    scheme = SCHEMES.get(KERAS_NAMES.get(name, name))
    if scheme is None:
        names = sorted(SCHEMES | KERAS_NAMES)
        hint = did_you_mean(name, names, f"choose one of {', '.join(names)}")
        raise ValueError(f"there is no initialisation {name!r}; {hint}")
    try:
        inspect.signature(scheme).bind(None, **options)
    except TypeError as error:
        wanted = ", ".join(list(inspect.signature(scheme).parameters)[1:]) or "none"
        raise ValueError(f"initialisation {name!r} with options {options}: {error}; it takes {wanted}") from None
    return lambda tensor: scheme(tensor, **options)


def initialize(
    net: nn.Module, weight_init: str | None, weight_init_options: dict[str, Any] | None = None, bias_init: str = "zeros"
) -> None:
    """Gives the fully connected layers of a net their first weights and biases, in the order of its modules.

    Args:
        net: any module.
        weight_init: name of a scheme; None leaves weights and biases as ``nn.Linear`` has drawn them.
        weight_init_options: arguments of that scheme.
        bias_init: name of the scheme for the biases, one that takes vectors.

    Raises:
        ValueError: for an unknown scheme, or options without one.

    Example:
        >>> import torch
        >>> layer = nn.Linear(2, 1)
        >>> initialize(layer, "ones")
        >>> layer.weight.tolist(), layer.bias.tolist()
        ([[1.0, 1.0]], [0.0])
    """
    if weight_init is None:
        if weight_init_options or bias_init != "zeros":
            raise ValueError(
                f"weight_init is None, torch's own start, and options {weight_init_options} and bias_init "
                f"{bias_init!r} are given; name a weight_init"
            )
        return
    fill_weight, fill_bias = initializer(weight_init, **weight_init_options or {}), initializer(bias_init)
    for module in net.modules():
        if isinstance(module, nn.Linear):
            fill_weight(module.weight)
            fill_bias(module.bias)
