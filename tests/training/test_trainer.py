"""The folder that a run leaves, and the checkpoints in it."""

import json
import signal
import warnings
from importlib.metadata import version

import pytest
import torch
from lightning.pytorch.callbacks import Callback, ModelCheckpoint, OnExceptionCheckpoint
from lightning.pytorch.loggers import CSVLogger
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from tests.conftest import rows
from tests.tasks.tables import regression_table
from torchann import Checkpoints, IrisDataModule, Perceptron, RegressionMLP, Trainer
from torchann.dashboard.tensorboard_logger import RunLogger
from torchann.files.run import Run, RunFolderError, versions


def load(path):
    return torch.load(path, weights_only=True)


def fitted(tmp_path, ckpt_path=None, **options):
    trainer = Trainer(runs=str(tmp_path / "runs"), name="iris", **({"max_epochs": 3, "quiet": True} | options))
    trainer.fit(Perceptron(), datamodule=IrisDataModule(), ckpt_path=ckpt_path)
    return trainer


class Interrupt(Callback):
    """Presses Ctrl-C twice in the middle of an epoch, for whoever cannot wait for the end of a step."""

    def __init__(self, epoch: int) -> None:
        self.epoch = epoch

    def on_train_batch_end(self, trainer, *_) -> None:
        if trainer.current_epoch == self.epoch:
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)


