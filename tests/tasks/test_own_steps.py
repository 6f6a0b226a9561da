"""A task's own steps against autograd, both through Lightning's Trainer."""

import pickle

import lightning.pytorch as pl
import pytest
import torch
from lightning.pytorch.callbacks import EMAWeightAveraging, LearningRateMonitor, ModelCheckpoint

import torchann
from torchann.engine.backprop import Backprop
from torchann.engine.rows.loader import TensorLoader
from torchann.tasks.fast_path import largest_block
from torchann.tasks.regression import RegressionMLP

AUTOGRAD = {"gradient_clip_val": 1e9}  # clips nothing, and only autograd can honour it


@pytest.fixture(scope="module")
def data():
    module = torchann.CaliforniaHousingDataModule(batch_size=64)
    module.setup()
    return module


def fit(data, folder, trainer=None, epochs=2, **knobs):
    torch.manual_seed(0)
    model = RegressionMLP([12, 7], **{"lr": 1e-3, **knobs})
    trainer = torchann.Trainer(runs=str(folder), max_epochs=epochs, quiet=True, **(trainer or {}))
    trainer.fit(model, datamodule=data)
    return model, trainer


def figures(trainer):
    return [{name: value for name, value in row.items() if name != "seconds"} for row in trainer.history]


def assert_same_training(one, other, rtol=2e-4, atol=1e-5):
    (model, trainer), (twin, its_trainer) = one, other
    assert trainer.global_step == its_trainer.global_step
    for row, its_row in zip(figures(trainer), figures(its_trainer), strict=True):
        assert row == pytest.approx(its_row, rel=rtol)
    for mine, its in zip(model.parameters(), twin.parameters(), strict=True):
        torch.testing.assert_close(mine, its, rtol=rtol, atol=atol)


