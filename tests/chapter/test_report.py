"""The rows of the table, worked by hand from a few results, and the pictures of the curves."""

from dataclasses import replace

from torchann.chapter.experiment import Experiment, Outcome, Published
from torchann.chapter.report import markdown, table
from torchann.chapter.reproduce import Result
from torchann.pictures.learning_curves import learning_curves

MSE, WEIGHTS = Published("test MSE", 0.4212, (0.38, 0.46)), Published("weights", "-0.5, -0.8")
HOUSING = Experiment("housing_mlp", "10.2.3", "Regression MLP", (MSE,), "2nd edition", run=lambda setting: None)
IRIS = Experiment("iris_perceptron", "10.1.3", "Perceptron", (WEIGHTS,), "the book", run=lambda setting: None)


def of(published, *measurements):
    return [Outcome({published.measurement: measurement}) for measurement in measurements]


def cells(result):
    return rows(result)[0]


def rows(result):
    page = markdown([result])
    lines = page[page.index("| figure |") :].split("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_row_has_median_range_and_seconds_of_the_seeds():
    # ordered 0.39, 0.40, 0.47: median 0.40, inside 0.38 to 0.46 though one seed is not
    result = Result(HOUSING, of(MSE, 0.47, 0.39, 0.40), [3.0, 1.0, 2.0])
    assert cells(result) == ["test MSE", "0.4212", "book", "0.4000", "0.3900 to 0.4700", "0.38 to 0.46", "yes"]
    told = table([result]).splitlines()[2].split()
    assert (told[0], told[-1]) == ("housing_mlp", "2.0")
    assert "| housing_mlp | 10.2.3 | 1 of 1 | 2.0 |" in markdown([result])


def test_median_of_an_even_number_of_seeds_lies_between():
    assert Result(HOUSING, of(MSE, 0.5, 0.25), [1.0, 1.0]).median(MSE) == 0.375


def test_row_of_one_seed_has_no_range():
    assert cells(Result(HOUSING, of(MSE, 0.5), [1.0]))[3:7] == ["0.5000", "", "0.38 to 0.46", "NO"]


def test_row_that_was_not_run_says_so_and_is_in_no_band():
    result = Result(HOUSING, why_not="no data")
    assert cells(result)[3:] == ["not run", "", "0.38 to 0.46", ""]
    assert not result.in_band(MSE) and not result.met


def test_row_of_weights_is_compared_as_text():
    assert cells(Result(IRIS, of(WEIGHTS, "-0.5, -0.8"), [0.1]))[3:7] == ["the same", "", "equal", "yes"]


def test_each_figure_of_an_experiment_has_a_row_and_large_ones_five_digits():
    two = replace(HOUSING, published=(MSE, Published("explodes to", 8e9, (1e6, 1e12))))
    result = Result(two, [Outcome({"test MSE": 0.4, "explodes to": 123456789.0})], [1.0])
    assert [row[0] for row in rows(result)] == ["test MSE", "explodes to"]
    assert rows(result)[1][3] == "1.2346e+08" and result.met
    assert not Result(two, [Outcome({"test MSE": 0.5, "explodes to": 1e8})], [1.0]).met  # 0.5 is out of its band


def test_text_of_an_experiment_is_in_the_page():
    page = markdown([Result(IRIS, [Outcome({"weights": "-0.5, -0.8"}, text="step 1: forward")], [0.1])])
    assert "```text\nstep 1: forward\n```" in page


def test_page_says_how_many_seeds_where_from_and_with_what():
    page = markdown([Result(HOUSING, of(MSE, 0.4, 0.41), [1.0, 1.0]), Result(IRIS, why_not="no data")])
    assert "Median and range over 2 seeds." in page
    assert f"Section 10.2.3; expected: {HOUSING.source}." in page
    assert "![Regression MLP](housing_mlp.png)" in page and "Not run: no data" in page
    assert "Made with torchann " in page and ", threads " in page


def test_curves_are_drawn_for_training_and_validation_of_each_seed():
    seeds = [[{"epoch": e, "train_loss": 2.0 - e, "val_loss": 3.0 - e + s} for e in (0, 1)] for s in (0, 1)]
    (panel,) = learning_curves(seeds, "Two seeds").axes
    # epochs are counted from 1, as the book's plots would say; each seed thin, then their median, 2 and 3.5 of the last
    assert [(list(line.get_xdata()), list(line.get_ydata())) for line in panel.lines if len(line.get_xdata()) == 2][
        :6
    ] == [
        ([1, 2], [2.0, 1.0]),
        ([1, 2], [2.0, 1.0]),
        ([1, 2], [2.0, 1.0]),
        ([1, 2], [3.0, 2.0]),
        ([1, 2], [4.0, 3.0]),
        ([1, 2], [3.5, 2.5]),
    ]
    told = [text.get_text() for text in panel.get_legend().get_texts()]
    of = ", median of 2 seeds"
    assert told == [f"training{of}", f"validation{of}", "each seed", "lowest validation loss: epoch 2"]
    assert (panel.get_xlabel(), panel.get_ylabel()) == ("epoch", "loss")


def test_each_metric_gets_a_panel_and_missing_epochs_are_left_out():
    history = [
        {"epoch": 0, "train_loss": 1.0, "train_accuracy": 0.5},
        {"epoch": 1, "train_loss": 0.5, "train_accuracy": 0.75, "val_loss": 2.0, "val_accuracy": 0.25},
    ]
    loss, accuracy = learning_curves([history], "Accuracy").axes
    assert accuracy.get_ylabel() == "accuracy (share of rows)"
    assert [list(line.get_xdata()) for line in loss.lines][:2] == [[1, 2], [2]]


def test_losses_over_decades_get_a_logarithmic_axis_and_accuracies_do_not():
    history = [
        {"epoch": e, "train_loss": 10.0 ** (1 - e), "val_loss": 1.0, "train_accuracy": 0.5, "val_accuracy": 0.9}
        for e in (0, 1, 2)
    ]
    assert [panel.get_yscale() for panel in learning_curves([history], "Decades").axes] == ["log", "linear"]


def test_seed_that_diverged_ends_in_a_cross_and_the_others_go_on():
    good = [{"epoch": e, "train_loss": float(3 - e)} for e in range(3)]
    bad = [{"epoch": e, "train_loss": loss} for e, loss in enumerate([5.0, float("nan"), float("nan")])]
    (panel,) = learning_curves([good, bad, good], "Diverged").axes
    crosses = [(list(line.get_xdata()), list(line.get_ydata())) for line in panel.lines if line.get_marker() == "x"]
    assert crosses == [([1], [5.0]), ([], [])]  # the last finite epoch, and the legend's
    (middle,) = (line for line in panel.lines if "median" in str(line.get_label()))
    assert list(middle.get_ydata()) == [3.0, 2.0, 1.0]
    told = [text.get_text() for text in panel.get_legend().get_texts()]
    assert told[-1] == "1 of 3 seeds: no longer a number from epoch 2 on" and not panel.patches
