"""Training ends at the first loss that is no number: the step and the layer are named, good weights are kept."""

import lightning.pytorch as pl
import pytest
import torch

import torchann
from tests.tasks.tables import Table, class_table, fit, regression_table, weights
from torchann.engine.rows.loader import TensorLoader
from torchann.engine.stop import StopTraining
from torchann.training.terminate_on_nan import TerminateOnNaN

BATCH, BATCHES = 8, 9
BAD = 4  # the batch, counted from 0, with a target so large that its squared error is infinite in float32


class Rows(Table):
    """Nine batches in stored order, drawn in blocks."""

    def __init__(self, bad=BAD, block=1, order=None, inputs=False):
        table = regression_table(BATCH * BATCHES)
        super().__init__(table.x.clone(), table.y.clone(), BATCH, order, out_features=1)
        if bad is not None:
            (self.x if inputs else self.y)[bad * BATCH] = 1e35
        self.block = block

    def train_dataloader(self):
        return TensorLoader(self.x, self.y, BATCH, order=self.order, steps_per_execution=self.block)


def made(**options):
    torch.manual_seed(0)
    return torchann.RegressionMLP([6, 5], 3, 1, lr=0.01, **options)


ENGINES = {
    "sgd": {},
    "momentum": {"momentum": 0.9},
    "adam": {"optimizer": "adam"},
    "one_cycle": {"lr_schedule": "one_cycle", "lr_schedule_options": {"total_steps": 40}},
    "dropout": {"dropout": 0.2},
    "batch_norm": {"norm": "batch"},
}


@pytest.mark.parametrize("block", [1, 2, 3, 4, 9])
@pytest.mark.parametrize("options", ENGINES.values(), ids=ENGINES)
def test_step_is_found_and_the_model_has_weights_whose_loss_was_finite(options, block, capfd):
    callback, model = TerminateOnNaN(), made(**options)
    trainer = fit(model, Rows(block=block), callbacks=[callback])
    assert trainer.stopped_by == "nan" and callback.step == BAD + 1
    assert f"stopped: the loss of step {BAD + 1}, in epoch 1, is inf: " in (told := capfd.readouterr().err)
    # Those that its call began with; where it is the first step of the call, those that the call before began with.
    before = (BAD - 1) // block * block
    assert f"the model has the weights that step {before + 1} began with" in told
    expected = made(**options)
    fit(expected, Rows(block=block), max_steps=before)
    for name, value in expected.state_dict().items():
        assert torch.equal(model.state_dict()[name], value), name


def test_steps_that_lightning_takes_are_watched_too():
    callback, model = TerminateOnNaN(), made()
    trainer = fit(model, Rows(), callbacks=[callback], gradient_clip_val=1e9)
    assert (trainer.stopped_by, callback.step) == ("nan", BAD + 1)
    expected = made()
    fit(expected, Rows(), max_steps=BAD - 1, gradient_clip_val=1e9)
    assert torch.equal(weights(model), weights(expected))


