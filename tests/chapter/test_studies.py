"""The studies: what is varied and what stays, how runs are compared, the tables, the pictures."""

import math

import pytest

from torchann.chapter import option_study
from torchann.chapter.experiment import Setting, seeded
from torchann.chapter.option_study import FewImages, train
from torchann.chapter.studies import EXPERIMENTS
from torchann.chapter.study_results import FASHION, HOUSING, Case, Results, Run
from torchann.data import CaliforniaHousingDataModule, DataNotFoundError, FashionMNISTDataModule

BY_NAME = {experiment.name: experiment for experiment in EXPERIMENTS}


def found(name, *bests, losses=None):
    cases = [Case(value, {"lr": 0.1}) for value in range(len(bests))]
    runs = [Run(best, loss, 0.1) for best, loss in zip(bests, losses or bests, strict=True)]
    return Results(name, cases, runs)


@pytest.fixture
def untrained(monkeypatch, synthetic_fashion_mnist):
    """Studies whose runs are made up: the lower the rate, the better, and slower with each case; returns them all."""
    seen = []

    def made_up(data, case):
        lr, best = case.knobs["lr"], 0.3 + case.knobs["lr"] / 10 + len(seen) / 1e4
        seen.append((data, case))
        return Run(best if hasattr(data, "out_features") else 1 - best, math.nan if lr > 0.3 else best, 0.1)

    monkeypatch.setattr(option_study, "train", made_up)
    monkeypatch.setenv("TORCHANN_DATA", str(synthetic_fashion_mnist))
    return seen


def test_lowest_error_and_highest_accuracy_are_best():
    assert found(HOUSING, 0.5, 0.4, 0.6).best_key == ("", 1) and found(HOUSING, 0.5, 0.4, 0.6).score() == 0.4
    assert found(FASHION, 0.5, 0.4, 0.6).best_key == ("", 2) and found(FASHION, 0.5, 0.4, 0.6).score(("", 1)) == 0.4
    assert found(HOUSING, math.inf, 0.9).best_key == ("", 1)


def test_better_one_of_two_rates_counts():
    cases = [Case("sgd", {"lr": 0.1}), Case("sgd", {"lr": 0.2}), Case("adam", {"lr": 0.1})]
    for name, best in ((HOUSING, 0.1), (FASHION, 0.2)):
        results = Results(name, cases, [Run(0.4, 1, 1), Run(0.5, 1, 1), Run(0.45, 1, 1)])
        assert results.best["", "sgd"][0].knobs["lr"] == best and len(results.best) == 2


def test_training_ended_well_when_its_loss_is_a_number_and_not_far_above_the_lowest():
    results = found(HOUSING, 1, 1, 1, 1, losses=[0.2, 0.79, 0.81, math.nan])
    assert results.steady == [("", 0), ("", 1)]  # four times 0.2 is 0.8


@pytest.mark.parametrize("name", BY_NAME)
def test_study_gives_its_published_figures_a_table_and_a_picture(name, untrained):
    experiment = BY_NAME[name]
    outcomes = [seeded(experiment, Setting(name, seed=seed)) for seed in (42, 43)]
    assert list(outcomes[0].measurements) == [published.measurement for published in experiment.published]
    assert all(isinstance(measurement, float) for measurement in outcomes[0].measurements.values())
    text = outcomes[0].text
    assert text.startswith("housing\n") and "\nFashion-MNIST\n" in text and "the chapter: " in text
    assert text.count("best\n") == 2 and text.count("measured, ") == len(experiment.published)
    panels = experiment.draw(outcomes, experiment.title).axes
    assert [panel.get_title() for panel in panels] == ["housing", "Fashion-MNIST"]
    cases = experiment.run.cases[HOUSING]
    lines = len({case.line for case in cases})
    drawn = [line for line in panels[0].lines if len(line.get_xdata())]  # others are for the legend alone
    assert len(drawn) == lines * (2 + 1)  # a dot per seed, a line
    labels = [label.get_text() for label in panels[0].get_xticklabels()]
    assert labels == [str(value) for value in dict.fromkeys(case.value for case in cases)]


def test_what_is_not_varied_stays():
    for name, knob in (("study_layers", "hidden_sizes"), ("study_neurons", "hidden_sizes"), ("study_rate", "lr")):
        for cases in BY_NAME[name].run.cases.values():
            others = [{key: value for key, value in case.knobs.items() if key != knob} for case in cases]
            assert all(other == others[0] for other in others) and {case.batch_size for case in cases} == {32}
    for cases in BY_NAME["study_batch"].run.cases.values():
        for case in cases:
            middle = 0.01 if case.knobs["hidden_sizes"] == [30, 30] else 0.03
            scaled = middle * case.batch_size / 32
            assert case.knobs["lr"] == (scaled if case.line == "rate scaled with the batch" else middle)


def test_images_to_learn_from_are_the_first_five_thousand(synthetic_fashion_mnist, monkeypatch):
    monkeypatch.setattr(option_study, "ROWS", 500)
    few, whole = FewImages(synthetic_fashion_mnist), FashionMNISTDataModule(synthetic_fashion_mnist)
    for data in (few, whole):
        data.setup()
    assert len(few.splits.train.y) == 500 and (few.splits.train.x == whole.splits.train.x[:500]).all()
    assert (few.splits.val.x == whole.splits.val.x).all() and len(few.splits.test.y) == len(whole.splits.test.y)
    assert option_study.EPOCHS == 10


def test_case_is_trained_and_scored_on_the_validation_rows(synthetic_fashion_mnist, monkeypatch):
    monkeypatch.setattr(option_study, "EPOCHS", 2)
    housing, fashion = CaliforniaHousingDataModule(), FewImages(synthetic_fashion_mnist)
    for data in (housing, fashion):
        data.setup()
    run = train(housing, Case("x", {"hidden_sizes": [5], "lr": 0.01}, batch_size=256))
    assert 0.4 < run.best < 1 and run.loss > 0 and housing.batch_size == 32
    assert run == train(housing, Case("x", {"hidden_sizes": [5], "lr": 0.01}, batch_size=256))._replace(
        seconds=run.seconds
    )
    assert train(fashion, Case("x", {"hidden_sizes": [20], "lr": 0.1})).best > 0.5
    wild = train(housing, Case("x", {"hidden_sizes": [5], "lr": 1e6}))
    assert wild.best == math.inf and not math.isfinite(wild.loss)


def test_study_without_fashion_mnist_says_so(bare_machine, monkeypatch):
    monkeypatch.setattr(option_study, "train", lambda data, case: Run(0.5, 0.5, 0.1))
    with pytest.raises(DataNotFoundError, match="Fashion-MNIST is not on this machine"):
        BY_NAME["study_layers"].run(Setting("study_layers"))
