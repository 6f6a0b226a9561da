"""Sections 10.2.6 and 10.2.7: a model saved and restored, and training that stops at its best epoch."""

from torchann.chapter.experiment import Experiment, Measurement, Published, Training, measured
from torchann.files.run import Run
from torchann.tasks.regression import RegressionMLP
from torchann.tasks.task import Task
from torchann.training.early_stopping import EarlyStopping
from torchann.training.trainer import Trainer

RESTORED = "largest difference of predictions after restoring"
STOPPED = "epochs after the first ten until it stopped"
FIRST_EPOCHS = 10


def _task() -> Task:
    return RegressionMLP([30, 30], lr=1e-3)


def _restored(trainer: Trainer) -> dict[str, Measurement]:
    measurements = measured(val_loss="validation MSE", test_loss="test MSE")(trainer)
    task = trainer.lightning_module
    again = RegressionMLP.load_from_checkpoint(Run(trainer.run_folder).last, map_location="cpu", weights_only=True)
    assert isinstance(task, RegressionMLP)
    x = trainer.datamodule.splits.test.x  # type: ignore[attr-defined]
    return {**measurements, RESTORED: (again.predict(x) - task.predict(x)).abs().max().item()}


def _stopped(trainer: Trainer) -> dict[str, Measurement]:
    epochs = {STOPPED: float(trainer.current_epoch - FIRST_EPOCHS)}
    return {**epochs, **measured(test_loss="test MSE of the best weights")(trainer)}


EXPERIMENTS = (
    Experiment(
        name="housing_saved",
        section="10.2.6",
        title="Regression MLP 8-30-30-1, saved after 10 epochs and restored",
        published=(
            Published("validation MSE", 0.4379, (0.425, 0.471)),
            Published("test MSE", 0.4382, (0.431, 0.493)),
            Published(RESTORED, 0.0, (0.0, 0.0)),
        ),
        source="2nd edition; bands: the range of 5 seeds and a half more at either end",
        run=Training(_task, FIRST_EPOCHS, _restored),
    ),
    Experiment(
        name="housing_early_stopping",
        section="10.2.7",
        title="Regression MLP 8-30-30-1, stopped early and back at its best weights",
        published=(
            Published(STOPPED, 96.0, (10.0, 100.0)),
            Published("test MSE of the best weights", 0.3310, (0.321, 0.429)),
        ),
        source="2nd edition; 5 seeds: 17 to 100 epochs, 0.339 to 0.411, and a quarter more at either end",
        run=Training(
            _task,
            FIRST_EPOCHS + 100,
            _stopped,
            callbacks=lambda: [EarlyStopping(patience=10, start_from_epoch=FIRST_EPOCHS)],
        ),
    ),
)
