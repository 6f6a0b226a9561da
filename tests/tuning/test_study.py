"""A study: what is drawn, how it is judged, and that it goes on wherever it was stopped."""

import csv
import functools
import itertools
import json
import math
import os
import shutil
import signal
import threading
from contextlib import ExitStack

import pytest
import torch
from sklearn.model_selection import KFold

pytest.importorskip("optuna")

import optuna

from tests.tuning.searched import SPACE, Held, in_a_process, make, results, started, study
from torchann import RegressionMLP, Trainer, load
from torchann.tuning import Study, finish
from torchann.tuning.space import read_space
from torchann.tuning.storage import make_sampler
from torchann.tuning.trials import Scores


class Score:
    """Scores candidates by a function of their values, without any training."""

    def __init__(self, function):
        self.function = function

    def __call__(self, candidate):
        return Scores([self.function(candidate.params)], [1], 0.0)


@pytest.fixture(autouse=True)
def ctrl_c_raises():
    """Whoever started the tests may have told them to ignore Ctrl-C."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Four trials without a stop. Not to be written to."""
    found = study(tmp_path_factory.mktemp("whole"))
    found.run(4)
    return found


@pytest.fixture
def complete(whole, tmp_path):
    """The same, to be written to."""
    shutil.copytree(whole.folder.parent, tmp_path / "complete")
    return study(tmp_path / "complete")


def test_trial_is_judged_by_the_held_out_rows_of_each_fold(whole, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # a Trainer without a logger keeps its checkpoints where it is
    row, (kept, held_out) = whole.table.rows[1], next(KFold(2).split(range(100)))
    model, data, given = make(whole.params_of(whole.optuna.trials[1]))
    data.setup()
    x, y = data.splits.train
    trainer = Trainer(logger=False, quiet=True, **given)
    rows = [torch.from_numpy(part) for part in (kept, held_out)]
    part = Held()
    part._splits = data.splits._replace(train=type(data.splits.train)(x[rows[0]], y[rows[0]]))
    trainer.fit(model, datamodule=part)
    y_hat = model.predict(x[rows[1]])[:, 0]
    assert row.figures[0] == pytest.approx((y_hat - y[rows[1]]).square().mean().item(), rel=1e-5)
    assert row.score == sum(row.figures) / 2 and row.state == "complete" and row.epochs[0] == len(trainer.history)


def test_without_folds_a_trial_is_judged_by_its_best_epoch_on_the_validation_rows(tmp_path):
    found = study(tmp_path, folds=None)
    found.run(2)
    for row in found.table.rows:
        with (tmp_path / f"s/trials/{row.number:03}/fit/001/history.csv").open() as file:
            losses = [float(epoch["val_loss"]) for epoch in csv.DictReader(file)]
        assert row.score == min(losses) and row.epochs == [len(losses)]


def test_values_are_drawn_from_the_space_rates_by_factor():
    drawn, space = optuna.create_study(sampler=make_sampler("random", 42)), read_space(SPACE)
    asked = [drawn.ask() for _ in range(200)]
    params = [{name: values.draw(trial, name) for name, values in space.items()} for trial in asked]
    assert {len(one["hidden_sizes"]) for one in params} == {0, 1, 2}
    assert {width for one in params for width in one["hidden_sizes"]} == set(range(1, 10))
    rates = [one["lr"] for one in params]
    # as many below 0.01 as above; 0.18 is five standard deviations of a share of 200
    assert min(rates) >= 1e-3 and max(rates) <= 0.1
    assert sum(rate < 0.01 for rate in rates) / 200 == pytest.approx(0.5, abs=0.18)


def test_parzen_estimator_draws_where_it_went_well():
    drawn, space = optuna.create_study(sampler=make_sampler("tpe", 42)), read_space({"x": {"low": 0.0, "high": 1.0}})
    gaps = []
    for _ in range(40):
        trial = drawn.ask()
        gaps.append(abs(space["x"].draw(trial, "x") - 0.3))
        drawn.tell(trial, gaps[-1] ** 2)
    assert sum(gaps[30:]) < 0.5 * sum(gaps[:10])


def test_study_that_is_asked_for_more_trials_goes_on(whole, tmp_path):
    study(tmp_path).run(2)
    found = study(tmp_path)
    found.run(4)
    assert results(found) == results(whole)
    found.run(4)
    assert len(found.table) == 4 and found.table.to_csv().count("complete") == 4


@pytest.mark.parametrize(("kill", "storage"), [((0, 0), None), ((3, 9), "sqlite"), ((4, 0), None)], ids=str)
def test_study_that_is_killed_goes_on_within_its_trial_with_the_same_bits(kill, storage, whole, tmp_path):
    knobs = {"storage": storage and f"sqlite:///{tmp_path}/all.db"}
    assert in_a_process(tmp_path, 4, kill, **knobs) == -9
    found = study(tmp_path, **knobs)
    assert [row.state for row in found.table.rows].count("running") == 1
    found.run(4)
    assert results(found) == results(whole)
    # a run that had a checkpoint was gone on with, in its own folder
    folders = [path.name for path in (tmp_path / "s" / "trials").glob("*/fold-*/*")]
    assert len(folders) == 8 + (kill == (4, 0)) and folders.count("001") == 8


def test_two_processes_share_a_study(whole, tmp_path):
    knobs = {"sampler": "random", "storage": str(tmp_path / "elsewhere.journal")}
    processes = [started(tmp_path, 4, **knobs) for _ in range(2)]
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0]
    # the first ten of the Parzen estimator are random, too: each trial is what it is alone
    assert results(study(tmp_path, **knobs)) == results(whole)