@pytest.fixture
def ctrl_c_raises():
    """Whoever started the tests may have told them to ignore Ctrl-C."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_run_folder_holds_config_checkpoints_events_history_and_versions(housing_run):
    names = {str(path.relative_to(housing_run)) for path in housing_run.rglob("*") if path.is_file()}
    assert {"config.yaml", "checkpoints/best.ckpt", "checkpoints/last.ckpt", "history.csv", "versions.json"} <= names
    assert {path.name for path in (housing_run / "checkpoints").iterdir()} == {"best.ckpt", "last.ckpt"}
    assert {path.parent.name for path in housing_run.rglob("events*")} == {"001", "train", "validation", "test"}


def test_history_has_a_row_per_epoch_with_the_figures_of_training_and_validation(housing_run):
    history = rows(housing_run)
    assert [row["epoch"] for row in history] == [0, 1, 2]
    figures = ["loss", "mae", "rmse"]
    columns = ["epoch", "lr", *(f"train_{name}" for name in figures), *(f"val_{name}" for name in figures), "seconds"]
    assert list(history[0]) == columns
    assert all(row["lr"] == 0.001 and row["seconds"] > 0 for row in history)
    for row in history:  # the law of the two figures: RMSE is the root of MSE
        assert row["val_rmse"] ** 2 == pytest.approx(row["val_loss"], rel=1e-5)


@pytest.mark.parametrize(("stage", "sub_run"), [("train", "train"), ("val", "validation")])
def test_history_and_tensorboard_say_the_same(housing_run, stage, sub_run):
    events = EventAccumulator(str(housing_run / sub_run), size_guidance={"scalars": 0}).Reload()
    for tag in ("loss", "mae", "rmse"):
        points = [(point.step, point.value) for point in events.Scalars(tag)]
        assert points == [(row["epoch"], pytest.approx(row[f"{stage}_{tag}"], rel=1e-6)) for row in rows(housing_run)]


def test_history_holds_the_figures_of_the_trainer(tmp_path):
    trainer = fitted(tmp_path)
    last = rows(trainer.run_folder)[-1]
    assert {name: pytest.approx(value.item()) for name, value in trainer.callback_metrics.items()} == {
        name: last[name] for name in trainer.callback_metrics
    }


def test_best_checkpoint_is_of_the_epoch_with_the_lowest_validation_loss(species_run, housing_run):
    for run in (species_run, housing_run):
        best = min(rows(run), key=lambda row: row["val_loss"])
        assert load(run / "checkpoints" / "best.ckpt")["epoch"] == best["epoch"]


def test_best_checkpoint_is_not_the_last_after_training_got_worse(tmp_path):
    # On iris the Perceptron's loss is 0 from the second epoch but one; before, it rises and falls.
    trainer = fitted(tmp_path, max_epochs=8)
    losses = [row["val_loss"] for row in rows(trainer.run_folder)]
    assert min(losses) < losses[0]
    assert load(trainer.run_folder / "checkpoints" / "best.ckpt")["epoch"] == losses.index(min(losses)) < 7


def test_last_checkpoint_is_of_the_last_epoch(species_run, housing_run):
    for run, epochs in ((species_run, 20), (housing_run, 3)):
        assert load(run / "checkpoints" / "last.ckpt")["epoch"] == epochs - 1


def test_best_checkpoint_goes_by_the_training_loss_where_nothing_is_validated(tmp_path):
    trainer = fitted(tmp_path, max_epochs=8, limit_val_batches=0)
    losses = [row["train_loss"] for row in rows(trainer.run_folder)]
    best = load(trainer.run_folder / "checkpoints" / "best.ckpt")
    assert best["epoch"] == losses.index(min(losses))
    assert "val_loss" not in rows(trainer.run_folder)[0]


def test_versions_name_the_packages_and_the_machine(housing_run):
    written = json.loads((housing_run / "versions.json").read_text())
    assert written == versions()
    assert written["torch"] == version("torch")
    assert {"torchann", "lightning", "python", "platform", "threads"} <= set(written)


def test_second_run_gets_a_folder_of_its_own_and_leaves_the_first_alone(tmp_path):
    first = fitted(tmp_path).run_folder
    before = {path: path.read_bytes() for path in first.rglob("*") if path.is_file()}
    second = fitted(tmp_path).run_folder
    assert (first.name, second.name) == ("001", "002")
    assert {path: path.read_bytes() for path in first.rglob("*") if path.is_file()} == before
    assert (first / "history.csv").is_file() and (second / "checkpoints" / "best.ckpt").is_file()


def test_callbacks_of_ones_own_come_beside_the_runs_and_a_checkpoint_in_their_place(tmp_path):
    own = ModelCheckpoint(tmp_path / "own", "mine", "val_accuracy", mode="max")
    trainer = fitted(tmp_path, callbacks=own)
    assert [path.name for path in (tmp_path / "own").iterdir()] == ["mine.ckpt"]
    assert not (trainer.run_folder / "checkpoints").exists() and (trainer.run_folder / "history.csv").is_file()


def test_callback_that_is_none_is_refused():
    with pytest.raises(TypeError, match=r"a callback is 'early'; give objects, such as torchann.EarlyStopping\(\)"):
        Trainer(callbacks="early")


def test_checkpoint_of_another_kind_comes_beside_best_and_last(tmp_path):
    trainer = fitted(tmp_path, callbacks=OnExceptionCheckpoint(tmp_path / "own"))
    assert sorted(path.name for path in (trainer.run_folder / "checkpoints").iterdir()) == ["best.ckpt", "last.ckpt"]
    assert isinstance(trainer.checkpoint_callback, Checkpoints)


def test_logger_of_ones_own_takes_the_place_of_the_run_folder(tmp_path):
    trainer = fitted(tmp_path, logger=CSVLogger(tmp_path / "own"))
    assert not (tmp_path / "runs").exists()
    assert trainer.run_folder == tmp_path / "own" / "lightning_logs" / "version_0"


@pytest.mark.parametrize(("options", "ended"), [({}, "nan"), ({"terminate_on_nan": False}, "max_epochs")], ids=str)
def test_fit_ends_with_the_first_loss_that_is_no_number_unless_told_otherwise(tmp_path, options, ended):
    data, model = regression_table(), RegressionMLP([4], lr=1e20)
    trainer = Trainer(runs=str(tmp_path), quiet=True, max_epochs=3, **options)
    trainer.fit(model, datamodule=data)
    assert trainer.stopped_by == ended
    assert all(part.isfinite().all() for part in model.parameters()) == (ended == "nan")


def test_trainer_without_logger_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    fitted(tmp_path, logger=False)
    assert list(tmp_path.iterdir()) == []


def test_dry_run_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    fitted(tmp_path, fast_dev_run=True)
    assert list(tmp_path.iterdir()) == []


def test_quiet_run_says_nothing_and_a_loud_one_says_where_it_is(tmp_path, capfd):
    fitted(tmp_path)
    assert capfd.readouterr() == ("", "")
    trainer = fitted(tmp_path, quiet=False)
    best = min(row["val_loss"] for row in rows(trainer.run_folder))
    said = f"3 epochs, best val_loss {best:.4f}; run folder {tmp_path}/runs/iris/002\n"
    told = capfd.readouterr()
    assert (told.out.splitlines(keepends=True)[3:], told.err) == ([said], "")  # behind a line per epoch


def test_framework_stays_free_to_warn_of_what_matters(tmp_path):
    fitted(tmp_path)
    with pytest.warns(UserWarning, match="learning rate is odd"):
        warnings.warn("learning rate is odd", UserWarning, stacklevel=1)


def test_second_ctrl_c_raises_and_names_the_last_checkpoint(tmp_path, capfd, ctrl_c_raises):
    with pytest.raises(KeyboardInterrupt):
        fitted(tmp_path, max_epochs=50, callbacks=Interrupt(epoch=2))
    last = tmp_path / "runs" / "iris" / "001" / "checkpoints" / "last.ckpt"
    assert capfd.readouterr() == ("", f"interrupted; the last checkpoint is {last}\n")
    assert load(last)["epoch"] == 1
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler  # Lightning would ignore the next Ctrl-C


def test_second_ctrl_c_in_the_first_epoch_names_no_checkpoint(tmp_path, capfd, ctrl_c_raises):
    with pytest.raises(KeyboardInterrupt):
        fitted(tmp_path, callbacks=Interrupt(epoch=0))
    assert capfd.readouterr().err == "interrupted\n"


def test_exit_of_a_callback_is_not_taken_for_ctrl_c(tmp_path):
    class Exit(Callback):
        def on_train_batch_end(self, *_) -> None:
            raise SystemExit(7)

    with pytest.raises(SystemExit, match="7"):
        fitted(tmp_path, callbacks=Exit())


def test_run_that_another_process_trains_is_not_gone_on_with(tmp_path):
    folder = fitted(tmp_path, max_epochs=1).run_folder
    with (
        Run(folder).lock(),
        pytest.raises(RunFolderError, match=rf"another process is training in {folder}; wait"),
    ):
        fitted(tmp_path, max_epochs=2, ckpt_path="last")
    assert fitted(tmp_path, max_epochs=2, ckpt_path="last").current_epoch == 2


def test_run_in_a_read_only_folder_is_not_gone_on_with(tmp_path, monkeypatch):
    folder = fitted(tmp_path, max_epochs=1).run_folder
    monkeypatch.setattr(
        "torchann.dashboard.tensorboard_logger.os.access", lambda path, mode: False
    )  # root may write anywhere
    with pytest.raises(OSError, match=f"cannot write to the run folder {folder}, which is read-only; name another"):
        fitted(tmp_path, max_epochs=2, ckpt_path="last")


def test_second_fit_of_a_trainer_that_has_done_its_epochs_says_so(tmp_path):
    trainer = fitted(tmp_path, max_epochs=1)
    with pytest.warns(UserWarning, match="nothing was trained: this Trainer has done its 1 epochs; give"):
        trainer.fit(Perceptron(), datamodule=IrisDataModule())


def test_tensorboard_has_the_epoch_after_whose_checkpoint_a_run_was_killed(tmp_path, monkeypatch):
    with monkeypatch.context() as dead:  # between the checkpoint and Lightning's log of the training figures
        dead.setattr(RunLogger, "log_metrics", lambda *_, **__: None)
        fitted(tmp_path, max_epochs=1)
    folder = fitted(tmp_path, max_epochs=2, ckpt_path="last").run_folder
    for sub_run in ("train", "validation"):
        events = EventAccumulator(str(folder / sub_run), size_guidance={"scalars": 0}).Reload()
        assert [point.step for point in events.Scalars("loss")] == [0, 1]
