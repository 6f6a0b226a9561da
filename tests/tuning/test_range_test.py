"""The range test: rates, raw losses, every task, and that nothing of the caller's is touched."""

import copy
import math
import random
from itertools import pairwise

import lightning.pytorch as pl
import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from tests.resume.killed_run import Rows
from torchann import ClassificationMLP, NetTask, Output, Perceptron, RegressionMLP, WideAndDeep
from torchann.chapter.two_inputs import TwoInputs
from torchann.engine.rows.loader import TensorLoader
from torchann.tuning import learning_rate_range
from torchann.tuning.lr_range.rates import growing_rates


class Plain(pl.LightningModule):
    """A module of someone else's; by itself it would step in the way that ``kind`` says."""

    def __init__(self, kind="automatic", lr=0.1):
        super().__init__()
        self.save_hyperparameters()
        self.net = nn.Linear(4, 1)
        self.automatic_optimization = kind == "automatic" or kind == "two"

    def training_step(self, batch, batch_idx):
        x, y = batch
        loss = (self.net(x).squeeze(1) - y).square().mean()
        if self.automatic_optimization:
            return {"loss": loss}
        optimizer = self.optimizers()
        optimizer.zero_grad()
        self.manual_backward(loss)
        optimizer.step()
        return None if self.hparams["kind"] == "mute" else loss.detach()

    def configure_optimizers(self):
        first = torch.optim.SGD(self.parameters(), self.hparams["lr"])
        if self.hparams["kind"] == "two":
            return [first, torch.optim.SGD(self.parameters(), 0.1)]
        return {"optimizer": first, "lr_scheduler": torch.optim.lr_scheduler.StepLR(first, 1)}


def two_outputs():
    parts = {"wide": [0, 1, 2], "deep": [2, 3]}
    return NetTask(TwoInputs(3, 2), {"main": Output(weight=0.9), "aux": Output(weight=0.1)}, parts, lr=0.1)


TASKS = {
    "regression": (lambda: RegressionMLP([5]), False),
    "classification": (lambda: ClassificationMLP([5], class_weight="balanced"), True),
    "adam": (lambda: RegressionMLP([5], optimizer="adam"), False),
    "momentum, by autograd": (lambda: ClassificationMLP([5], dropout=0.2, momentum=0.9), True),
    "one cycle": (lambda: RegressionMLP([5], lr_schedule="one_cycle"), False),
    "plateau": (lambda: RegressionMLP([5], lr_schedule="plateau"), False),
    "wide and deep": (lambda: WideAndDeep([5], aux_weight=0.2), False),
    "two inputs, two outputs": (two_outputs, False),
    "someone else's": (Plain, False),
    "someone else's, by hand": (lambda: Plain("by hand"), False),
}


def state(model, data):
    tensors = {name: value.clone() for name, value in model.state_dict().items()}
    return tensors, copy.deepcopy(dict(model.hparams)), model.training, data.batch_size, data.steps_per_execution