@pytest.mark.parametrize(
    "knobs",
    [
        {},
        {"weight_decay": 0.01},
        {"momentum": 0.9},
        {"momentum": 0.9, "nesterov": True, "weight_decay": 0.01},
        {"optimizer": "adam"},
        {"optimizer": "adamw", "weight_decay": 0.01},
        {"optimizer": "rmsprop", "momentum": 0.5},
        {"loss": "mae", "activation": "tanh"},
        {"loss": "huber", "activation": "gelu"},
        {"lr_schedule": "one_cycle"},
        {"lr_schedule": "cosine"},
        {"lr_schedule": "plateau", "lr_schedule_options": {"patience": 0, "threshold": 0.9}},
    ],
    ids=str,
)
def test_own_steps_equal_autograd_in_float64(data, tmp_path, knobs):
    double = {"precision": "64-true"}  # figures are logged as float32
    explicit = fit(data, tmp_path, double, epochs=3, **knobs)
    assert not explicit[0].automatic_optimization
    autograd = fit(data, tmp_path, {**AUTOGRAD, **double}, epochs=3, **knobs)
    assert autograd[0].automatic_optimization
    assert_same_training(explicit, autograd, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("knobs", [{}, {"optimizer": "adam"}, {"activation": "tanh", "momentum": 0.9}], ids=str)
def test_own_steps_equal_autograd_in_float32(data, tmp_path, knobs):
    assert_same_training(fit(data, tmp_path, **knobs), fit(data, tmp_path, AUTOGRAD, **knobs), rtol=2e-4, atol=1e-5)


class HookOptimizer(pl.Callback):
    calls = 0

    def on_train_start(self, trainer, module):
        trainer.optimizers[0].register_step_pre_hook(self.count)

    def count(self, *_):
        self.calls += 1


@pytest.mark.parametrize("knobs", [{}, {"optimizer": "adam"}, {"dropout": 1e-9}], ids=str)
def test_optimizer_with_hooks_trains_in_steps_of_torch(data, tmp_path, knobs):
    hooks, double = HookOptimizer(), {"precision": "64-true"}
    hooked = fit(data, tmp_path, {"callbacks": [hooks], **double}, **knobs)
    assert hooks.calls == 2 * 182 and not hooked[0].automatic_optimization
    assert_same_training(hooked, fit(data, tmp_path, double, **knobs), rtol=1e-6, atol=1e-8)


def test_backprop_of_a_subclass_is_what_trains(data, tmp_path):
    calls = []

    class Counting(Backprop):
        def descend(self, *args):
            calls.append(args)
            return super().descend(*args)

    class Task(RegressionMLP):
        def backprop(self):
            return Counting(self.net, self.objective.error)

    trainer = torchann.Trainer(runs=str(tmp_path), max_epochs=1, quiet=True)
    trainer.fit(Task([12, 7], lr=1e-3), datamodule=data)
    assert len(calls) == trainer.global_step == 182


@pytest.mark.parametrize("steps", [1, 7, 182, 1000])
def test_steps_per_execution_changes_no_figure(data, tmp_path, steps):
    usual, chosen = fit(data, tmp_path), fit(data, tmp_path, steps_per_execution=steps)
    assert figures(usual[1]) == [pytest.approx(row, rel=1e-6) for row in figures(chosen[1])]
    for mine, its in zip(usual[0].parameters(), chosen[0].parameters(), strict=True):
        assert torch.equal(mine, its)


def test_batch_hooks_fire_once_per_block_and_steps_are_counted(data, tmp_path):
    class Count(pl.Callback):
        seen = ()

        def on_train_batch_end(self, trainer, *_):
            self.seen = (*self.seen, trainer.global_step)

    count = Count()
    _, trainer = fit(data, tmp_path, {"callbacks": [count]}, steps_per_execution=100)
    assert trainer.global_step == 2 * 182  # 11,610 rows in batches of 64
    assert count.seen == (100, 182, 282, 364)


def test_max_steps_holds_inside_a_block(data, tmp_path):
    explicit = fit(data, tmp_path, {"max_steps": 250}, epochs=-1)
    assert explicit[1].global_step == 250
    assert_same_training(explicit, fit(data, tmp_path, {"max_steps": 250, **AUTOGRAD}, epochs=-1))


def test_checkpoints_every_n_steps_are_taken_at_those_steps(data, tmp_path):
    every = ModelCheckpoint(tmp_path / "every", "{step}", every_n_train_steps=26, save_top_k=-1)
    fit(data, tmp_path, {"callbacks": [every]})  # 182 = 7 * 26
    steps = sorted(int(path.stem.split("=")[1]) for path in (tmp_path / "every").iterdir())
    assert steps == list(range(26, 365, 26))


def test_rates_are_logged_at_the_step_they_belong_to(data, tmp_path):
    rates = []

    class Rates(pl.loggers.CSVLogger):
        def log_metrics(self, metrics, step):
            rates.extend((step, value) for name, value in metrics.items() if name == "lr-SGD")

    options = {"callbacks": [LearningRateMonitor("step")], "log_every_n_steps": 1}
    fit(data, tmp_path, {"logger": Rates(tmp_path), **options}, steps_per_execution=91, lr_schedule="one_cycle")
    assert [step for step, _ in rates] == [0, 91, 182, 273]


def test_largest_block_divides_what_counts_in_steps():
    model, every = RegressionMLP(), ModelCheckpoint(every_n_train_steps=30)
    trainer = torchann.Trainer(logger=False, quiet=True, callbacks=[every])
    assert largest_block(model, trainer, 90, None) == 30
    assert largest_block(model, trainer, 90, 20) == 10
    assert largest_block(model, trainer, 91, None) == 1
    assert largest_block(model, torchann.Trainer(logger=False, quiet=True), 90, None) is None
    for limit in ({"limit_train_batches": 5}, {"limit_train_batches": 1}, {"val_check_interval": 1}):  # 1.0 is all
        assert largest_block(model, torchann.Trainer(logger=False, quiet=True, **limit), 90, None) == 1


class OwnStep(RegressionMLP):
    def training_step(self, batch, batch_idx):
        return super().training_step(batch, batch_idx)


class WatchGradients(pl.Callback):
    def on_after_backward(self, trainer, module):
        assert module.net.linears()[0].weight.grad.abs().sum() > 0


@pytest.mark.parametrize(
    ("make", "options", "reason"),
    [
        (RegressionMLP, AUTOGRAD, "gradient_clip_val=1000000000.0"),
        (RegressionMLP, {"accumulate_grad_batches": 2}, "gradients are accumulated"),
        (RegressionMLP, {"precision": "bf16-mixed"}, "precision bf16-mixed"),
        (RegressionMLP, {"callbacks": [WatchGradients()]}, "the callback WatchGradients has on_after_backward"),
        (OwnStep, {}, "OwnStep has its own training_step"),
    ],
)
def test_fallback_trains_by_autograd_and_says_why_in_one_line(data, caplog, make, options, reason):
    trainer = torchann.Trainer(logger=False, max_epochs=1, **options)
    model = make([5], lr=1e-3)
    trainer.fit(model, datamodule=data)
    assert [record.getMessage() for record in caplog.records if record.name == "torchann"] == [
        f"{make.__name__} trains by autograd, one batch per step: {reason}"
    ]
    assert model.automatic_optimization


def test_detect_anomaly_finds_by_autograd_where_nan_comes_from(data, caplog):
    trainer = torchann.Trainer(logger=False, max_epochs=1, detect_anomaly=True)
    with pytest.warns(UserWarning, match="Error detected in"), pytest.raises(RuntimeError, match="returned nan values"):
        trainer.fit(RegressionMLP([5], lr=1e30), datamodule=data)
    assert caplog.messages == ["RegressionMLP trains by autograd: detect_anomaly"]


def test_fallback_takes_frozen_weights_and_hooks(data, caplog):
    for change, reason in (
        (lambda net: net.linears()[0].weight.requires_grad_(False), "some weights are frozen"),
        (lambda net: net.register_forward_hook(lambda *_: None), "the net has hooks"),
    ):
        model = RegressionMLP([5], in_features=8, out_features=1)
        change(model.net)
        torchann.Trainer(logger=False, max_epochs=1).fit(model, datamodule=data)
        assert caplog.records[-1].getMessage().endswith(reason)


def test_a_model_can_be_fitted_again_on_the_other_path(data):
    model = RegressionMLP([5], lr=1e-3)
    for options, automatic in (({}, False), (AUTOGRAD, True), ({}, False)):
        torchann.Trainer(logger=False, quiet=True, max_epochs=1, **options).fit(model, datamodule=data)
        assert model.automatic_optimization is automatic


def test_own_steps_take_any_loader_of_pairs(data):
    model = RegressionMLP([5], in_features=8, out_features=1, lr=1e-3)
    rows = torch.utils.data.TensorDataset(*data.prepared().train)
    loader = torch.utils.data.DataLoader(rows, batch_size=500)
    trainer = torchann.Trainer(logger=False, quiet=True, max_epochs=1)
    trainer.fit(model, loader)
    assert not model.automatic_optimization
    assert trainer.global_step == 24  # 11,610 / 500


class Watch(pl.Callback):
    batches = 0

    def on_train_batch_end(self, trainer, module, outputs, batch, batch_idx):
        _, _ = batch
        self.batches += 1


def test_callbacks_that_watch_batches_see_each_by_default(data, tmp_path):
    watch = Watch()
    fit(data, tmp_path, {"callbacks": [watch]})
    assert watch.batches == 2 * 182


def test_averaged_weights_equal_those_under_autograd(data, tmp_path):
    explicit = fit(data, tmp_path, {"callbacks": [EMAWeightAveraging()]})
    assert_same_training(explicit, fit(data, tmp_path, {"callbacks": [EMAWeightAveraging()], **AUTOGRAD}))


def test_data_module_serves_plain_batches_after_a_fit(data, tmp_path):
    fit(data, tmp_path)
    x, y = next(iter(data.train_dataloader()))
    assert len(x) == len(y) == 64


def test_data_module_with_a_loader_of_its_own_trains(tmp_path):
    class Own(torchann.CaliforniaHousingDataModule):
        def train_dataloader(self):
            return torch.utils.data.DataLoader(torch.utils.data.TensorDataset(*self.prepared().train), batch_size=500)

    assert fit(Own(), tmp_path, epochs=1)[1].global_step == 24  # 11,610 / 500


def test_own_optimizers_train_by_autograd(data, caplog):
    class Own(RegressionMLP):
        def configure_optimizers(self):
            return torch.optim.SGD(self.net.linears()[-1].parameters(), lr=1e-3)

    model = Own([5], in_features=8, out_features=1)
    before = model.net.linears()[0].weight.clone()
    torchann.Trainer(logger=False, quiet=True, max_epochs=1).fit(model, datamodule=data)
    assert torch.equal(model.net.linears()[0].weight, before)
    assert model.automatic_optimization


def test_parametrized_layers_train_by_autograd(data):
    model = RegressionMLP([5], in_features=8, out_features=1, lr=1e-3)
    layer = torch.nn.utils.parametrizations.weight_norm(model.net.linears()[0])
    before = layer.parametrizations.weight.original1.clone()
    torchann.Trainer(logger=False, quiet=True, max_epochs=1).fit(model, datamodule=data)
    assert not torch.equal(layer.parametrizations.weight.original1, before)


class Watches(pl.Callback):
    """Asks for Lightning's own steps."""

    def on_before_optimizer_step(self, *_):
        pass


@pytest.mark.parametrize(("first", "then"), [({}, {"callbacks": Watches()}), ({"callbacks": Watches()}, {})])
def test_resuming_on_the_other_engine_goes_on_counting(data, tmp_path, first, then):
    _, trainer = fit(data, tmp_path, first, epochs=1)
    model = RegressionMLP([12, 7], lr=1e-3)
    other = torchann.Trainer(runs=str(tmp_path), max_epochs=2, quiet=True, **then)
    other.fit(model, datamodule=data, ckpt_path=trainer.checkpoint_callback.last_model_path, weights_only=True)
    assert other.global_step == 2 * 182


def test_fitted_model_can_be_pickled(data, tmp_path):
    model, _ = fit(data, tmp_path, epochs=1)
    twin = pickle.loads(pickle.dumps(model))
    assert torch.equal(twin.predict(data.splits.test.x), model.predict(data.splits.test.x))


def test_plateau_without_validation_is_refused():
    loader = TensorLoader(torch.randn(8, 2), torch.randn(8))
    model = RegressionMLP([5], in_features=2, out_features=1, lr_schedule="plateau")
    with pytest.raises(ValueError, match="'plateau' waits for val_loss and there is no validation"):
        torchann.Trainer(logger=False, quiet=True, max_epochs=1).fit(model, loader)


@pytest.mark.parametrize(("target", "classes"), [([-1, 1], 2), ([0, 3], 3), ([0.5, 1.0], 2)])
def test_targets_that_are_no_class_are_refused(target, classes):
    loader = TensorLoader(torch.randn(2, 2), torch.tensor(target))
    model = torchann.ClassificationMLP([5], in_features=2, num_classes=classes)
    wrong = next(t for t in target if t not in range(classes))
    with pytest.raises(ValueError, match=f"there is a target {wrong}; give whole numbers from 0 to {classes - 1}"):
        torchann.Trainer(logger=False, quiet=True, max_epochs=1).fit(model, loader)


def test_steps_per_execution_below_one_is_refused():
    with pytest.raises(ValueError, match="steps_per_execution is 0; give a whole number"):
        TensorLoader(torch.zeros(2), torch.zeros(2), steps_per_execution=0)


def test_quiet_fallback_says_nothing(data, caplog):
    torchann.Trainer(logger=False, quiet=True, max_epochs=1, **AUTOGRAD).fit(RegressionMLP([5]), datamodule=data)
    assert not caplog.records


def test_block_is_never_trained_as_one_batch_by_autograd():
    loader = TensorLoader(torch.randn(8, 2), torch.randn(8), batch_size=2, steps_per_execution=3)
    model = RegressionMLP([5], in_features=2, out_features=1)
    with pytest.raises(ValueError, match=r"a block of 6 rows came .* steps_per_execution=1"):
        torchann.Trainer(logger=False, quiet=True, max_epochs=1, **AUTOGRAD).fit(model, loader)


def test_normalisation_trains_by_autograd_in_blocks(data, caplog):
    model = RegressionMLP([5], lr=1e-3, norm="batch")
    trainer = torchann.Trainer(logger=False, max_epochs=1)
    trainer.fit(model, datamodule=data)
    assert caplog.records[-1].getMessage() == "RegressionMLP trains by autograd: the net has normalisation"
    assert not model.automatic_optimization and trainer.global_step == 182  # 11,610 rows in batches of 64