def test_trial_of_a_process_that_lives_is_left_alone(tmp_path):
    found, other = study(tmp_path), study(tmp_path)
    seen = []

    def ask_meanwhile(_):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(other, "_evaluate", Score(lambda params: 1.0))
            other.run(2)
        seen.extend(row.state for row in other.table.rows)
        return Scores([1.0, 1.0], [1, 1], 0.0)

    found._evaluate = ask_meanwhile
    found.run(2)
    assert seen == ["running", "complete"]


def test_trial_of_another_machine_is_left_alone(tmp_path):
    """Its folder is not here; with the study's own journal whoever drew it must have died before it had one."""
    shared = {"storage": str(tmp_path / "all.journal")}
    theirs = study(tmp_path / "theirs", **shared)
    theirs.optuna.ask()
    mine = study(tmp_path / "mine", evaluate=Score(lambda params: 1.0), **shared)
    mine.run(2)
    assert [row.state for row in mine.table.rows] == ["running", "complete"]


def test_two_machines_with_a_folder_each_and_one_database_train_each_trial_once(whole, tmp_path):
    shared = {"sampler": "random", "storage": f"sqlite:///{tmp_path}/all.db"}
    study(tmp_path / "0", **shared)
    machines = [started(tmp_path / str(number), 4, **shared) for number in (0, 1)]
    for machine in machines:
        machine.join(60)
    assert [machine.exitcode for machine in machines] == [0, 0]
    found = results(study(tmp_path / "0", **shared))
    assert 4 <= len(found) <= 5 and found[:4] == results(whole)  # both may draw the last at the same time
    trained = [path.name for path in tmp_path.glob("*/*/trials/*")]
    assert sorted(trained) == [f"{number:03}" for number in range(len(found))]


def test_trial_of_a_machine_that_is_lost_is_given_up_and_another_drawn(tmp_path, monkeypatch):
    shared = {"storage": f"sqlite:///{tmp_path}/all.db"}
    theirs = study(tmp_path / "theirs", **shared)
    with ExitStack() as held:
        theirs._claims.take(1, held)
    mine = study(tmp_path / "mine", evaluate=Score(lambda params: 1.0), **shared)
    mine.run(2)
    assert [row.state for row in mine.table.rows] == ["running", "complete"]
    monkeypatch.setattr(mine._claims.storage, "grace_period", -1)  # seconds of silence
    mine.run(2)
    assert [row.state for row in mine.table.rows] == ["failed", "complete", "complete"]


