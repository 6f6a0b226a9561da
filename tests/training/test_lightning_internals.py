"""Lightning still has each private name that this package knows, and it means what it is taken for."""

import ast
import inspect
from datetime import timedelta
from pathlib import Path

import lightning.pytorch as pl
import pytest
import torch
from lightning.pytorch.callbacks import EarlyStopping, ModelCheckpoint
from lightning.pytorch.strategies import DDPStrategy, SingleDeviceStrategy
from torch.utils.data import DataLoader

import torchann
from torchann.tasks.fast_path import why_single_steps
from torchann.training import lightning_internals as internals

QUIET = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False, "accelerator": "cpu"}
QUIET |= {"enable_model_summary": False}
NAMES = {
    "_logger_connector": ("trainer", "what was logged in the loop under way", "logged_now"),
    "_results": ("epoch_loop", "the figures that were logged", "leave_figures_in_place"),
    "_should_check_val_fx": ("epoch_loop", "whether the next thing is a validation", "validation_is_next"),
    "_data_fetcher": ("fit_loop", "the iterator over training batches", "validation_is_next, pass_over_batches"),
    "_combined_loader_states_to_load": ("fit_loop", "places of loaders, not yet given", "load_waiting_loader_states"),
    "_load_combined_loader_states": ("fit_loop", "giving loaders their places", "load_waiting_loader_states"),
    "_iteration_based_training": ("fit_loop", "whether max_steps and not epochs count", "end_epochs_with_max_steps"),
    "_data_source": ("fit_loop", "what the training rows come from", "data_of_fit"),
    "_timeout": ("ddp", "how long a process waits for the others", "process_timeout"),
    "_ddp_comm_hook": ("ddp", "another way to exchange gradients", "gradient_hook"),
    "_ddp_comm_wrapper": ("ddp", "another way to exchange gradients", "gradient_hook"),
    "_ddp_comm_state": ("ddp", "another way to exchange gradients", "gradient_hook"),
}
"""Whose they are, what they stand for, and the functions of lightning_internals.py that use them."""


def owners():
    trainer = pl.Trainer(**QUIET)
    loop = trainer.fit_loop
    return {"trainer": trainer, "fit_loop": loop, "epoch_loop": loop.epoch_loop, "ddp": DDPStrategy()}


@pytest.mark.parametrize("name", NAMES)
def test_lightning_has_the_private_name(name):
    owner, meaning, users = NAMES[name]
    kind = type(owners()[owner]).__name__
    assert hasattr(owners()[owner], name), (
        f"Lightning {pl.__version__} has no {kind}.{name}, which stood for {meaning}; find what stands for it now, in "
        f"{users} of training/lightning_internals.py"
    )


def test_the_table_has_the_private_names_of_the_file():
    tree = ast.parse(Path(internals.__file__).read_text())
    used = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute) and node.attr.startswith("_")}
    assert used | set(internals.DDP_HOOKS) == NAMES.keys()


def test_private_methods_take_the_arguments_that_they_are_given():
    loop = owners()["fit_loop"]
    assert list(inspect.signature(loop.epoch_loop._should_check_val_fx).parameters) == ["data_fetcher"]
    assert not inspect.signature(loop._load_combined_loader_states).parameters
    assert not inspect.signature(loop._iteration_based_training).parameters


