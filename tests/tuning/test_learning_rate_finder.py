"""The range test as a callback: the run goes on as if it had not been, or with the rate that was found."""

import pytest
import torch

from tests.resume.killed_run import Rows
from torchann import RegressionMLP, Trainer
from torchann.tuning import LearningRateFinder, learning_rate_range

RANGE = {"min_lr": 1e-3, "max_lr": 100.0, "steps": 100}


@pytest.fixture
def fit(tmp_path):
    """Trains by name in an empty folder; returns the Trainer."""

    def run(name, *callbacks, epochs=3, ckpt_path=None, quiet=True, model=None, **options):
        trainer = Trainer(
            runs=str(tmp_path), name=name, max_epochs=epochs, callbacks=[*callbacks], quiet=quiet, **options
        )
        trainer.fit(model or RegressionMLP([5], lr=0.01), datamodule=Rows(), ckpt_path=ckpt_path)
        return trainer

    return run


def same(one, other):
    states = [trainer.lightning_module.state_dict() for trainer in (one, other)]
    return all(torch.equal(a, b) for a, b in zip(*map(dict.values, states), strict=True))


def test_run_has_the_bits_that_it_has_without_the_test(fit, capsys):
    without, finder = fit("without"), LearningRateFinder(**RANGE)
    beside = fit("beside", finder, quiet=False)
    assert same(without, beside)
    assert without.history["val_loss"] == beside.history["val_loss"]
    assert f"learning-rate range test: {finder.result.advice}\n" in capsys.readouterr().out
    apart = learning_rate_range(RegressionMLP([5], lr=0.01), Rows(), **RANGE)
    assert finder.result.losses == apart.losses  # the weights that training begins with, the rows that it reads


@pytest.mark.parametrize("rule", ["steepest", "half"])
def test_update_trains_and_is_saved_with_the_rate_found(rule, fit, tmp_path):
    finder = LearningRateFinder(**RANGE, update=rule)
    trainer = fit("updated", finder)
    rate = getattr(finder.result, rule)
    assert trainer.history["lr"] == pytest.approx(3 * [rate], rel=1e-6) and rate != 0.01
    saved = RegressionMLP.load_from_checkpoint(trainer.run_folder / "checkpoints/last.ckpt")
    assert saved.hparams["lr"] == rate
    assert same(trainer, fit("given", model=RegressionMLP([5], lr=rate)))


def test_schedule_begins_from_the_rate_found(fit):
    finder = LearningRateFinder(**RANGE, update="half")
    model = RegressionMLP([5], lr=0.01, lr_schedule="exponential", lr_schedule_options={"gamma": 0.5})
    rates = fit("decay", finder, model=model).history["lr"]
    assert rates == pytest.approx([finder.result.half / 2**epoch for epoch in range(3)], rel=1e-6)


def test_run_that_goes_on_keeps_what_was_found_and_tests_no_more(fit):
    whole = fit("whole", LearningRateFinder(**RANGE, update="steepest"), epochs=4)
    first, again = LearningRateFinder(**RANGE, update="steepest"), LearningRateFinder(steps=5, update="steepest")
    fit("parts", first, epochs=2)
    resumed = fit("parts", again, epochs=4, ckpt_path="last")
    assert again.result == first.result
    assert same(whole, resumed) and whole.history["lr"] == resumed.history["lr"]


def test_loaders_precision_and_clipping_of_the_run_are_those_of_the_test(tmp_path):
    data, finder = Rows(), LearningRateFinder(min_lr=0.1, max_lr=10.0, steps=30)
    trainer = Trainer(
        max_epochs=1, callbacks=[finder], logger=False, quiet=True, gradient_clip_val=1e-6, precision="64-true"
    )
    trainer.fit(RegressionMLP([], 4, 1), data.train_dataloader(), data.val_dataloader())
    assert len(finder.result) == 30 and max(finder.result.losses) < 100


def test_nothing_is_tested_in_a_fast_dev_run(fit):
    finder = LearningRateFinder()
    fit("dev", finder, fast_dev_run=True)
    assert finder.result is None and finder.state_dict() == {"result": None}


def test_rule_that_there_is_not_is_refused():
    with pytest.raises(ValueError, match="update is 'best'; give steepest, half, or None"):
        LearningRateFinder(update="best")


def test_rate_that_was_not_found_is_refused(fit):
    with pytest.raises(ValueError, match="update is 'half' and .*never shoots up.*; give another range, or no update"):
        fit("calm", LearningRateFinder(min_lr=1e-6, max_lr=1e-5, steps=20, update="half"))


def test_model_that_keeps_its_rate_elsewhere_is_refused():
    from tests.tuning.test_range_test import Plain

    model = Plain()
    del model.hparams["lr"]
    model.configure_optimizers = lambda: torch.optim.SGD(model.parameters(), 0.1)
    trainer = Trainer(
        max_epochs=1, callbacks=[LearningRateFinder(**RANGE, update="steepest")], logger=False, quiet=True
    )
    with pytest.raises(ValueError, match="update is 'steepest' and Plain has no hyperparameter lr"):
        trainer.fit(model, Rows().train_dataloader())


def test_several_processes_are_refused():
    class Two:
        fast_dev_run, ckpt_path, world_size = False, None, 2

    with pytest.raises(RuntimeError, match="LearningRateFinder in 2 processes; call learning_rate_range before"):
        LearningRateFinder().on_fit_start(Two(), RegressionMLP([5]))
