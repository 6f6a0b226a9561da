"""What TensorBoard's tabs draw of a run that holds one of each kind of summary."""

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from PIL import Image
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.graph_pb2 import GraphDef
from torch.utils.tensorboard import SummaryWriter
from torch.utils.tensorboard.summary import hparams

from tests.dashboard.browser import Tabs, chromium
from tests.dashboard.drawings import Chart, Picture, Slices, ink_of
from tests.dashboard.served import served

RUN = "demo/001"
EPOCHS = 5


def write_graph(writer, nodes):
    graph, before = GraphDef(), []
    for name in nodes:
        graph.node.add(name=name, op="Linear", input=before)
        before = [name]
    writer._get_file_writer().add_event(Event(graph_def=graph.SerializeToString()))


def write_one_of_each(run):
    random = torch.Generator().manual_seed(0)
    with SummaryWriter(str(run / "train")) as train, SummaryWriter(str(run / "validation")) as validation:
        for epoch in range(EPOCHS):
            train.add_scalar("loss", 1 / (epoch + 1), epoch)
            train.add_scalar("lr", 0.1, epoch)
            validation.add_scalar("loss", 1.2 / (epoch + 1), epoch)
    with SummaryWriter(str(run)) as writer:
        for epoch in range(EPOCHS):
            figure = Figure(figsize=(4, 3), dpi=100)
            figure.add_subplot().plot([0, epoch])
            writer.add_figure("curves", figure, epoch, close=False)
            writer.add_histogram("hidden/weight", torch.randn(500, generator=random), epoch)
        writer.add_text("config", "| knob | value |\n|---|---|\n| lr | 0.1 |\n\n```yaml\nmodel: MLP\n```\n", 0)
        labels, proba = torch.arange(100) % 2, torch.rand(100, generator=random)
        writer.add_pr_curve("species", labels, proba, 0, num_thresholds=11)
        rows = [[f"species {row % 3}", row] for row in range(60)]
        sprites = torch.rand(60, 1, 8, 8, generator=random)
        points = torch.randn(60, 8, generator=random)
        writer.add_embedding(points, rows, sprites, EPOCHS - 1, "hidden", metadata_header=["species", "row"])
        write_graph(writer, ["input", "hidden/linear", "hidden/relu", "output"])
        writer.add_custom_scalars({"Training": {"loss, both": ["Multiline", ["^loss$"]]}})
        _, session, _ = hparams({"lr": 0.1, "hidden_sizes": "[30]"}, {})
        writer._get_file_writer().add_summary(session)


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    runs = tmp_path_factory.mktemp("browser") / "runs"
    write_one_of_each(runs / RUN)
    return runs


@pytest.fixture(scope="module")
def tabs(runs):
    with chromium() as browser, served(runs) as address:
        tabs = Tabs(browser, address)
        yield tabs
        assert (tabs.outside, tabs.errors) == ([], [])  # no fonts or scripts from elsewhere


def test_header_offers_a_tab_for_each_kind_of_summary(tabs):
    first = ["TIME SERIES", "SCALARS", "CUSTOM SCALARS", "IMAGES", "GRAPHS", "DISTRIBUTIONS", "HISTOGRAMS"]
    assert tabs.names() == [*first, "TEXT", "PR CURVES", "HPARAMS", "PROJECTOR"]


def test_time_series_draws_scalars_images_and_histograms(tabs):
    scalars, images, histograms = tabs.time_series()
    assert scalars == [Chart("loss", [EPOCHS, EPOCHS]), Chart("lr", [EPOCHS])]
    assert images == [Picture("curves", RUN, EPOCHS, 400, 300)]
    assert histograms == [Slices("hidden/weight", RUN, EPOCHS)]


def test_scalars_draw_a_line_per_run_with_a_point_per_epoch(tabs):
    assert tabs.scalar_charts() == [Chart("loss", [EPOCHS, EPOCHS]), Chart("lr", [EPOCHS])]


def test_custom_scalars_draw_the_tags_of_their_layout(tabs):
    assert tabs.custom_scalars() == [Chart("loss, both", [EPOCHS, EPOCHS])]


def test_images_have_a_slider_of_all_epochs_and_the_size_they_were_drawn_in(tabs):
    assert tabs.images() == [Picture("curves", RUN, EPOCHS, 400, 300)]


def test_graph_draws_scopes_and_unfolds_them(tabs):
    assert sorted(tabs.graph_nodes()) == ["hidden", "input", "output"]
    assert sorted(tabs.graph_edges()) == ["hidden--output", "input--hidden"]
    assert {"hidden/linear", "hidden/relu"} <= set(tabs.graph_nodes("hidden", run=RUN))


def test_histograms_draw_a_slice_per_epoch(tabs):
    assert tabs.histograms() == [Slices("hidden/weight", RUN, EPOCHS)]


def test_distributions_draw_the_bands_between_nine_percentiles(tabs):
    assert tabs.distributions() == [Slices("hidden/weight", RUN, 8)]


def test_text_shows_tables_and_code_as_markdown_does(tabs):
    (page,) = tabs.text_pages()
    assert page.tag.startswith("config") and page.run == RUN
    assert page.rows == [["knob", "value"], ["lr", "0.1"]]
    assert page.code == ["model: MLP"]


def test_precision_recall_curves_draw_a_point_per_threshold(tabs):
    ((tag, (points,)),) = tabs.pr_curves()
    assert tag == "species" and points > 1


def test_projector_draws_the_points_with_their_sprites_and_metadata(tabs):
    shown = tabs.projector_points()
    assert shown[:4] == (["hidden:00004"], ["species", "row"], 60, 8)
    assert shown.ink > 0.02


def test_hparams_show_a_row_per_run_with_its_last_figures(tabs):
    (row,) = tabs.hparams_rows()
    assert (row["Trial ID"], row["lr"], row["hidden_sizes"]) == (RUN, "0.10000", "[30]")
    assert float(row["train.loss"]) == pytest.approx(1 / EPOCHS)
    assert float(row["validation.loss"]) == pytest.approx(1.2 / EPOCHS)


def test_screenshot_has_the_size_of_the_window_and_something_on_it(tabs, tmp_path):
    tabs.images()
    tabs.screenshot(tmp_path / "images.png", height=600)
    picture = Image.open(tmp_path / "images.png")
    assert picture.size == (1400, 600)
    assert len(np.unique(np.asarray(picture.convert("L")))) > 10
    assert ink_of(picture) > 0.05  # the header, 64 of 600 rows, is not white