def test_machine_that_comes_back_finds_its_trial_given_up_and_goes_on(tmp_path, monkeypatch):
    found = study(tmp_path, storage=f"sqlite:///{tmp_path}/all.db")

    def give_up_meanwhile(candidate):
        if candidate.number == 0:
            found.optuna.tell(candidate.number, state=optuna.trial.TrialState.FAIL)
        return Scores([1.0, 1.0], [1, 1], 0.0)

    monkeypatch.setattr(found, "_evaluate", give_up_meanwhile)
    found.run(1)
    assert [row.state for row in found.table.rows] == ["failed", "complete"]


def test_trial_that_was_drawn_and_has_no_folder_is_taken_up_after_a_minute(tmp_path, monkeypatch):
    found = study(tmp_path, evaluate=Score(lambda params: 1.0))
    found.optuna.ask()
    found.run(2)
    assert [row.state for row in found.table.rows] == ["running", "complete"]
    monkeypatch.setattr("torchann.tuning.trial_ownership.SECONDS_TO_BEGIN", 0)
    found.run(2)
    assert [row.state for row in found.table.rows] == ["complete", "complete"]


def test_interrupt_keeps_what_is_done_and_the_next_run_goes_on(whole, tmp_path):
    count = itertools.count()

    def interrupted(params):
        model, data, given = make(params)
        if next(count) == 4:  # asked twice per fold and once per trial: in the second trial
            threading.Timer(0.0, os.kill, (os.getpid(), signal.SIGINT)).start()
        return model, data, given

    found = study(tmp_path, make=interrupted)
    found.run(4)
    assert found.stopped_by == "interrupt" and len(found.table.finished) < 4
    again = study(tmp_path)
    again.run(4)
    assert again.stopped_by is None and results(again) == results(whole)


def test_interrupt_within_a_training_says_nothing_of_resuming_a_run(tmp_path, monkeypatch, capsys):
    from torchann.training.interrupts import Interrupts

    monkeypatch.setattr(Interrupts, "_asked", lambda self, trainer: setattr(self, "reason", "interrupt") or True)
    found = study(tmp_path)
    found.run(4)
    assert found.stopped_by == "interrupt" and [row.state for row in found.table.rows] == ["running"]
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(("pruner", "trials"), [("median", 8), ("hyperband", 4)])
def test_trial_that_falls_behind_is_given_up(pruner, trials, tmp_path):
    rates = {"lr": {"choices": [0.05, 1e-9]}, "hidden_sizes": {"choices": [[4]]}}
    short = functools.partial(make, epochs=6, steps=None)
    found = study(tmp_path, space=rates, pruner=pruner, folds=None, make=short, sampler="random")
    found.run(trials)
    pruned = [row for row in found.table.rows if row.state == "pruned"]
    assert pruned and all(row.epochs[0] < 6 and row.score is None for row in pruned)
    assert found.best.params["lr"] == "0.05"
    assert all(row.params["lr"] == "1e-09" for row in pruned)


def test_candidate_that_diverges_ends_at_once_and_ranks_last(tmp_path):
    rates = {"lr": {"choices": [0.01, 1e8]}, "hidden_sizes": [[4]]}
    for folds in (2, None):
        found = study(tmp_path / str(folds), space=rates, sampler="random", folds=folds)
        found.run(3)
        scores = {row.params["lr"]: row.score for row in found.table.rows}
        assert scores["100000000.0"] == math.inf and math.isfinite(scores["0.01"])
        assert found.table.ranked[-1].params["lr"] == "100000000.0"
        assert max(found.table.ranked[-1].epochs) <= 1


