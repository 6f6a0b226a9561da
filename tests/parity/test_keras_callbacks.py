"""Against Keras' callbacks: the same decisions on the same figures.

callbacks.json is what benchmarks/keras_callbacks.py got from Keras. Where the first figure that counts is nan, Keras
takes it for the best for ever; here nan is never the best, and those cases are left out.
"""

import json
from math import isnan
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from torchann.engine.optimizers import make_schedule
from torchann.training.early_stopping import EarlyStopping

KERAS = json.loads((Path(__file__).parent / "callbacks.json").read_text())


class Net(torch.nn.Module):
    """Has the number of the last epoch as its weight."""

    def __init__(self):
        super().__init__()
        self.epoch = torch.nn.Parameter(torch.tensor(-1.0))


def stopped(figures, options):
    """The callback between the hooks of a Trainer, without one: a thousand fits would take minutes."""
    stopping, net = EarlyStopping(**options), Net()
    logged = SimpleNamespace(metrics={"callback": {}})
    trainer = SimpleNamespace(
        state=SimpleNamespace(fn="fit"),
        _logger_connector=logged,
        callbacks=[stopping],
        callback_metrics={},
        enable_validation=True,
        **dict.fromkeys(("sanity_checking", "fast_dev_run", "should_stop"), False),
    )
    stopping.setup(trainer, net, "fit")
    stopping.on_train_start(trainer, net)
    for trainer.current_epoch, figure in enumerate(figures):
        net.epoch.data.fill_(trainer.current_epoch)
        logged.metrics["callback"] = {"val_loss": torch.tensor(figure)}
        stopping.on_validation_end(trainer, net)
        logged.metrics["callback"] = {}
        stopping.on_train_epoch_end(trainer, net)
        if trainer.should_stop:
            break
    trainer.callbacks[-1].on_train_end(trainer, net)
    decided = [trainer.current_epoch + 1, stopping.stopped_epoch, stopping.wait_count]
    return [*decided, stopping.best_score, stopping.best_epoch, net.epoch.item()]


@pytest.mark.parametrize(("options", "decisions"), KERAS["early_stopping"], ids=str)
def test_early_stopping_decides_as_in_keras(options, decisions):
    for figures, expected in zip(KERAS["figures"], decisions, strict=True):
        if not isnan(figures[options.get("start_from_epoch", 0)]):
            assert stopped(figures, options) == expected, figures


@pytest.mark.parametrize(("options", "decisions"), KERAS["reduce_lr_on_plateau"], ids=str)
def test_plateau_reduces_the_rate_as_in_keras(options, decisions):
    # torch counts patience and cooldown from 0, Keras from 1; its threshold is a share unless it is told otherwise.
    counted = {"patience": options["patience"] - 1, "cooldown": max(options["cooldown"] - 1, 0)}
    absolute = {"threshold": options["min_delta"], "threshold_mode": "abs"}
    given = {"factor": options["factor"], "min_lr": options["min_lr"], **counted, **absolute}
    for figures, expected in zip(KERAS["figures"], decisions, strict=True):
        optimizer = torch.optim.SGD([torch.zeros(1)], lr=0.5)
        schedule, rates = make_schedule("plateau", optimizer, given, None, None)["scheduler"], [0.5]
        for figure in figures:
            schedule.step(torch.tensor(figure))
            rates.append(optimizer.param_groups[0]["lr"])
        reduced = [epoch for epoch, rate in enumerate(rates[1:]) if rate != rates[epoch]]
        assert [reduced, rates[-1]] == expected, figures