class Line(pl.LightningModule):
    """A weight trained on the rows 0, 1, 2 and 3, each a batch."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(()))
        self.batches = []

    def training_step(self, batch, batch_idx):
        self.batches.append(batch.item())
        self.log("train_loss", batch.sum(), on_step=False, on_epoch=True)
        return self.weight * batch.sum()

    def validation_step(self, batch, batch_idx):
        self.log("val_loss", batch.sum())

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)

    def train_dataloader(self):
        return DataLoader(torch.arange(4.0))

    def val_dataloader(self):
        return DataLoader(torch.arange(2.0))


def fit(watch, data=None, **options):
    model = Line()
    trainer = pl.Trainer(callbacks=[watch], num_sanity_val_steps=0, **{"max_epochs": 1, **QUIET, **options})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("warnings.warn", lambda *_, **__: None)  # of few workers and few batches
        trainer.fit(model, **(data or {}))
    return model


def test_logged_now_has_no_figures_of_earlier_epochs():
    seen = []

    class Watch(pl.Callback):
        def on_train_epoch_end(self, trainer, module):
            seen.append((sorted(internals.logged_now(trainer)), sorted(trainer.callback_metrics)))

        def on_validation_end(self, trainer, module):
            seen.append(sorted(internals.logged_now(trainer)))

    fit(Watch())
    assert seen == [["val_loss"], (["train_loss"], ["train_loss", "val_loss"])]


def test_figures_on_the_cpu_are_not_moved():
    class Watch(pl.Callback):
        def on_train_epoch_end(self, trainer, module):
            results = trainer.fit_loop.epoch_loop._results
            assert list(results), "an epoch has logged nothing"
            internals.leave_figures_in_place(trainer)
            for result in results.values():
                result.to("meta")
                assert result.value.device.type == "cpu"

    model = fit(Watch(), max_epochs=2)
    assert model.trainer.callback_metrics["train_loss"] == 1.5  # the mean of the rows 0, 1, 2 and 3, also in epoch 2


def test_validation_is_next_before_each_validation():
    seen = []

    class Watch(pl.Callback):
        def on_train_batch_end(self, trainer, *_):
            seen.append(internals.validation_is_next(trainer))

        def on_validation_start(self, trainer, module):
            seen.append("validates")

    fit(Watch(), val_check_interval=2)
    assert seen == [False, True, "validates", False, True, "validates"]


def test_batches_that_count_as_trained_on_are_passed_over():
    class Watch(pl.Callback):
        def on_train_start(self, trainer, module):
            trainer.fit_loop.epoch_loop.batch_progress.current.ready = 2
            internals.pass_over_batches(trainer)
            assert trainer.fit_loop._data_fetcher.fetched == 0

    assert fit(Watch()).batches == [2, 3]


def test_places_that_wait_are_given_to_the_loaders_and_the_reading_begins_there():
    class Places(DataLoader):
        start = 0

        def __iter__(self):
            return iter(torch.arange(4.0)[self.start :].split(1))

        def state_dict(self):
            return {"start": self.start}

        def load_state_dict(self, state):
            self.start = state["start"]

    class Watch(pl.Callback):
        def on_train_start(self, trainer, module):
            loop = trainer.fit_loop
            loop._combined_loader_states_to_load, loop._restarting = [{"start": 3}], True
            internals.load_waiting_loader_states(trainer)
            loop._restarting = False
            assert not loop._combined_loader_states_to_load
            assert next(loop._data_fetcher)[0].item() == 3

    fit(Watch(), {"train_dataloaders": Places(torch.arange(4.0))}, max_steps=1)


def test_an_epoch_is_over_at_its_end_also_with_max_steps():
    trainer = pl.Trainer(max_steps=5, **QUIET)
    trainer.fit_loop.restarting = True
    assert trainer.fit_loop.restarting, "Lightning itself tells the end of an epoch from its middle now"
    internals.end_epochs_with_max_steps(trainer)
    trainer.fit_loop.restarting = True
    assert not trainer.fit_loop.restarting


def test_data_of_a_fit_are_its_loaders_its_data_module_or_the_module():
    seen = []

    class Watch(pl.Callback):
        def on_fit_start(self, trainer, module):
            seen.append(internals.data_of_fit(trainer))

    class Rows(pl.LightningDataModule):
        train_dataloader = Line.train_dataloader
        val_dataloader = Line.val_dataloader

    loader, rows = DataLoader(torch.arange(4.0)), Rows()
    model = fit(Watch())
    fit(Watch(), {"train_dataloaders": loader})
    fit(Watch(), {"datamodule": rows})
    assert [one is other for one, other in zip(seen, (model, loader, rows), strict=True)] == [True] * 3


def test_timeout_of_a_strategy_is_the_one_that_was_given():
    assert internals.process_timeout(DDPStrategy(timeout=timedelta(seconds=5))) == timedelta(seconds=5)


@pytest.mark.parametrize("name", ["ddp_comm_hook", "ddp_comm_wrapper", "ddp_comm_state"])
def test_hook_for_gradients_is_named_and_left_to_lightning(name):
    strategy = DDPStrategy(**{name: print})
    assert internals.gradient_hook(strategy) == name
    trainer = torchann.Trainer(devices=2, strategy=strategy, quiet=True, **QUIET)
    assert why_single_steps(torchann.RegressionMLP([5]), trainer) == f"{name} of the strategy"


def test_no_hook_for_gradients_is_found_where_none_was_given():
    assert internals.gradient_hook(DDPStrategy()) is None
    assert internals.gradient_hook(SingleDeviceStrategy()) is None
    trainer = torchann.Trainer(devices=2, strategy="ddp", quiet=True, **QUIET)
    assert why_single_steps(torchann.RegressionMLP([5]), trainer) is None


def test_lightnings_own_trainer_takes_the_steps_of_several_processes():
    trainer = pl.Trainer(devices=2, strategy="ddp", **QUIET)
    why = "Lightning's own Trainer does not say whether its DDPStrategy has a hook for gradients"
    assert why_single_steps(torchann.RegressionMLP([5]), trainer) == why


def test_what_the_epoch_loop_itself_keeps_is_the_step_of_the_loggers():
    kept = owners()["epoch_loop"].on_save_checkpoint()
    assert list(kept.values()) == [0], (
        f"Lightning {pl.__version__} keeps {kept} of its epoch loop; tasks/block_steps.py takes the only number there "
        "for the step that loggers are told, and adds to it the steps of a block"
    )


def test_keys_of_callbacks_say_what_is_read_from_them():
    key = ModelCheckpoint(every_n_train_steps=30).state_key
    assert "'every_n_train_steps': 30" in key, f"tasks/fast_path.py does not find the steps in {key}"
    given, kept = torchann.EarlyStopping("val_mae").state_key, EarlyStopping("val_mae").state_key
    assert kept.startswith(given[:-1]), f"Lightning has {kept} and training/early_stopping.py {given}"


def test_callback_metrics_can_be_added_to():
    trainer = owners()["trainer"]
    trainer.callback_metrics["val_loss"] = torch.ones(())
    assert trainer.callback_metrics == {"val_loss": torch.ones(())}, "training/resume.py restores figures so"
