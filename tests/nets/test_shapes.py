"""What a loss refuses: outputs and targets that do not fit, and probabilities where logits are meant."""

import pytest
import torch
from torch import nn

from torchann.nets.heads import classification_objective, regression_objective
from torchann.nets.shapes import check_logits

HEADS = {
    "regression": (regression_objective(1), (5, 1), (5, 1)),
    "two values": (regression_objective(2, "huber"), (5, 2), (5, 2)),
    "positive": (regression_objective(1, output="positive"), (5, 1), (5, 1)),
    "bounded": (regression_objective(1, output="bounded", bounds=(0, 1)), (5, 1), (5, 1)),
    "binary": (classification_objective("binary", 2), (5, 1), (5,)),
    "multiclass": (classification_objective("multiclass", 3), (5, 3), (5,)),
    "multilabel": (classification_objective("multilabel", 3), (5, 3), (5, 3)),
}
SHAPES = [(5,), (5, 1), (1, 5), (5, 2), (5, 3), (5, 5), (1,), (1, 1), (5, 1, 1), (4,), ()]


@pytest.mark.parametrize("name", HEADS)
@pytest.mark.parametrize("function", ["losses", "error"])
def test_no_head_broadcasts_targets(name, function):
    objective, outputs, fitting = HEADS[name]
    dtype = torch.float32 if objective.loss_name in ("mse", "huber") else torch.int64
    whole = getattr(objective, function)(torch.zeros(outputs), torch.zeros(fitting, dtype=dtype))
    assert whole.shape == ((5,) if function == "losses" else outputs)
    for shape in SHAPES:
        if shape != fitting:
            with pytest.raises(ValueError, match="must have the same shape; give|do not fit logits .*; give"):
                getattr(objective, function)(torch.zeros(outputs), torch.zeros(shape, dtype=dtype))


@pytest.mark.parametrize("name", HEADS)
def test_no_head_takes_outputs_of_another_shape(name):
    objective, fitting, target = HEADS[name]
    for shape in SHAPES:
        if shape[1:] != fitting[1:]:
            with pytest.raises(
                ValueError, match=rf"outputs are .* and the task's \(batch, {fitting[1]}\); (give|leave)"
            ):
                objective.losses(torch.zeros(shape), torch.zeros(target, dtype=torch.int64))


@pytest.mark.parametrize(("shape", "how"), [((5, 1), r"y.squeeze\(1\)"), ((5, 3), r"y.argmax\(1\) of one-hot rows")])
def test_targets_in_a_column_or_one_hot_are_refused_with_the_way_out(shape, how):
    with pytest.raises(ValueError, match=rf"targets \(5, {shape[1]}\) do not fit logits \(5, 3\); give \(5,\): {how}"):
        classification_objective("multiclass", 3).losses(torch.zeros(5, 3), torch.zeros(shape, dtype=torch.int64))


def softmax(z):
    return torch.softmax(z, 1)


PROBABILITIES = {
    "softmax": (softmax, "softmax"),
    "sigmoid": (torch.sigmoid, "sigmoid"),
    "in another dtype": (lambda z: softmax(z).double(), "softmax"),
    "in another shape": (lambda z: softmax(z).reshape(-1).reshape(5, 3), "softmax"),
    "there and back": (lambda z: torch.sigmoid(z).unsqueeze(2).squeeze(2), "sigmoid"),
    "a part": (lambda z: softmax(torch.cat([z, z], 1))[:, :3], "softmax"),
    "of two outputs": (lambda z: softmax(torch.cat([z, z], 1)).split(3, 1)[1], "softmax"),
}
LOGITS = {
    "linear": lambda z: z,
    "relu": torch.relu,
    "tanh": torch.tanh,
    "logarithm of softmax": lambda z: z.log_softmax(1),  # cross-entropy of them is the same
    "zero": lambda z: 0 * z,
    "attention inside": lambda z: softmax(z) @ z.T[:, :3],
    "gate inside": lambda z: z * torch.sigmoid(z),
    "many, in 0-1": lambda z: (z / 100).abs(),
}


@pytest.mark.parametrize("name", PROBABILITIES)
def test_probabilities_are_refused(name):
    function, told = PROBABILITIES[name]
    outputs = function(nn.Linear(2, 3)(torch.randn(5, 2)))
    with pytest.raises(
        ValueError, match=f"gives probabilities, of a {told}, where logits are meant; leave out .* {told}"
    ):
        check_logits(outputs, 3)
    for task in ("multiclass", "multilabel"):
        with pytest.raises(ValueError, match="where logits are meant"):
            classification_objective(task, 3).losses(outputs, torch.zeros(5, 3, dtype=torch.int64)[:, 0])


@pytest.mark.parametrize("name", LOGITS)
def test_logits_are_taken_for_what_they_are(name):
    check_logits(LOGITS[name](nn.Linear(2, 3)(torch.randn(5, 2))), 3)


def test_cross_entropy_of_log_probabilities_is_that_of_logits():
    objective, z = classification_objective("multiclass", 3), torch.randn(5, 3)
    y = torch.tensor([0, 1, 2, 1, 0])
    torch.testing.assert_close(objective.losses(z.log_softmax(1), y), objective.losses(z, y))
