"""The rows of the table, worked by hand from a few results, and the pictures of the curves."""

import pytest
from matplotlib.figure import Figure

from torchann.chapter.experiments import EXPERIMENTS
from torchann.chapter.plots import plot_learning_curves
from torchann.chapter.report import markdown, table
from torchann.chapter.reproduce import Result

HOUSING, IRIS = EXPERIMENTS["housing_mlp"], EXPERIMENTS["iris_perceptron"]


def cells(result):
    line = table([result], "github").splitlines()[2]
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_row_has_median_range_and_seconds_of_the_seeds():
    # ordered 0.39, 0.40, 0.47: median 0.40, inside 0.38 to 0.46 though one seed is not
    result = Result(HOUSING, [0.47, 0.39, 0.40], [3.0, 1.0, 2.0])
    assert cells(result) == [
        "housing_mlp",
        "test MSE",
        "0.4212",
        "0.4000",
        "0.3900 to 0.4700",
        "0.38 to 0.46",
        "yes",
        "2.0",
    ]


def test_median_of_an_even_number_of_seeds_lies_between():
    assert Result(HOUSING, [0.5, 0.25], [1.0, 1.0]).median == 0.375


def test_row_of_one_seed_has_no_range():
    assert cells(Result(HOUSING, [0.5], [1.0]))[3:7] == ["0.5000", "", "0.38 to 0.46", "NO"]


def test_row_that_was_not_run_says_so_and_is_in_no_band():
    result = Result(HOUSING, why_not="no data")
    assert cells(result)[3:] == ["not run", "", "0.38 to 0.46", "", ""]
    assert not result.in_band


def test_row_of_weights_is_compared_as_text():
    assert cells(Result(IRIS, ["-0.5, -0.8; 2; 8; 1"], [0.1]))[3:7] == ["-0.5, -0.8; 2; 8; 1", "", "equal", "yes"]


def test_page_says_how_many_seeds_where_from_and_with_what():
    page = markdown([Result(HOUSING, [0.4, 0.41], [1.0, 1.0]), Result(IRIS, why_not="no data")])
    assert "Median and range over 2 seeds." in page
    assert f"Section 10.2.3; published: {HOUSING.source}." in page
    assert "![learning curves](housing_mlp.png)" in page and "Not run: no data" in page
    assert "Made with torchann " in page and ", threads " in page


@pytest.fixture
def canvas(monkeypatch):
    """The picture that was written last."""
    drawn = []
    save = Figure.savefig
    monkeypatch.setattr(Figure, "savefig", lambda self, *a, **k: (drawn.append(self), save(self, *a, **k)))
    return drawn


def test_curves_are_drawn_for_training_and_validation_of_each_seed(tmp_path, canvas):
    seeds = [[{"epoch": e, "train_loss": 2.0 - e, "val_loss": 3.0 - e + s} for e in (0, 1)] for s in (0, 1)]
    plot_learning_curves(seeds, "Two seeds", tmp_path / "curves.png")
    (panel,) = canvas[0].axes
    # epochs are counted from 1, as the book's plots would say
    assert [(list(line.get_xdata()), list(line.get_ydata())) for line in panel.lines] == [
        ([1, 2], [2.0, 1.0]),
        ([1, 2], [2.0, 1.0]),
        ([1, 2], [3.0, 2.0]),
        ([1, 2], [4.0, 3.0]),
    ]
    assert [text.get_text() for text in panel.get_legend().get_texts()] == ["training", "validation"]
    assert (panel.get_xlabel(), panel.get_ylabel()) == ("epoch", "loss")
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_each_metric_gets_a_panel_and_missing_epochs_are_left_out(tmp_path, canvas):
    history = [
        {"epoch": 0, "train_loss": 1.0, "train_accuracy": 0.5},
        {"epoch": 1, "train_loss": 0.5, "train_accuracy": 0.75, "val_loss": 2.0, "val_accuracy": 0.25},
    ]
    plot_learning_curves([history], "Accuracy", tmp_path / "curves.png")
    loss, accuracy = canvas[0].axes
    assert accuracy.get_ylabel() == "accuracy (share of rows)"
    assert [list(line.get_xdata()) for line in loss.lines] == [[1, 2], [2]]