def test_study_in_which_all_diverge_has_no_winner(tmp_path):
    found = study(tmp_path, evaluate=Score(lambda params: math.inf), folds=None)
    found.run(3)
    assert found.table.best is None and len(found.table.ranked) == 3
    with pytest.raises(ValueError, match="all 3 complete trials of the study .* have diverged; search smaller"):
        found.best  # noqa: B018


def test_figure_that_should_rise_is_maximised(tmp_path):
    found = study(tmp_path, evaluate=Score(lambda params: params["lr"]), metric="val_accuracy", folds=None)
    found.run(12)
    assert found.table.best.score == max(row.score for row in found.table.rows)
    assert found.best.params["lr"] == found.table.best.score and found.criterion.worst == -math.inf


def test_table_is_printed_best_first_and_written_in_order(whole):
    lines = str(whole.table).splitlines()
    assert lines[0].split("  ")[0] == "trial" and "cv_loss" in lines[0] and "of each fold" in lines[0]
    ranked = [int(line.split()[0]) for line in lines[2:]]
    assert ranked == [row.number for row in sorted(whole.table.rows, key=lambda row: row.score)]
    with (whole.folder / "study.csv").open() as file:
        written = list(csv.DictReader(file))
    assert [int(row["trial"]) for row in written] == [0, 1, 2, 3]
    for row, kept in zip(written, whole.table.rows, strict=True):
        assert float(row["cv_loss"]) == kept.score and float(row["fold_2"]) == kept.figures[1]
        assert float(row["lr"]) == kept.params["lr"] and int(row["epochs"]) == sum(kept.epochs)


