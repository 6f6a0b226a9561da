"""Rows through arrays by NumPy, against torch's layers."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy import sparse

from torchann.engine.inference import ACTIVATIONS, values_of
from torchann.nets.functional import ACTIVATIONS as OF_TORCH
from torchann.nets.mlp import MLP


def model_of(net, activation):
    normed = [layer.state_dict() for layer in net if hasattr(layer, "eps")]
    return SimpleNamespace(
        coefs_=[layer.weight.detach().numpy().T for layer in net.linears()],
        intercepts_=[layer.bias.detach().numpy() for layer in net.linears()],
        norms_=[{name: part.numpy() for name, part in norm.items() if part.ndim} for norm in normed],
        activation=activation,
        out_activation_="identity",
        n_outputs_=2,
    )


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("name", OF_TORCH)
def test_activation_is_torchs(name, dtype):
    z = torch.cat([torch.linspace(-30, 30, 1001), torch.tensor([-800, -3, -1e-9, 0, 1e-9, 3, 800])]).to(dtype)
    a = ACTIVATIONS[name](z.numpy().copy())
    torch.testing.assert_close(torch.from_numpy(a), OF_TORCH[name].function(z))


@pytest.mark.parametrize("norm", [None, "layer", "batch"])
@pytest.mark.parametrize("count", [1, 50, 90_000])  # the last is cut into parts
def test_values_are_those_of_the_net_in_evaluation(norm, count):
    torch.manual_seed(0)
    net = MLP(4, [7, 5], 2, "gelu", norm=norm).double()
    with torch.no_grad():
        net(torch.randn(20, 4).double() * 3 + 1)  # moves the running figures
        x = torch.randn(count, 4).double()
        wanted = net.eval()(x).numpy()
    for rows in (x.numpy(), sparse.csr_array(x.numpy())):
        np.testing.assert_allclose(values_of(model_of(net, "gelu"), rows), wanted, rtol=1e-9, atol=1e-12)
