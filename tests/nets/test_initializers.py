import inspect
import math

import pytest
import torch
from torch import nn

from torchann.nets.initializers import SCHEMES, initializer

NEEDED = {"constant": {"val": 0.5}, "sparse": {"sparsity": 0.25}}


def filled(name: str, shape: tuple[int, ...] = (30, 20), **options) -> torch.Tensor:
    torch.manual_seed(0)
    tensor = torch.full(shape, torch.nan)
    initializer(name, **options)(tensor)
    return tensor


def test_schemes_are_those_of_torch():
    documented = {"uniform", "normal", "constant", "ones", "zeros", "eye", "dirac", "xavier_uniform", "xavier_normal"}
    documented |= {"kaiming_uniform", "kaiming_normal", "trunc_normal", "orthogonal", "sparse"}
    assert documented <= set(SCHEMES)
    assert all(SCHEMES[name] is getattr(nn.init, f"{name}_") for name in SCHEMES)


@pytest.mark.parametrize("name", sorted(SCHEMES))
def test_scheme_does_what_torch_does_under_the_same_seed(name):
    shape = (6, 5, 3) if name == "dirac" else (30, 20)
    ours = filled(name, shape, **NEEDED.get(name, {}))
    torch.manual_seed(0)
    expected = getattr(nn.init, f"{name}_")(torch.full(shape, torch.nan), **NEEDED.get(name, {}))
    assert torch.equal(ours, expected)
    assert not ours.isnan().any()


@pytest.mark.parametrize(
    ("name", "bound"),
    [
        # Keras' documentation: limit = sqrt(6 / (fan_in + fan_out)), sqrt(6 / fan_in); here fan_in 20, fan_out 30
        ("glorot_uniform", math.sqrt(6 / 50)),
        ("he_uniform", math.sqrt(6 / 20)),
    ],
)
def test_kerass_uniform_names_have_kerass_limits(name, bound):
    weights = filled(name)
    assert bound * 0.98 < weights.abs().max() <= bound


@pytest.mark.parametrize(
    ("name", "std"),
    [
        # Keras' documentation: stddev = sqrt(2 / (fan_in + fan_out)), sqrt(2 / fan_in); here 300 and 200
        ("glorot_normal", math.sqrt(2 / 500)),
        ("he_normal", math.sqrt(2 / 300)),
    ],
)
def test_kerass_normal_names_have_kerass_standard_deviations(name, std):
    weights = filled(name, (200, 300))
    # The standard deviation of 60,000 draws has a standard error of std / sqrt(120,000), below 0.3 %.
    assert weights.std().item() == pytest.approx(std, rel=0.015)
    assert weights.mean().item() == pytest.approx(0, abs=5 * std / math.sqrt(60_000))


def test_he_initialisation_takes_another_nonlinearity():
    # fan_in mode, gain 1 for a linear layer: bound = sqrt(3 / 20), smaller than ReLU's by sqrt(2)
    assert torch.allclose(filled("he_uniform", nonlinearity="linear"), filled("he_uniform") / math.sqrt(2))


def test_options_reach_the_scheme():
    assert torch.allclose(filled("xavier_uniform", gain=3.0), filled("xavier_uniform") * 3)


@pytest.mark.parametrize(("mistyped", "meant"), [("xavier_unifrom", "xavier_uniform"), ("he_norml", "he_normal")])
def test_mistyped_scheme_is_refused_with_the_one_that_was_meant(mistyped, meant):
    with pytest.raises(ValueError, match=f"no initialisation '{mistyped}'; did you mean '{meant}'"):
        initializer(mistyped)


def test_scheme_like_no_other_is_refused_with_all_names():
    with pytest.raises(
        ValueError, match=r"no initialisation '???'; choose one of constant, .*zeros".replace("?", r"\?")
    ):
        initializer("???")


@pytest.mark.parametrize(
    ("name", "options", "told"),
    [
        ("constant", {}, r"'constant' with options {}.*'val'.*it takes val"),
        ("normal", {"sdt": 1.0}, r"'normal' with options {'sdt': 1.0}.*it takes mean, std"),
        ("zeros", {"gain": 2}, r"'zeros' with options {'gain': 2}.*it takes none"),
    ],
)
def test_option_that_does_not_fit_is_refused_with_those_that_do(name, options, told):
    with pytest.raises(ValueError, match=told):
        initializer(name, **options)


def test_schemes_fill_in_place_and_take_a_tensor_first():
    assert all(next(iter(inspect.signature(scheme).parameters)) == "tensor" for scheme in SCHEMES.values())