def test_best_model_is_trained_on_all_rows_tested_once_and_kept(complete, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    winner = finish(complete)
    assert winner.trial == complete.table.best.number and winner.score == complete.table.best.score
    model, data, given = make(winner.params)
    trainer = Trainer(logger=False, quiet=True, **given)
    trainer.fit(model, datamodule=data)
    assert winner.figures == trainer.test(model, datamodule=data, verbose=False)[0]
    kept = load(winner.model)
    data.setup()
    assert torch.equal(kept.predict(data.splits.test.x), model.predict(data.splits.test.x))
    assert json.loads((complete.folder / "best.json").read_text())["figures"] == winner.figures

    monkeypatch.setattr(Trainer, "test", None)  # it is not called again
    assert finish(study(complete.folder.parent)) == winner


def test_best_model_without_folds_is_that_of_its_best_epoch(tmp_path):
    found = study(tmp_path, folds=None)
    found.run(2)
    winner = finish(found)
    best = RegressionMLP.load_from_checkpoint(winner.run / "checkpoints/best.ckpt", weights_only=True)
    x = Held().read().test.x
    assert torch.equal(load(winner.model).predict(x), best.predict(x))
    assert winner.run == tmp_path / f"s/trials/{winner.trial:03}/fit/001"


def test_best_model_has_the_weights_of_the_epoch_that_its_study_is_judged_by(tmp_path):
    def unstopped(params):
        model, data, _ = make(params, steps=None)
        return model, data, {"max_epochs": 6}

    found = study(tmp_path, folds=None, metric="val_mae", make=unstopped)
    found.run(1)
    rows, winner = Held().read().val, finish(found)
    error = (load(winner.model).predict(rows.x)[:, 0] - rows.y).abs().mean().item()
    assert winner.score == pytest.approx(error, rel=1e-5)


def test_training_of_the_best_model_that_is_stopped_goes_on(complete, monkeypatch):
    from torchann.training.interrupts import Interrupts

    with monkeypatch.context() as patch:
        patch.setattr(Interrupts, "_asked", lambda self, trainer: setattr(self, "reason", "interrupt") or True)
        assert finish(complete) is None and not (complete.folder / "best.json").exists()
    assert finish(complete).run.name == "001"


def test_setting_that_the_study_does_not_have_is_refused(tmp_path):
    study(tmp_path, settings={"max_epochs": 3})
    for knobs, told in (
        ({"folds": 5}, "the study 's' has folds=2 and this search 5; give what it has, or the search another name"),
        ({"seed": 1}, "has seed=42 and this search 1"),
        ({"settings": {"max_epochs": 9}}, "has max_epochs=3 and this search 9"),
        ({"space": {"lr": {"low": 0.1, "high": 0.2}}}, "has space="),
    ):
        with pytest.raises(ValueError, match=told):
            study(tmp_path, **{"settings": {"max_epochs": 3}, **knobs})


def test_error_of_a_candidate_is_raised_and_its_trial_failed(tmp_path):
    wrong = {"hidden_sizes": [[4]], "lr": {"choices": [-1.0]}}
    found = study(tmp_path, space=wrong)
    with pytest.raises(ValueError, match=r"lr is -1\.0; give a finite number, 0 or more"):
        found.run(3)
    assert [row.state for row in found.table.rows] == ["failed"]
    with pytest.raises(ValueError, match="the study 's' has no complete trial; run it first"):
        _ = found.best


def test_full_disk_leaves_the_trial_to_be_gone_on_with(tmp_path):
    def full(_):
        raise OSError(28, "No space left on device")

    found = study(tmp_path, evaluate=full)
    with pytest.raises(OSError, match="No space left on device"):
        found.run(3)
    assert [row.state for row in found.table.rows] == ["running"]
    found._evaluate = Score(lambda params: 1.0)
    found.run(1)
    assert [row.state for row in found.table.rows] == ["complete"]


@pytest.mark.parametrize(
    ("knobs", "message"),
    [
        ({"sampler": "grid"}, "there is no sampler 'grid'; choose one of random, tpe"),
        ({"pruner": "mean"}, "there is no pruner 'mean'; choose one of none, median, hyperband"),
        ({"metric": "val_speed"}, "nobody says whether 'val_speed' should fall or rise"),
        ({"mode": "up"}, "mode is 'up'; give min, max or auto"),
        ({"space": {}}, "the search space is empty"),
        ({"folds": 1}, "folds is 1; give at least 2"),
        ({"folds": 101}, "101 folds of 100 training rows"),
        ({"metric": "val_rmsle", "mode": "min"}, "a study is judged by there is no figure 'test_rmsle'; did you mean"),
        ({"metric": "val_los", "mode": "min", "folds": None}, "there is no figure 'val_los'; did you mean 'val_loss'"),
        ({"make": functools.partial(make, epochs=3, callbacks=()), "trials": 0}, "trials is 0; give 1 or more"),
    ],
)
def test_what_cannot_be_searched_is_refused(knobs, message, tmp_path):
    trials = knobs.pop("trials", 1)
    with pytest.raises(ValueError, match=message):
        study(tmp_path, **knobs).run(trials)


def test_several_processes_per_trial_and_folds_of_unknown_rows_are_refused(tmp_path):
    from tests.resume.killed_run import Rows

    def two(params):
        model, data, given = make(params)
        return model, data, {**given, "devices": 2, "accelerator": "cpu", "strategy": "ddp_spawn"}

    with pytest.raises(ValueError, match="a trial trains in one process and the Trainer has 2; give devices=1"):
        study(tmp_path / "two", make=two, folds=None).run(1)
    with pytest.raises(TypeError, match="Rows does not say which rows it holds, and 2 folds divide them"):
        study(tmp_path / "rows", make=lambda params: (make(params)[0], Rows(), {"max_epochs": 1})).run(1)


def test_names_are_those_of_the_space():
    assert list(SPACE) == ["hidden_sizes", "lr"] and Study.__init__.__kwdefaults__["sampler"] == "tpe"


@pytest.mark.parametrize("name", ["../../x", "", "/tmp/x", "a\0b", "n" * 300])
def test_name_of_a_study_is_that_of_one_folder(name, tmp_path):
    with pytest.raises(ValueError, match=r"name is .*; give the name of one folder"):
        Study(name, make, SPACE, folder=tmp_path / "studies", quiet=True)
    assert list(tmp_path.iterdir()) == []