@pytest.mark.parametrize("name", TASKS)
def test_every_task_is_tested_and_left_as_it_was(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    make, classes = TASKS[name]
    model, data = make(), Rows(classes=classes)
    before = state(model, data)
    generators = [torch.get_rng_state(), np.random.get_state()[1].copy(), random.getstate()]
    found = learning_rate_range(model, data, min_lr=1e-4, max_lr=100.0, steps=120)
    assert len(found) > 60 and found.losses[0] > 2 * min(found.losses)
    assert found.lr == model.hparams["lr"]
    after = state(model, data)
    assert before[0].keys() == after[0].keys() and all(map(torch.equal, before[0].values(), after[0].values()))
    assert before[1:] == after[1:]
    assert model._trainer is None and data.trainer is None
    assert torch.equal(torch.get_rng_state(), generators[0]) and random.getstate() == generators[2]
    assert np.array_equal(np.random.get_state()[1], generators[1])
    assert list(tmp_path.iterdir()) == [] and capsys.readouterr() == ("", "")


def test_losses_are_those_of_each_batch_alone_at_its_own_rate():
    # From zero, without a bias that moves first: by hand for rows x = 1, y = 1 in each of three batches of one row.
    x, y = torch.ones(3, 1), torch.ones(3)
    model = RegressionMLP([], in_features=1, out_features=1, weight_init="zeros")
    found = learning_rate_range(model, TensorLoader(x, y, 1), min_lr=0.05, factor=2.0, steps=3, stop_above=None)
    assert found.rates == [0.05, 0.1, 0.2]
    # y_hat = w + b; each moves by rate * 2 * (1 - y_hat): the error shrinks by the factor 1 - 4 * rate.
    assert found.losses == pytest.approx([1.0, 0.8**2, (0.8 * 0.6) ** 2], rel=1e-6)


@pytest.mark.parametrize("steps", [None, 1, 4])
def test_blocks_of_steps_have_the_losses_of_single_steps(steps):
    torch.manual_seed(1)
    model = RegressionMLP([6], 4, 1, steps_per_execution=steps)
    found = learning_rate_range(model, Rows(), min_lr=1e-3, max_lr=1.0, steps=40, stop_above=None)
    torch.manual_seed(1)
    plain = NetTask(RegressionMLP([6], 4, 1).net, {"value": Output()})
    by_autograd = learning_rate_range(plain, Rows(), min_lr=1e-3, max_lr=1.0, steps=40, stop_above=None)
    assert found.rates == by_autograd.rates
    assert found.losses == pytest.approx(by_autograd.losses, rel=1e-5)


def test_test_begins_with_the_weights_that_a_fit_of_the_seed_begins_with():
    from torchann import Trainer

    model = RegressionMLP([6])
    trainer = Trainer(max_epochs=1, seed=3, logger=False, quiet=True, limit_train_batches=1)
    trainer.fit(model, datamodule=Rows())
    found = learning_rate_range(RegressionMLP([6]), Rows(), seed=3, steps=5)
    assert found.losses[0] == pytest.approx(trainer.history["train_loss"][0], rel=1e-6)


def test_more_steps_than_an_epoch_has_go_on_in_another_order():
    x = torch.arange(6.0)[:, None]
    model = RegressionMLP([], in_features=1, out_features=1, weight_init="zeros")
    # With rates of almost nothing the loss of a batch of one row is its y².
    found = learning_rate_range(model, TensorLoader(x, x[:, 0], 1, shuffle=True), 1e-12, 1e-11, steps=12)
    seen = [round(math.sqrt(loss)) for loss in found.losses]
    assert sorted(seen[:6]) == sorted(seen[6:]) == list(range(6)) and seen[:6] != seen[6:]


def test_test_ends_where_the_mean_is_ten_times_its_lowest_or_no_number():
    whole = learning_rate_range(RegressionMLP([5], 4, 1), Rows(), 1e-2, 1e3, steps=100, stop_above=None)
    short = learning_rate_range(RegressionMLP([5], 4, 1), Rows(), 1e-2, 1e3, steps=100)
    assert len(whole) == 100 and not math.isfinite(whole.losses[-1])
    assert len(short) == short.first_above(10.0) + 1 < 100


def test_loader_of_the_caller_keeps_its_place_and_its_generators():
    data = Rows()
    own = TensorLoader(data.x, data.y, 8, shuffle=True)
    own.load_state_dict({"epoch": 3, "batch": 5})
    learning_rate_range(RegressionMLP([], 4, 1), own, steps=20)
    assert (own.epoch, own._first_batch) == (3, 5)

    generator = torch.Generator().manual_seed(5)
    loader = DataLoader(TensorDataset(data.x, data.y), 8, shuffle=True, generator=generator)
    before = generator.get_state()
    found = learning_rate_range(RegressionMLP([], 4, 1), loader, steps=20)
    assert len(found) == 20 and torch.equal(generator.get_state(), before) and loader.generator is generator
    bare = DataLoader(TensorDataset(data.x, data.y), 8, shuffle=True)
    learning_rate_range(RegressionMLP([], 4, 1), bare, steps=5)
    assert bare.generator is None and bare.sampler.generator is None


def test_clipped_gradients_are_clipped_in_the_test_too():
    model = RegressionMLP([], 4, 1)
    free = learning_rate_range(model, Rows(), 0.1, 10.0, steps=30, stop_above=None)
    clipped = learning_rate_range(model, Rows(), 0.1, 10.0, steps=30, stop_above=None, gradient_clip_val=1e-6)
    assert max(clipped.losses) < 100 < max(free.losses)


def test_perceptron_is_refused():
    with pytest.raises(TypeError, match="a Perceptron follows no gradient: its rate scales all weights alike"):
        learning_rate_range(Perceptron(), Rows(classes=True))


def test_module_without_a_loss_or_with_two_optimizers_is_refused():
    with pytest.raises(TypeError, match="training_step of Plain returned no loss"):
        learning_rate_range(Plain("mute"), Rows())
    two = Plain("two")
    two.automatic_optimization = False
    with pytest.raises(TypeError, match="Plain has 2 optimizers; a range test needs exactly one"):
        learning_rate_range(two, Rows())


def test_data_that_cannot_be_trained_on_are_refused_as_in_a_fit():
    data = Rows()
    data.x[3, 1] = math.nan
    with pytest.raises(ValueError, match="training inputs have nan in row 3"):
        learning_rate_range(RegressionMLP([5]), data)


def test_interrupt_ends_the_test(monkeypatch):
    from torchann.training.interrupts import Interrupts

    monkeypatch.setattr(Interrupts, "_asked", lambda self, trainer: setattr(self, "reason", "interrupt") or True)
    with pytest.raises(KeyboardInterrupt):
        learning_rate_range(RegressionMLP([5], steps_per_execution=1), Rows())


def test_rates_of_the_book_start_at_a_thousandth_and_grow_by_half_a_per_cent():
    rates = growing_rates(1e-3, factor=1.005, steps=1719)
    assert rates[0] == 1e-3 and len(rates) == 1719
    assert all(after / before == pytest.approx(1.005) for before, after in pairwise(rates))


def test_two_of_steps_factor_and_last_rate_give_the_third():
    assert len(growing_rates(1e-5)) == 1000 and growing_rates(1e-5)[-1] == pytest.approx(10)
    assert growing_rates(1.0, 8.0, factor=2.0) == [1, 2, 4, 8]
    assert growing_rates(1.0, 9.0, factor=2.0) == [1, 2, 4, 8]
    assert growing_rates(1.0, 9.0, steps=3) == pytest.approx([1, 3, 9])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"min_lr": 0.0}, r"rates go from 0\.0 to 10\.0; give 0 < min_lr < max_lr"),
        ({"min_lr": 1.0, "max_lr": 0.5}, r"rates go from 1\.0 to 0\.5"),
        ({"min_lr": 1.0, "max_lr": math.inf}, "rates go from 1.0 to inf"),
        ({"min_lr": 1.0, "factor": 0.9}, r"times 0\.9 in each step; give min_lr above 0, factor above 1"),
        ({"min_lr": -1.0, "factor": 1.1, "steps": 9}, r"rates go from -1\.0 on, times 1\.1 in each step"),
        ({"min_lr": 1.0, "factor": 20.0}, "there are 1 steps; give at least 2"),
        ({"min_lr": 1.0, "steps": 1}, "there are 1 steps; give at least 2"),
        ({"min_lr": 0.1, "max_lr": 1.0, "steps": 5, "factor": 1.1}, "are one too many; leave one of them out"),
    ],
)
def test_rates_that_do_not_grow_are_refused(given, message):
    with pytest.raises(ValueError, match=message):
        growing_rates(**given)
