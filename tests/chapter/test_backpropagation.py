"""The walk-through: a step worked by hand, and autograd."""

import copy
import re

import pytest
import torch

from torchann.chapter.backpropagation import (
    EXPERIMENTS,
    LR,
    X,
    Y,
    difference_from_autograd,
    take_step,
    tiny_net,
    walk_through,
)
from torchann.chapter.experiment import Setting, seeded
from torchann.nets.heads import classification_objective, regression_objective
from torchann.nets.mlp import MLP


def exactly(tensor, values):
    torch.testing.assert_close(tensor, torch.tensor(values, dtype=torch.float64), rtol=0, atol=1e-15)


def test_step_is_the_one_worked_by_hand():
    step = take_step(tiny_net(), regression_objective(1), X, Y, LR)
    # Forward. Unit 1: 0.5*1 - 0.5*2 = -0.5, ReLU 0; 0.5*3 + 0.5*1 = 2. Unit 2: 0.25*1 + 0.5*2 + 0.25 = 1.5;
    # 0.25*3 - 0.5*1 + 0.25 = 0.5. Output: 0.5*0 + 2*1.5 = 3; 0.5*2 + 2*0.5 = 2.
    exactly(step.trace.inputs[1], [[0, 1.5], [2, 0.5]])
    exactly(step.trace.outputs, [[3], [2]])
    # Squared errors (3 - 2)² and (2 - 2.5)²; the mean's derivative by an output is 2 * (output - target) / 2 rows.
    exactly(step.losses, [1, 0.25])
    exactly(step.errors[1], [[1], [-0.5]])
    # Output weights: 1*0 - 0.5*2 = -1; 1*1.5 - 0.5*0.5 = 1.25. Bias: 1 - 0.5.
    exactly(step.gradients[1][0], [[-1, 1.25]])
    exactly(step.gradients[1][1], [0.5])
    # Backward: error times output weight (0.5, 2), nothing where ReLU was flat (unit 1, row 1).
    exactly(step.errors[0], [[0, 2], [-0.25, -1]])
    # Unit 1: -0.25 * (3, -1). Unit 2: 2 * (1, 2) - 1 * (3, -1). Biases: the columns' sums.
    exactly(step.gradients[0][0], [[-0.75, 0.25], [-1, 5]])
    exactly(step.gradients[0][1], [-0.25, 1])
    # Descend by 0.05 of the gradient.
    exactly(step.after[0][0], [[0.5375, -0.5125], [0.3, 0.25]])
    exactly(step.after[0][1], [0.0125, 0.2])
    exactly(step.after[1][0], [[0.55, 1.9375]])
    exactly(step.after[1][1], [-0.025])
    # Now row 1 gives 1.9375 * (0.3 + 0.5 + 0.2) - 0.025 = 1.9125; row 2, with unit 1 at 1.6125 + 0.5125 + 0.0125 =
    # 2.1375 and unit 2 at 0.9 - 0.25 + 0.2 = 0.85: 0.55 * 2.1375 + 1.9375 * 0.85 - 0.025 = 2.7975.
    exactly(step.losses_after, [0.0875**2, 0.2975**2])


@pytest.mark.parametrize("activation", ["relu", "sigmoid", "gelu"])
def test_gradients_of_a_deeper_net_agree_with_autograd(activation):
    torch.manual_seed(0)
    objective = classification_objective("multiclass", 3)
    net = MLP(4, [6, 5], 3, activation, bias_init="normal").double()
    before = copy.deepcopy(net)
    step = take_step(net, objective, torch.randn(7, 4, dtype=torch.float64), torch.randint(0, 3, (7,)), 0.1)
    assert difference_from_autograd(step, before, objective) < 1e-14
    assert difference_from_autograd(step, net, objective) > 1e-3  # with other weights the gradients are others


def test_weights_move_against_their_gradients():
    torch.manual_seed(0)
    net = MLP(3, [4], 2, "tanh").double()
    x, y = torch.randn(5, 3, dtype=torch.float64), torch.randn(5, 2, dtype=torch.float64)
    step = take_step(net, regression_objective(2), x, y, 0.1)
    for before, gradient, after, linear in zip(step.before, step.gradients, step.after, net.linears(), strict=True):
        torch.testing.assert_close(after[0], before[0] - 0.1 * gradient[0])
        torch.testing.assert_close(after[1], before[1] - 0.1 * gradient[1])
        assert torch.equal(after[0], linear.weight)
    assert step.losses_after.mean() < step.losses.mean()


def test_walk_through_prints_the_six_steps_with_their_values():
    text = walk_through(take_step(tiny_net(), regression_objective(1), X, Y, LR))
    assert re.findall(r"^(\d)\. (\w+)", text, flags=re.MULTILINE) == [
        ("1", "Take"),
        ("2", "Forward"),
        ("3", "Measure"),
        ("4", "How"),
        ("5", "Backward"),
        ("6", "Descend"),
    ]
    for line in (
        r"inputs +1\.0000 +2\.0000\n +3\.0000 +-1\.0000",
        r"layer 1 weighted sums +-0\.5000 +1\.5000\n",  # before ReLU, which the trace does not keep
        r"layer 1 activations +0\.0000 +1\.5000\n",
        r"mean loss +0\.6250\n",
        r"layer 1 errors +0\.0000 +2\.0000\n +-0\.2500 +-1\.0000\n",
        r"layer 2 weights, gradient +-1\.0000 +1\.2500\n",
        r"layer 1 biases, new +0\.0125 +0\.2000\n",
        r"mean loss now +0\.0481$",
    ):
        assert re.search(line, text), line


def test_experiment_meets_its_figures_and_draws_weights_and_gradients():
    (experiment,) = EXPERIMENTS
    outcome = seeded(experiment, Setting(experiment.name))
    assert all(published.met_by(outcome.measurements[published.measurement]) for published in experiment.published)
    forward, backward = experiment.draw([outcome], experiment.title).axes
    written = {text.get_text() for text in forward.texts}
    assert {"1\n3", "0\n2", "1.5\n0.5", "3\n2", "0.5", "-0.5", "0.25", "2", "bias 0.25"} <= written
    written = {text.get_text() for text in backward.texts}
    assert {"0\n-0.25", "2\n-1", "1\n-0.5", "-0.75", "0.25", "-1", "5", "1.25", "bias -0.25", "bias 0.5"} <= written
