"""What a run writes for TensorBoard, and that two runs never share a folder."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from torchann import IrisDataModule, Perceptron, Trainer
from torchann.dashboard.tensorboard_logger import RunLogger


@pytest.fixture
def logger(tmp_path):
    logger = RunLogger(tmp_path, "demo")
    yield logger
    logger.finalize("success")


def points(logger, sub_run, tag):
    events = EventAccumulator(f"{logger.log_dir}/{sub_run}", size_guidance={"scalars": 0}).Reload()
    return [(point.step, point.value) for point in events.Scalars(tag)]


def claim(folder):
    return RunLogger(folder, "demo").version


def test_folders_are_numbered_from_one(tmp_path):
    assert [claim(tmp_path) for _ in range(3)] == ["001", "002", "003"]
    assert sorted(path.name for path in (tmp_path / "demo").iterdir()) == ["001", "002", "003"]


def test_folder_is_claimed_only_when_it_is_needed(tmp_path):
    RunLogger(tmp_path / "runs", "demo")
    assert not (tmp_path / "runs").exists()


def test_number_follows_the_highest_though_lower_ones_are_free_or_have_other_names(tmp_path):
    for name in ("002", "999", "notes"):
        (tmp_path / "demo" / name).mkdir(parents=True)
    assert [claim(tmp_path), claim(tmp_path)] == ["1000", "1001"]


def test_threads_that_start_at_once_get_different_folders(tmp_path):
    with ThreadPoolExecutor(16) as pool:
        versions = list(pool.map(claim, [tmp_path] * 64))
    assert sorted(versions) == [f"{number:03}" for number in range(1, 65)]


def test_training_and_validation_share_a_tag_in_sub_runs_of_their_own(logger):
    logger.log_metrics({"epoch": 0, "val_loss": 0.5, "val_top_5": 1.0})
    logger.log_metrics({"epoch": 0, "train_loss": 0.75, "lr": 0.125})
    assert points(logger, "validation", "loss") == [(0, 0.5)]
    assert points(logger, "validation", "top_5") == [(0, 1.0)]
    assert points(logger, "train", "loss") == [(0, 0.75)]
    assert points(logger, "train", "lr") == [(0, 0.125)]


def test_axis_is_the_epoch_and_not_the_step(logger):
    for epoch in range(3):
        logger.log_metrics({"epoch": epoch, "train_loss": 2.0**-epoch}, step=363 * (epoch + 1))
    assert points(logger, "train", "loss") == [(0, 1.0), (1, 0.5), (2, 0.25)]


def test_figure_without_an_epoch_is_drawn_at_its_step(logger):
    logger.log_metrics({"norm": 2.0}, step=7)
    assert points(logger, "train", "norm") == [(7, 2.0)]


def test_test_figure_is_drawn_at_the_last_epoch_of_the_training_before(tmp_path):
    trainer = Trainer(runs=str(tmp_path), max_epochs=3, quiet=True)
    trainer.fit(Perceptron(), datamodule=IrisDataModule())
    trainer.test(trainer.lightning_module, datamodule=trainer.datamodule, verbose=False)
    assert [step for step, _ in points(trainer.logger, "test", "loss")] == [2]


def test_run_that_exists_can_be_written_to(tmp_path):
    claim(tmp_path)
    again = RunLogger(tmp_path, "demo", "001")
    again.log_metrics({"epoch": 4, "test_loss": 0.5})
    assert points(again, "test", "loss") == [(4, 0.5)]
    again.finalize("success")
    assert [path.name for path in (tmp_path / "demo").iterdir()] == ["001"]


def test_run_that_went_on_keeps_its_figures_when_more_is_told_after_the_fit(tmp_path):
    logger = RunLogger(tmp_path, "demo")
    for epoch in range(4):
        logger.log_metrics({"epoch": epoch, "val_loss": float(epoch)})
    logger.forget_from(2, 1)
    for epoch in (1, 2, 3):  # the first was told before
        logger.log_metrics({"epoch": epoch, "val_loss": epoch + 0.5})
    logger.finalize("success")
    logger.log_metrics({"epoch": 4, "val_loss": 4.5})
    logger.finalize("success")
    assert points(logger, "validation", "loss") == [(0, 0.0), (1, 1.0), (2, 2.5), (3, 3.5), (4, 4.5)]