@pytest.mark.parametrize("block", [1, 4, 9])
def test_first_step_of_an_epoch_goes_back_to_the_epoch_before(block):
    def order(epoch):
        rows = torch.arange(BATCH * BATCHES)
        bad = BAD * BATCH
        rows[bad] = 0
        rows[0] = bad if epoch == 1 else 0
        return rows

    callback, model = TerminateOnNaN(), made(momentum=0.9)
    fit(model, Rows(block=block, order=order), callbacks=[callback])
    assert callback.step == BATCHES + 1
    expected = made(momentum=0.9)
    fit(expected, Rows(block=block, order=order), max_steps=(BATCHES - 1) // block * block)
    assert torch.equal(weights(model), weights(expected))


@pytest.mark.parametrize("block", [1, 9])
def test_first_step_of_all_leaves_the_initial_weights(block, capfd):
    callback, model = TerminateOnNaN(), made()
    fit(model, Rows(bad=0, block=block), callbacks=[callback])
    assert callback.step == 1 and torch.equal(weights(model), weights(made()))
    assert "the model has the weights that this fit began with" in capfd.readouterr().err


@pytest.mark.parametrize("block", [1, 5])
def test_training_that_goes_well_is_not_changed(block):
    watched, alone = made(optimizer="adam", dropout=0.2), made(optimizer="adam", dropout=0.2)
    callback = TerminateOnNaN()
    trainer = fit(watched, Rows(bad=None, block=block), callbacks=[callback])
    fit(alone, Rows(bad=None, block=block))
    assert (trainer.stopped_by, callback.step, callback.layer) == ("max_epochs", None, None)
    assert torch.equal(weights(watched), weights(alone))


def test_layer_whose_output_is_infinite_is_named(capfd):
    callback, model = TerminateOnNaN(), made()
    model.net.linears()[0].weight.data.fill_(1.0)
    model.net.linears()[1].weight.data.fill_(1e6)
    fit(model, Rows(bad=0, inputs=True), callbacks=[callback])
    assert callback.layer == "net.3"
    told = "the first layer that is not finite is net.3 (Linear), whose output is infinite; "
    assert told in (err := capfd.readouterr().err) and "lower the learning rate" in err


def test_layer_whose_weights_are_nan_is_named(capfd):
    callback, model = TerminateOnNaN(), made()
    model.net.linears()[1].weight.data[0, 0] = float("nan")
    fit(model, Rows(bad=None), callbacks=[callback])
    assert (callback.layer, callback.step) == ("net.3", 1)
    assert (
        "is nan: the first layer that is not finite is net.3 (Linear), whose weights are nan; "
        in capfd.readouterr().err
    )


def test_loss_that_overflows_after_finite_layers_is_told(capfd):
    callback = TerminateOnNaN()
    fit(made(), Rows(), callbacks=[callback])
    assert callback.layer is None and "every layer is finite, the loss itself is not" in capfd.readouterr().err


def test_layer_that_is_finite_as_the_call_begins_is_not_blamed(capfd):
    callback, model = TerminateOnNaN(), made()
    fit(model, Rows(block=9), callbacks=[callback])
    assert (callback.step, callback.layer) == (BAD + 1, None)
    told = "is inf: each layer was finite at step 1; weights grew too large since, or the loss alone; the model has"
    assert told in capfd.readouterr().err


class Batches:
    """A loader of three batches whose rows nobody sees before; the second has what is given."""

    def __init__(self, **bad):
        self.bad = bad

    def __len__(self):
        return 3

    def __iter__(self):
        table = regression_table(24)
        for number, (x, y) in enumerate(zip(table.x.split(8), table.y.split(8), strict=True)):
            batch = {"x": x.clone(), "y": y.clone()}
            for name, value in self.bad.items() if number == 1 else ():
                batch[name][3] = value
            yield batch["x"], batch["y"]


@pytest.mark.filterwarnings("ignore:(overflow|invalid value) encountered:RuntimeWarning")
def test_perceptron_is_watched_too():
    data, callback = class_table(num_classes=2), TerminateOnNaN()
    data.x = data.x.double() * 1e200  # once a row has moved the weights, sums are in the order of 1e400
    trainer = fit(torchann.Perceptron(), data, callbacks=[callback])
    assert trainer.stopped_by == "nan" and callback.step == 1


class Foreign(pl.LightningModule):
    """Not of this project; the loss of its second step is infinite."""

    def __init__(self, spoilt=1):
        super().__init__()
        self.layer, self.spoilt = torch.nn.Linear(3, 1), spoilt

    def training_step(self, batch, batch_idx):
        loss = (self.layer(batch[0])[:, 0] - batch[1]).square().mean()
        return loss * float("inf") if batch_idx == self.spoilt else loss

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)


@pytest.mark.parametrize(("name", "what"), [("x", "inputs"), ("y", "targets")])
@pytest.mark.parametrize(("value", "told"), [(float("nan"), "nan"), (float("-inf"), "infinite")])
def test_rows_that_are_not_finite_are_told(name, what, value, told, capfd):
    callback = TerminateOnNaN()
    trainer = torchann.Trainer(max_epochs=2, logger=False, quiet=True, callbacks=[callback])
    trainer.fit(Foreign(spoilt=None), Batches(**{name: value}))
    assert (trainer.stopped_by, callback.step, callback.layer) == ("nan", 2, None)
    assert f"the batch has {what} that are {told}; " in (err := capfd.readouterr().err)
    assert f"look for {told} in the data" in err


def test_module_of_someone_elses_is_watched_and_keeps_its_weights(capfd):
    callback, model = TerminateOnNaN(), Foreign()
    before = model.layer.weight.detach().clone()
    trainer = torchann.Trainer(max_epochs=1, logger=False, quiet=True, callbacks=[callback])
    trainer.fit(model, Batches())
    assert callback.step == 2 and torch.equal(model.layer.weight, before)
    assert "every layer is finite" in capfd.readouterr().err


def test_lightnings_own_trainer_raises():
    silent = dict.fromkeys(("logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary"), False)
    trainer = pl.Trainer(max_epochs=1, accelerator="cpu", callbacks=[TerminateOnNaN()], **silent)
    with pytest.raises(StopTraining, match="the loss of step 2, in epoch 1, is "):
        trainer.fit(Foreign(), Batches())


def test_best_weights_come_back_where_they_are_kept():
    stopping, model = torchann.EarlyStopping("train_loss"), made()
    order = lambda epoch: torch.arange(BATCH * BATCHES) if epoch == 2 else torch.arange(BATCH * BATCHES) % (BAD * BATCH)  # noqa: E731
    fit(model, Rows(order=order), max_epochs=4, callbacks=[TerminateOnNaN(), stopping], limit_val_batches=0)
    expected = made()
    fit(expected, Rows(order=order), max_epochs=2, limit_val_batches=0)
    assert stopping.best_epoch == 1 and torch.equal(weights(model), weights(expected))
