"""Lightning's own finders of learning rates and batch sizes see each batch, and leave a fit that goes on as usual."""

import pytest
import torch
from lightning.pytorch.callbacks import BatchSizeFinder, LearningRateFinder
from lightning.pytorch.tuner import Tuner

from tests.tasks.tables import regression_table
from torchann import RegressionMLP, Trainer


def trainer_with(tmp_path, *callbacks):
    return Trainer(runs=str(tmp_path), max_epochs=2, callbacks=list(callbacks))


def test_tuner_measures_each_step_and_the_fit_after_it_takes_the_rate_that_it_has_found(tmp_path):
    torch.manual_seed(0)
    model, trainer, data = RegressionMLP([4], lr=0.5), trainer_with(tmp_path), regression_table(700)
    found = Tuner(trainer).lr_find(model, datamodule=data, num_training=20, min_lr=1e-4, early_stop_threshold=None)
    assert len(found.results["lr"]) == len(found.results["loss"]) == 20
    trainer.fit(model, datamodule=data)
    assert trainer.history["lr"] == pytest.approx([found.suggestion()] * 2) and model.hparams["lr"] != 0.5
    assert trainer.stopped_by == "max_epochs" and sorted(path.name for path in (tmp_path / "run").iterdir()) == ["001"]


@pytest.mark.parametrize(
    "finder",
    [LearningRateFinder(num_training_steps=20), BatchSizeFinder(max_trials=2)],
    ids=lambda one: type(one).__name__,
)
def test_finder_among_the_callbacks_measures_before_the_fit(tmp_path, finder, caplog):
    torch.manual_seed(0)
    trainer, data = trainer_with(tmp_path, finder), regression_table(700)
    trainer.fit(RegressionMLP([4], lr=0.01), datamodule=data)
    assert len(trainer.history) == 2 and "one batch per step: Lightning's" in caplog.text
    if isinstance(finder, BatchSizeFinder):
        assert data.batch_size == finder.optimal_batch_size
    else:
        assert trainer.history["lr"] == pytest.approx([finder.optimal_lr.suggestion()] * 2)
