"""What TensorBoard's tabs draw of real runs, in a real browser."""

from itertools import pairwise

import numpy as np
import pytest
from PIL import Image

from tests.conftest import rows
from tests.dashboard.browser import Tabs, chromium
from tests.dashboard.drawings import Picture, Slices, ink_of

DIGITS = ["digits/001", "digits/002"]
HISTOGRAMS = [
    *("activations/1_Linear", "activations/2_ReLU", "activations/3_Linear", "biases/1_Linear", "biases/3_Linear"),
    *("gradients/1_Linear.bias", "gradients/1_Linear.weight", "gradients/3_Linear.bias", "gradients/3_Linear.weight"),
    *("weights/1_Linear", "weights/3_Linear"),
]


@pytest.fixture(scope="module")
def tabs(real_board):
    with chromium() as browser:
        yield Tabs(browser, real_board)


@pytest.fixture(autouse=True)
def nothing_fails_and_nothing_is_fetched_from_elsewhere(tabs):
    yield
    assert (tabs.outside, tabs.errors) == ([], [])


def by_tag(charts):
    """The numbers of points of each chart's lines, whatever their order."""
    return {chart.tag: sorted(chart.points) for chart in charts}


def test_header_offers_a_tab_for_each_kind_of_summary(tabs):
    first = ["TIME SERIES", "SCALARS", "CUSTOM SCALARS", "IMAGES", "GRAPHS", "DISTRIBUTIONS", "HISTOGRAMS"]
    assert tabs.names() == [*first, "TEXT", "PR CURVES", "HPARAMS", "PROJECTOR"]


def test_printed_address_shows_the_figures_unsmoothed(tabs):
    assert tabs.smoothing() == 0  # 0.6 by itself


def test_time_series_draw_scalars_images_and_histograms(tabs):
    scalars, images, histograms = tabs.time_series("^(batch_loss|loss|decision_regions|weights/1_Linear)$")
    wanted = {"loss": [2, 2, 5, 5, 5, 5, 5, 5], "batch_loss": [13, 13]}  # training and validation of each run; steps
    assert by_tag(scalars) == wanted
    assert images == [Picture("decision_regions", "iris_perceptron/001", 5, 700, 500)]
    assert histograms == [Slices("weights/1_Linear", "digits/001", 5)]


def test_scalars_draw_a_line_per_sub_run_with_a_point_per_epoch(tabs):
    charts = by_tag(tabs.scalar_charts())
    assert charts["loss"] == [2, 2, 5, 5, 5, 5, 5, 5]
    assert charts["accuracy"] == [5] * 6 and charts["main_rmse"] == [2, 2]
    assert charts["lr"] == charts["speed/rows_per_second"] == [2, 5, 5, 5]
    assert charts["summary/best_val_loss"] == [1, 1, 1, 1] and charts["dead_relus/2_ReLU"] == [5]


def test_custom_scalars_draw_the_charts_of_their_layout(tabs):
    charts = tabs.custom_scalars()
    loss, steps = (chart for chart in charts if chart.tag == "loss")
    assert sorted(loss.points) == [2, 2, 5, 5, 5, 5, 5, 5] and len(steps.points) == 2
    charts = by_tag(charts)
    assert charts["accuracy"] == [5] * 6 and charts["dead ReLUs, share of units"] == [5]
    assert charts["rows per second"] == charts["seconds per epoch"] == [2, 5, 5, 5]


def test_images_have_a_slider_of_their_epochs_and_the_size_they_were_drawn_in(tabs, tmp_path):
    images = tabs.images()
    steps = {(image.run, image.tag): image.steps for image in images}
    digits = ["confusion_matrix", "first_layer_weights", "predictions", "roc_curves", "worst_mistakes"]
    iris = ["confusion_matrix", "decision_regions"]
    housing = [
        f"{of}/{what}" for of in ("aux", "main") for what in ("predicted_against_true", "residual_map", "residuals")
    ]
    assert steps == {
        **{("digits/001", tag): 5 for tag in digits},
        **{("digits/002", tag): 1 for tag in ("confusion_matrix", "roc_curves", "worst_mistakes")},
        **{("iris_perceptron/001", tag): 5 for tag in iris},
        **{("wide_deep/001", tag): 1 for tag in housing},
    }
    assert all(image.width >= 400 and image.height >= 300 for image in images)
    tabs.screenshot(tmp_path / "images.png", height=600)
    picture = Image.open(tmp_path / "images.png")
    assert picture.size == (1400, 600)
    assert len(np.unique(np.asarray(picture.convert("L")))) > 10
    assert ink_of(picture) > 0.05  # the header, 64 of 600 rows, is not white


