"""Section 10.1.4: without activations between them, linear layers however many are one linear layer."""

from collections.abc import Sequence

import torch
from matplotlib.axes import Axes
from torch import Tensor, nn

from torchann.chapter.experiment import Experiment, Outcome, Published, Setting
from torchann.chapter.picture import picture
from torchann.nets.mlp import MLP

COMPOSED = "f(g(x)) of f(x) = 2x + 3 and g(x) = 5x - 1"
DIFFERENCE = "largest difference of the one layer from the stack"
HIDDEN_SIZES = [40, 30, 20]
LINE = torch.linspace(-8, 8, 801, dtype=torch.float64)


def line_of_line() -> MLP:
    """The chapter's example, 2(5x - 1) + 3, as two layers of one linear unit each."""
    net = MLP(1, [1], 1, "identity")
    for layer, weight, bias in zip(net.linears(), (5.0, 2.0), (-1.0, 3.0), strict=True):
        nn.init.constant_(layer.weight, weight)
        nn.init.constant_(layer.bias, bias)
    return net


def collapse(net: MLP) -> nn.Linear:
    r"""The one layer that a stack of linear layers is.

    .. math:: W_2 (W_1 x + b_1) + b_2 = W_2 W_1\, x + (W_2 b_1 + b_2)

    Args:
        net: whose activation is the identity.

    Raises:
        ValueError: if it has another activation, and hidden layers for it to bend.

    Example:
        >>> one = collapse(line_of_line())
        >>> one.weight.item(), one.bias.item()
        (10.0, 1.0)
    """
    first, *rest = net.linears()
    if rest and net.activation != "identity":
        raise ValueError(f"a stack with activation {net.activation!r} is no linear map; give one with 'identity'")
    weight, bias = first.weight.detach(), first.bias.detach()
    for layer in rest:
        weight, bias = layer.weight.detach() @ weight, layer.weight.detach() @ bias + layer.bias.detach()
    one = nn.Linear(net.in_features, net.out_features, dtype=weight.dtype)
    one.weight.data, one.bias.data = weight, bias
    return one


def _run(setting: Setting) -> Outcome:
    one = collapse(line_of_line())
    stack = MLP(3, HIDDEN_SIZES, 2, "identity", bias_init="normal").double()
    x = torch.randn(1000, 3, dtype=torch.float64)
    with torch.no_grad():
        difference = (stack(x) - collapse(stack)(x)).abs().max().item()
    measurements = {COMPOSED: f"{one.weight.item():g}x + {one.bias.item():g}", DIFFERENCE: difference}
    many, few = (sum(parameter.numel() for parameter in net.parameters()) for net in (stack, collapse(stack)))
    text = f"4 linear layers ({many:,} weights and biases) and 1 ({few}) differ by at most {difference:.1e}"
    return Outcome(measurements, text=text, shown=_along_a_line(stack))


def _along_a_line(stack: MLP) -> dict[str, Tensor]:
    bent = MLP(3, HIDDEN_SIZES, 2, "relu").double()
    bent.load_state_dict(stack.state_dict())
    x = LINE[:, None] * torch.ones(3, dtype=torch.float64)
    nets = {"4 linear layers": stack, "the one layer they are": collapse(stack), "the same weights with ReLU": bent}
    with torch.no_grad():
        return {label: net(x)[:, 0] - net(0 * x[:1])[0, 0] for label, net in nets.items()}


@picture(6.5, 4, grid=True)
def _draw(outcomes: Sequence[Outcome], panel: Axes) -> None:
    looks = (("tab:blue", "-", 5.0, 0.4), ("black", "--", 1.2, 1.0), ("tab:orange", "-", 2.0, 1.0))
    for (label, y), (colour, style, width, alpha) in zip(outcomes[0].shown.items(), looks, strict=True):
        panel.plot(LINE, y, color=colour, linestyle=style, linewidth=width, alpha=alpha, label=label)
    panel.set(xlabel="t, where the three inputs are (t, t, t)", ylabel="first output, less its value at 0")
    panel.legend()


EXPERIMENTS = (
    Experiment(
        name="linear_stack",
        section="10.1.4",
        title="Without activations, a deep stack is one layer",
        published=(Published(COMPOSED, "10x + 1"), Published(DIFFERENCE, 0.0, (0.0, 1e-10), by="law")),
        source="the chapter's example; the product of matrices",
        run=_run,
        draw=_draw,
    ),
)
