"""Section 10.2.8: two runs beside each other in TensorBoard, one at a good learning rate and one that is too high."""

from math import inf, isfinite

from torchann.chapter.experiment import Experiment, Measurement, Published, Training, history_of, measured
from torchann.tasks.regression import RegressionMLP
from torchann.training.trainer import Trainer

WORST, END = "highest validation MSE of an epoch", "validation MSE at the end"


def _explosion(trainer: Trainer) -> dict[str, Measurement]:
    losses = [row["val_loss"] if isfinite(row["val_loss"]) else inf for row in history_of(trainer)]
    return {WORST: max(losses), END: losses[-1]}


EXPERIMENTS = (
    Experiment(
        name="housing_lr_good",
        section="10.2.8",
        title="TensorBoard run, 8-30-30-1 at learning rate 0.001",
        published=(Published("validation MSE", 0.3548, (0.345, 0.438)),),
        source="2nd edition; band: the range of 5 seeds and a quarter more at either end",
        run=Training(lambda: RegressionMLP([30, 30], lr=1e-3), 30, measured(val_loss="validation MSE")),
    ),
    Experiment(
        name="housing_lr_too_high",
        section="10.2.8",
        title="TensorBoard run, 8-30-30-1 at learning rate 0.05",
        # Of 60 seeds 19 ended in numbers that are none, the others between 0.26 and 0.89 after peaks of 1 to 1e3.
        published=(Published(WORST, 8e9, (1.0, inf)), Published(END, 1.3174, (0.26, inf))),
        source="2nd edition, one seed that exploded in its second epoch; here one in three does",
        run=Training(lambda: RegressionMLP([30, 30], lr=0.05), 30, _explosion),
    ),
)