def test_graph_of_an_mlp_is_a_chain(tabs):
    chain = ["x", "0_Flatten", "1_Linear", "2_ReLU", "3_Linear"]
    assert sorted(tabs.graph_nodes(run="digits/001")) == sorted(chain)
    assert sorted(tabs.graph_edges()) == sorted(map("--".join, pairwise(chain)))


def test_graph_of_wide_and_deep_has_two_paths_that_meet_and_unfolds(tabs):
    nodes = set(tabs.graph_nodes("deep", run="wide_deep/001"))
    assert {"x", "cat", "main_Linear", "aux_Linear"} <= nodes
    assert {"deep/0_Linear", "deep/1_ReLU", "deep/2_Linear", "deep/3_ReLU"} <= nodes
    edges = [edge.split("--") for edge in tabs.graph_edges()]
    takes = {to: {start for start, end in edges if end == to} for _, to in edges}
    (wide,) = takes["cat"] - {"deep"}
    (columns,) = takes["deep"]
    assert takes[wide] == takes[columns] == {"x"} and wide != columns
    assert takes["aux_Linear"] == {"deep"} and takes["main_Linear"] == {"cat"}
    assert takes["deep/3_ReLU"] == {"deep/2_Linear"} and takes["deep/2_Linear"] == {"deep/1_ReLU"}


def test_histograms_draw_a_slice_per_epoch(tabs):
    assert tabs.histograms() == [Slices(tag, "digits/001", 5) for tag in HISTOGRAMS]


def test_distributions_draw_the_bands_between_nine_percentiles(tabs):
    assert tabs.distributions() == [Slices(tag, "digits/001", 8) for tag in HISTOGRAMS]


def test_text_shows_the_pages_of_the_runs_with_their_tables_and_code(tabs):
    pages = {(page.run, page.tag.partition("/")[0]): page for page in tabs.text_pages()}
    page = pages["digits/001", "run"]
    assert page.rows[0] == ["task", "ClassificationMLP"]
    network, configuration = page.code
    assert "1 (Linear)      (None, 16)             1,040" in network.splitlines()
    assert {"  lr: 0.1", "max_epochs: 5"} <= set(configuration.splitlines())
    assert "california-housing, 11,610 training rows" in pages["wide_deep/001", "run"].text
    profile = pages["digits/001", "profile"]
    assert profile.text.startswith("Steps 2 to 3, by torch's profiler.")
    assert profile.rows[0] == ["operation", "calls", "µs per step, itself", "share"] and len(profile.rows) == 16
    mistakes = pages["iris_perceptron/001", "worst_mistakes"]
    assert mistakes.rows[0] == ["row", "is", "taken for", "petal length (cm)", "petal width (cm)"]


def test_precision_recall_curves_draw_both_runs_for_each_class(tabs, real_runs):
    charts = tabs.pr_curves()
    assert sorted(chart.tag for chart in charts) == sorted(f"precision_recall/{name}" for name in real_runs.names)
    assert all(len(chart.points) == 2 and min(chart.points) > 10 for chart in charts)


def test_projector_draws_the_points_with_their_sprites_and_metadata(tabs):
    shown = tabs.projector_points()
    assert len(shown.tensors) == 3 and shown.shown in shown.tensors
    assert (shown.columns, shown.points, shown.dimension) == (["class", "predicted", "right"], 497, 16)
    assert shown.ink > 0.02


def test_hparams_show_a_row_per_run_with_its_last_figures(tabs, real_runs):
    found = {row["Trial ID"]: row for row in tabs.hparams_rows()}
    assert {"digits/001", "digits/002", "wide_deep/001"} <= set(found)
    for run, lr in zip(DIGITS, real_runs.lr, strict=True):
        last = rows(real_runs.folder / run)[-1]
        assert found[run]["hidden_sizes"] == "[16]" and float(found[run]["lr"]) == lr
        for sub_run, name in (("train", "train_accuracy"), ("validation", "val_accuracy")):
            assert float(found[run][f"{sub_run}.accuracy"]) == pytest.approx(last[name], abs=1e-5)
