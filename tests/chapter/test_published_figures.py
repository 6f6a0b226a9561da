"""The chapter's table: the figures that were published, and when a measured one counts as met."""

from math import inf

import pytest

from torchann.chapter.experiment import Outcome, Published, Setting
from torchann.chapter.experiments import EXPERIMENTS
from torchann.chapter.report import markdown
from torchann.chapter.reproduce import Result


@pytest.mark.parametrize(
    ("name", "published"),
    [  # scikit-learn 1.9 for the Perceptron, the 2nd edition's notebook for the MLPs
        ("iris_perceptron", ["-0.5, -0.8; 2; 8; 1"]),
        ("iris_perceptron_shuffled", ["-0.7, -1.2; 2; 7; 0"]),
        ("housing_mlp", [0.3969, 0.4212]),
        ("fashion_mnist_mlp", [0.8920, 0.3357, 0.8837]),
    ],
)
def test_published_figures_are_those_of_the_books(name, published):
    assert [row.value for row in EXPERIMENTS[name].published] == published


@pytest.mark.parametrize("experiment", EXPERIMENTS.values(), ids=EXPERIMENTS)
def test_published_figure_lies_in_its_own_band(experiment):
    for published in experiment.published:
        assert published.band is None or published.band[0] <= published.band[1] < inf
        if published.band is not None:
            assert published.met_by(published.value)


def test_laws_and_own_thresholds_are_told_from_what_was_printed():
    by = {name: {row.by for row in experiment.published} for name, experiment in EXPERIMENTS.items()}
    assert by["housing_mlp"] == by["random_search"] == by["linear_regression_autograd"] == {"book"}
    assert by["logic_neurons"] == by["xor_mlp"] == by["perceptron_xor"] == {"law"}
    assert by["iris_perceptron"] == {"peer"} and by["symmetry"] == {"law", "own"}
    assert by["study_layers"] == by["housing_tuned"] == by["approximation"] == {"own"}


def test_tables_of_the_page_are_narrow():
    def result(experiment):
        outcomes = [Outcome({row.measurement: row.value for row in experiment.published}) for _ in range(2)]
        return Result(experiment, outcomes, [12.3, 12.3])

    page = markdown([result(experiment) for experiment in EXPERIMENTS.values()])
    assert max(len(line) for line in page.splitlines() if line.startswith("|")) <= 122


def test_nets_and_hyperparameters_are_those_of_the_book():
    housing, housing_data = EXPERIMENTS["housing_mlp"].run.make(Setting("housing_mlp"))
    fashion, fashion_data = EXPERIMENTS["fashion_mnist_mlp"].run.make(Setting("fashion_mnist_mlp"))
    assert (housing.hparams["hidden_sizes"], housing.hparams["lr"], housing_data.batch_size) == ([30], 1e-3, 32)
    assert (fashion.hparams["hidden_sizes"], fashion.hparams["lr"], fashion_data.batch_size) == ([300, 100], 0.01, 32)
    assert housing.hparams["optimizer"] == fashion.hparams["optimizer"] == "sgd"
    assert (EXPERIMENTS["housing_mlp"].run.max_epochs, EXPERIMENTS["fashion_mnist_mlp"].run.max_epochs) == (20, 30)


def test_seed_and_folder_reach_the_data():
    _, data = EXPERIMENTS["fashion_mnist_mlp"].run.make(Setting("", seed=7, data_dir="/somewhere"))
    assert (data.seed, data.data_dir) == (7, "/somewhere")
    assert EXPERIMENTS["housing_mlp"].run.make(Setting("", seed=7))[1].seed == 7


@pytest.mark.parametrize(
    ("published", "measurement", "met"),
    [
        (Published("test MSE", 0.42, (0.38, 0.46)), 0.38, True),
        (Published("test MSE", 0.42, (0.38, 0.46)), 0.46, True),
        (Published("test MSE", 0.42, (0.38, 0.46)), 0.4601, False),
        (Published("test MSE", 0.42, (0.38, 0.46)), float("nan"), False),
        (Published("weights", "-0.5, -0.8"), "-0.5, -0.8", True),
        (Published("weights", "-0.5, -0.8"), "-0.5, -0.9", False),
    ],
)
def test_figure_is_met_inside_its_band_or_if_it_is_equal(published, measurement, met):
    assert published.met_by(measurement) is met
