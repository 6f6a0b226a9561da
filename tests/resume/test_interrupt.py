"""Ctrl-C and SIGTERM end a fit at the next step and lose nothing."""

import functools
import signal

import pytest
import torch
from lightning.pytorch.callbacks import Callback

from tests.resume.killed_run import Rows, Run, differences, in_a_process, what_is_left
from torchann import ClassificationMLP, EarlyStopping, RegressionMLP, Trainer
from torchann.files.checkpoint_files import read_checkpoint
from torchann.training.checkpoints import Checkpoints

RUN = Run(
    functools.partial(ClassificationMLP, [6], dropout=0.3, optimizer="adam", steps_per_execution=2), {"classes": True}
)


class Press(Callback):
    """Sends a signal at the start of a training batch, counted over the whole run."""

    def __init__(self, batch: int, number: int = signal.SIGINT) -> None:
        self.batch, self.number = batch, number

    def on_train_batch_start(self, trainer, *_) -> None:
        if trainer.fit_loop.total_batch_idx == self.batch:
            signal.raise_signal(self.number)


@pytest.fixture(autouse=True)
def ctrl_c_raises():
    """Whoever started the tests may have told them to ignore Ctrl-C."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def fitted(tmp_path, *callbacks, ckpt_path=None, **options):
    trainer = Trainer(runs=str(tmp_path), max_epochs=4, callbacks=list(callbacks), quiet=True, **options)
    model = RUN.model()
    trainer.fit(model, datamodule=Rows(**RUN.data), ckpt_path=ckpt_path)
    return model, trainer


@pytest.mark.parametrize("batch", [0, 3, 6, 9, 27])  # an epoch is 7 calls of at most 2 steps: 6 and 27 are last ones
def test_interrupted_run_goes_on_as_if_it_had_not_been(tmp_path, batch):
    assert in_a_process(RUN, tmp_path / "whole") == 0
    _, trainer = fitted(tmp_path / "stopped", Press(batch))
    assert trainer.stopped_by == "interrupt"
    _, trainer = fitted(tmp_path / "stopped", ckpt_path="last")
    assert trainer.stopped_by == "max_epochs"
    assert not differences(what_is_left(tmp_path / "whole"), what_is_left(tmp_path / "stopped"))


def test_same_trainer_goes_on_after_an_interrupt(tmp_path):
    assert in_a_process(RUN, tmp_path / "whole") == 0
    press = Press(9)
    model, trainer = fitted(tmp_path / "stopped", press)
    assert trainer.stopped_by == "interrupt"
    press.batch = -1
    trainer.fit(model, datamodule=Rows(**RUN.data), ckpt_path="last")
    assert trainer.stopped_by == "max_epochs"
    assert not differences(what_is_left(tmp_path / "whole"), what_is_left(tmp_path / "stopped"))


def test_best_is_found_again_by_another_trainer(tmp_path):
    _, trainer = fitted(tmp_path)
    other = Trainer(runs=str(tmp_path), quiet=True)
    figures = other.validate(RUN.model(), datamodule=Rows(**RUN.data), ckpt_path="best", verbose=False)[0]
    assert figures["val_loss"] == pytest.approx(min(trainer.history["val_loss"]))


def test_interrupt_says_where_and_gives_the_best_weights(tmp_path, capfd):
    model, trainer = fitted(tmp_path, Press(16))  # two epochs of 13 steps in 7 calls, three calls of 2 steps
    folder = trainer.run_folder / "checkpoints"
    said = f"interrupted in epoch 3, after step 32; saved as {folder / 'last.ckpt'}; "
    assert (
        capfd.readouterr().err
        == f"{said}the model has the best weights so far; go on with --resume, or fit(ckpt_path='last')\n"
    )
    best = read_checkpoint(folder / "best.ckpt")
    assert best["epoch"] < 2 and read_checkpoint(folder / "last.ckpt")["global_step"] == 32
    assert all(torch.equal(value, best["state_dict"][name]) for name, value in model.state_dict().items())


def test_interrupt_leaves_the_best_weights_to_early_stopping(tmp_path):
    stopping = EarlyStopping("val_accuracy", mode="max", patience=9)
    model, trainer = fitted(tmp_path, stopping, Press(23), Checkpoints("val_loss"))
    assert trainer.stopped_by == "interrupt" and stopping.best_epoch is not None
    found = trainer.validate(model, datamodule=Rows(**RUN.data), verbose=False)[0]["val_accuracy"]
    assert found == pytest.approx(max(trainer.history["val_accuracy"][:3]))


def test_interrupt_without_checkpoints_says_so(tmp_path, capfd):
    _, trainer = fitted(tmp_path, Press(2), logger=False)
    assert trainer.stopped_by == "interrupt"
    assert "nothing is saved, as this Trainer keeps no checkpoints" in capfd.readouterr().err


def test_signals_are_afterwards_those_of_the_caller(tmp_path):
    fitted(tmp_path, Press(2))
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_signal_that_the_caller_ignores_is_ignored(tmp_path):
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # as nohup does
    _, trainer = fitted(tmp_path, Press(2))
    assert trainer.stopped_by == "max_epochs"


def test_sigterm_saves_and_ends_with_its_status(tmp_path):
    with pytest.raises(SystemExit) as end:
        fitted(tmp_path / "stopped", Press(9, signal.SIGTERM))
    assert end.value.code == 128 + 15
    fitted(tmp_path / "stopped", ckpt_path="last")
    assert in_a_process(RUN, tmp_path / "whole") == 0
    assert not differences(what_is_left(tmp_path / "whole"), what_is_left(tmp_path / "stopped"))


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({}, "max_epochs"),
        ({"max_steps": 5}, "max_steps"),
        ({"max_time": {"seconds": 0}}, "max_time"),
        ({"max_time": {"hours": 1}}, "max_epochs"),
        ({"patience": 0}, "early_stopping"),
    ],
)
def test_what_ended_a_fit_can_be_asked(tmp_path, options, why):
    stopping = [EarlyStopping(patience=0, min_delta=9.0)] if options.pop("patience", None) == 0 else []
    assert fitted(tmp_path, *stopping, **options)[1].stopped_by == why


def test_error_is_no_ending(tmp_path):
    trainer = Trainer(runs=str(tmp_path), max_epochs=1, quiet=True)
    with pytest.raises(ValueError, match="in_features"):
        trainer.fit(RegressionMLP([5], in_features=3), datamodule=Rows())
    assert trainer.stopped_by is None
