"""What is written of each layer: weights and biases as they are, gradients and activations on given rows."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.tensorboard import SummaryWriter

from tests.dashboard.events import points, read
from torchann import ClassificationMLP, NetTask, Output, Perceptron, RegressionMLP, WideAndDeep
from torchann.dashboard.layers import write_layers
from torchann.dashboard.sample import Sample


def written(folder, task, x=None, y=None):
    writer = SummaryWriter(str(folder))
    write_layers(writer, task, None if x is None else Sample("training", x, y, x, None), epoch=0)
    writer.close()
    return read(folder)


def summary(events, tag):
    """Lowest and highest value, how many and their sum."""
    histogram = events.Histograms(tag)[0].histogram_value
    return histogram.min, histogram.max, histogram.num, histogram.sum


def test_histograms_are_of_the_weights_and_biases(tmp_path):
    model = RegressionMLP([3], in_features=2, out_features=1)
    with torch.no_grad():
        model.net[1].weight.copy_(torch.tensor([[1.0, -2.0], [3.0, 4.0], [0.5, 0.5]]))
        model.net[3].bias.fill_(0.25)
    events = written(tmp_path, model)
    assert summary(events, "weights/1_Linear") == (-2, 4, 6, 7)
    assert summary(events, "biases/3_Linear") == (0.25, 0.25, 1, 0.25)
    assert sorted(events.Tags()["histograms"]) == [
        *("biases/1_Linear", "biases/3_Linear", "weights/1_Linear", "weights/3_Linear")
    ]


def test_counts_are_those_of_numpy(tmp_path):
    model = RegressionMLP([50], in_features=20, out_features=1)
    events = written(tmp_path, model)
    histogram = events.Histograms("weights/1_Linear")[0].histogram_value
    counts, edges = np.histogram(model.net[1].weight.detach(), bins=64)
    assert histogram.bucket[1:] == pytest.approx(counts.tolist())
    assert histogram.bucket_limit == pytest.approx(edges.tolist(), abs=1e-7)


def test_gradient_is_that_of_the_mean_loss(tmp_path):
    model = RegressionMLP([], in_features=1, out_features=1)
    with torch.no_grad():
        model.net[1].weight.fill_(2.0)
    # Outputs 2 and 6 and targets 1 and 2: the error's derivative is 2 * (1, 4), so that of the weight is the mean of
    # 2 * 1 * 1 and 2 * 4 * 3, that of the bias the mean of 2 and 8.
    events = written(tmp_path, model, torch.tensor([[1.0], [3.0]]), torch.tensor([1.0, 2.0]))
    assert summary(events, "gradients/1_Linear.weight")[0] == 13
    assert summary(events, "gradients/1_Linear.bias")[0] == 5


def test_activations_are_those_of_the_rows(tmp_path):
    model = RegressionMLP([2], in_features=1, out_features=1)
    with torch.no_grad():
        model.net[1].weight.copy_(torch.tensor([[1.0], [-1.0]]))
    events = written(tmp_path, model, torch.tensor([[1.0], [3.0]]), torch.tensor([0.0, 0.0]))
    assert summary(events, "activations/1_Linear") == (-3, 3, 4, 0)
    assert summary(events, "activations/2_ReLU") == (0, 3, 4, 4)


class Shared(nn.Module):
    """One ReLU, which works in place, after each of two layers."""

    def __init__(self):
        super().__init__()
        self.first, self.relu, self.last = nn.Linear(1, 2), nn.ReLU(inplace=True), nn.Linear(2, 1)
        with torch.no_grad():
            self.first.weight.copy_(torch.tensor([[1.0], [-1.0]]))
            self.first.bias.zero_()
            self.last.weight.fill_(-1.0)
            self.last.bias.zero_()

    def forward(self, x):
        return self.relu(self.last(self.relu(self.first(x))))


def test_layer_that_works_in_place_or_is_called_twice_is_seen_as_it_was(tmp_path):
    task = NetTask(Shared(), {"y": Output()})
    events = written(tmp_path, task, torch.tensor([[1.0], [3.0]]), torch.tensor([0.0, 0.0]))
    assert summary(events, "activations/first_Linear") == (-3, 3, 4, 0)
    # ReLU of 1, -1, 3, -3, then of -1 and -3: the second unit and the output are 0 for both rows.
    assert summary(events, "activations/relu_ReLU") == (0, 3, 6, 4)
    assert points(tmp_path, "dead_relus/relu_ReLU") == [(0, pytest.approx(2 / 3))]


def test_unit_that_is_zero_for_all_rows_is_dead(tmp_path):
    model = RegressionMLP([4], in_features=1, out_features=1)
    with torch.no_grad():
        # Sums of the rows 1 and -1: one unit is 0 for the first, one for the second, one for both, one for none.
        model.net[1].weight.copy_(torch.tensor([[1.0], [-1.0], [1.0], [1.0]]))
        model.net[1].bias.copy_(torch.tensor([0.0, 0.0, -5.0, 5.0]))
    written(tmp_path, model, torch.tensor([[1.0], [-1.0]]), torch.tensor([0.0, 0.0]))
    assert points(tmp_path, "dead_relus/2_ReLU") == [(0, 0.25)]


def test_dropout_and_batch_norm_are_those_of_evaluation_and_stay_as_they_were(tmp_path):
    model = ClassificationMLP([8], in_features=4, num_classes=3, dropout=0.5, norm="batch").train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    state = torch.get_rng_state()
    events = written(tmp_path, model, torch.ones(6, 4), torch.tensor([0, 1, 2, 0, 1, 2]))
    assert torch.equal(torch.get_rng_state(), state) and model.net[4].training
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    assert all(parameter.grad is None for parameter in model.parameters())
    model.eval()
    wanted = model.net[:4](torch.ones(6, 4))
    assert summary(events, "activations/3_ReLU")[3] == pytest.approx(wanted.sum().item())


def test_weights_that_are_not_finite_are_left_out(tmp_path):
    model = RegressionMLP([], in_features=3, out_features=1)
    with torch.no_grad():
        model.net[1].weight.copy_(torch.tensor([[float("nan"), 1.0, float("inf")]]))
        model.net[1].bias.fill_(float("nan"))
    events = written(tmp_path, model, torch.ones(2, 3), torch.zeros(2))
    assert summary(events, "weights/1_Linear") == (1, 1, 1, 1)
    assert "biases/1_Linear" not in events.Tags()["histograms"]


def test_frozen_weights_have_no_gradient(tmp_path):
    model = RegressionMLP([2], in_features=3, out_features=1)
    model.net[1].weight.requires_grad_(False)
    tags = written(tmp_path, model, torch.ones(2, 3), torch.zeros(2)).Tags()["histograms"]
    assert "gradients/1_Linear.weight" not in tags and "gradients/1_Linear.bias" in tags


@pytest.mark.parametrize(
    ("task", "layers"),
    [
        (WideAndDeep([3], in_features=2, out_features=1), {"deep.0_Linear", "main_Linear"}),
        (Perceptron(in_features=2), {"Linear"}),
        (nn.Linear(2, 1), {"Linear"}),
    ],
)
def test_layers_have_the_names_of_the_summary(tmp_path, task, layers):
    y = torch.tensor([0, 1])
    tags = written(tmp_path, task, torch.ones(2, 2), y if isinstance(task, Perceptron) else y.float())
    assert {tag.removeprefix("weights/") for tag in tags.Tags()["histograms"] if tag.startswith("weights/")} == layers
