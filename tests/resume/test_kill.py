"""A run that is killed anywhere and gone on with ends with the bits of the run that was never stopped."""

import functools

import pytest

from tests.resume.killed_run import Run, differences, in_a_process, in_two_processes, starts, what_is_left
from torchann import ClassificationMLP, EarlyStopping, Perceptron, RegressionMLP, WideAndDeep

P = functools.partial
OFTEN = {"every_n_steps": 3}
RUNS = {
    "sgd, blocks of any size": Run(P(RegressionMLP, [5])),
    "momentum, blocks of 4": Run(P(RegressionMLP, [5], momentum=0.9, steps_per_execution=4), checkpoints=OFTEN),
    "adam and dropout, one step a call": Run(
        P(ClassificationMLP, [6, 5], dropout=0.3, optimizer="adam", steps_per_execution=1),
        {"classes": True},
        checkpoints=OFTEN,
    ),
    "dropout, one cycle, no validation": Run(
        P(RegressionMLP, [5], dropout=0.2, lr_schedule="one_cycle", steps_per_execution=2),
        trainer={"limit_val_batches": 0},
        checkpoints=OFTEN,
    ),
    "one cycle, one step a call, kept at each": Run(
        P(RegressionMLP, [5], lr_schedule="one_cycle", steps_per_execution=1), checkpoints={"every_n_steps": 1}
    ),
    "validated within the epoch, kept at each step": Run(
        P(RegressionMLP, [5], dropout=0.1),
        trainer={"val_check_interval": 0.5},
        callbacks=[P(EarlyStopping, patience=9)],
        checkpoints={"every_n_steps": 1},
    ),
    "gradients of two batches, kept at each step": Run(
        P(RegressionMLP, [5], optimizer="adam"),
        trainer={"accumulate_grad_batches": 2},
        checkpoints={"every_n_minutes": 1e-9},
    ),
    "torch's loader": Run(
        P(ClassificationMLP, [6], dropout=0.3), {"classes": True, "of_torch": True}, checkpoints={"every_n_steps": 1}
    ),
    "Lightning's own steps, plateau": Run(
        P(RegressionMLP, [5], lr=0.1, lr_schedule="plateau", lr_schedule_options={"patience": 0}),
        trainer={"gradient_clip_val": 1.0},
        checkpoints=OFTEN,
    ),
    "own steps, plateau, every second epoch validated": Run(
        P(
            RegressionMLP,
            [5],
            lr=0.1,
            lr_schedule="plateau",
            lr_schedule_options={"patience": 0},
            steps_per_execution=3,
        ),
        trainer={"check_val_every_n_epoch": 2},
        checkpoints=OFTEN,
        epochs=6,
    ),
    "batch norm, cosine, early stopping": Run(
        P(ClassificationMLP, [6], norm="batch", lr=0.3, lr_schedule="cosine", momentum=0.5),
        {"classes": True, "batch_size": 10},
        callbacks=[P(EarlyStopping, patience=2)],
        checkpoints=OFTEN,
        epochs=12,
    ),
    "validated twice an epoch": Run(
        P(RegressionMLP, [5], dropout=0.1), trainer={"val_check_interval": 0.5}, checkpoints=OFTEN
    ),
    "a number of steps": Run(
        P(RegressionMLP, [5], optimizer="nadam"), trainer={"max_steps": 45}, checkpoints=OFTEN, epochs=9
    ),
    "a number of steps, kept at the ends of epochs": Run(
        P(RegressionMLP, [5]),
        trainer={"max_steps": 39},
        callbacks=[P(EarlyStopping, patience=3)],
        checkpoints={"every_n_minutes": None},
        epochs=-1,
    ),
    "Lightning's own steps, plateau, every second epoch validated": Run(
        P(RegressionMLP, [5], lr=0.1, lr_schedule="plateau", lr_schedule_options={"patience": 0}),
        trainer={"gradient_clip_val": 1.0, "check_val_every_n_epoch": 2},
        checkpoints=OFTEN,
        epochs=6,
    ),
    "wide and deep, two outputs": Run(
        P(WideAndDeep, [5], aux_weight=0.2, optimizer="adamw"), checkpoints={"every_n_epochs": 2}
    ),
    "the Perceptron": Run(Perceptron, {"classes": True}, checkpoints=OFTEN),
}
KILLS = [
    ("writing", 1),
    ("step", 2),
    ("step", 8),
    ("best", 1),
    ("renaming", 2),
    ("writing", 3),
    ("step", 27),
    ("step", 38),
    ("step", 44),
]


@pytest.mark.parametrize("name", RUNS)
def test_run_that_is_killed_again_and_again_ends_as_if_it_had_not_been(name, tmp_path):
    run = RUNS[name]
    assert in_a_process(run, tmp_path / "whole") == 0
    endings = [in_a_process(run, tmp_path / "killed", kill) for kill in KILLS]
    assert -9 in endings and set(endings) <= {-9, 0}, endings
    assert in_a_process(run, tmp_path / "killed") == 0
    begun = starts(tmp_path / "killed")
    assert any(begun), begun  # it was gone on with, not begun again
    assert run.checkpoints != OFTEN or any(step % 13 and step % 10 for step in begun), begun  # and within an epoch, too
    assert not differences(what_is_left(tmp_path / "whole"), what_is_left(tmp_path / "killed"))


def test_run_that_is_killed_at_any_time_ends_as_if_it_had_not_been(tmp_path):
    model = P(ClassificationMLP, [6, 5], dropout=0.3, optimizer="adam", steps_per_execution=1)
    run = Run(model, {"classes": True}, checkpoints={"every_n_steps": 1}, epochs=25)
    assert in_a_process(run, tmp_path / "whole") == 0
    for seconds in (0.2, 0.5, 0.8, 1.1, 1.4, 1.7):
        in_a_process(run, tmp_path / "killed", ("after", seconds))
    begun = starts(tmp_path / "killed")
    assert in_a_process(run, tmp_path / "killed") == 0
    assert max(begun) > 0, begun
    assert not differences(what_is_left(tmp_path / "whole"), what_is_left(tmp_path / "killed"))


def test_two_processes_that_are_killed_end_as_if_they_had_not_been(tmp_path):
    run = Run(
        P(ClassificationMLP, [6], dropout=0.3, optimizer="adam", steps_per_execution=1),
        {"classes": True},
        trainer={"strategy": "ddp", "devices": 2, "accelerator": "cpu"},
        checkpoints=OFTEN,
        epochs=3,
    )
    assert in_two_processes(run, tmp_path / "whole") == [0, 0]
    for step in (5, 10, 16):  # an epoch is 7 steps of 8 rows on each
        assert in_two_processes(run, tmp_path / "killed", ("step", step))[1] == -9
    assert in_two_processes(run, tmp_path / "killed") == [0, 0]
    assert starts(tmp_path / "killed") == [0, 3, 9, 15]
    assert not differences(what_is_left(tmp_path / "whole"), what_is_left(tmp_path / "killed"))
