"""Two numbers to draw between."""

import numpy as np
import pytest
from scipy.stats import loguniform

from torchann.tuning.distributions import distributions


def test_two_numbers_of_an_argument_that_is_a_number_are_a_distribution():
    space = distributions({"alpha": (1e-4, 1.0), "mlp__batch_size": (16, 18), "momentum": (0.1, 0.9), "tol": (1, 100)})
    drawn = {name: values.rvs(2000, random_state=0) for name, values in space.items()}
    # by factor: 1e-2 is as many times 1e-4 as 1 is of it; evenly: 0.5 is half-way. 0.06 is five standard deviations
    assert np.mean(drawn["alpha"] < 1e-2) == pytest.approx(0.5, abs=0.06)
    assert np.mean(drawn["tol"] < 10) == pytest.approx(0.5, abs=0.06)
    assert np.mean(drawn["momentum"] < 0.5) == pytest.approx(0.5, abs=0.06)
    assert set(drawn["mlp__batch_size"]) == {16, 17, 18}
    assert drawn["momentum"].min() >= 0.1 and drawn["momentum"].max() <= 0.9


def test_all_else_stays_as_it_is():
    space = {
        "alpha": [1e-4, 1.0],
        "batch_size": (16, 32, 64),
        "learning_rate_init": loguniform(1e-3, 1e-1),
        "hidden_layer_sizes": ((3,), (9,)),
        "shuffle": (False, True),
        "C": (1, 10),
    }
    assert distributions(space) == space
    assert distributions([space, space]) == [space, space]


@pytest.mark.parametrize(
    ("space", "told"),
    [
        (
            {"alpha": (1.0, 1e-4)},
            r"alpha is to be drawn between 1.0 and 0.0001; give \(low, high\), low below high above",
        ),
        ({"learning_rate_init": (0, 1)}, "learning_rate_init is to be drawn between 0 and 1; .* above 0, or a list"),
        (
            {"mlp__batch_size": (32, 32)},
            "mlp__batch_size is to be drawn between 32 and 32; .*low below high, or a list",
        ),
    ],
)
def test_two_numbers_with_nothing_between_are_refused(space, told):
    with pytest.raises(ValueError, match=told):
        distributions(space)
