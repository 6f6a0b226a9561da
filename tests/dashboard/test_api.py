"""What TensorBoard's own server tells its pages of real runs, plugin by plugin."""

import io
import urllib.request
from urllib.parse import urlencode

import numpy as np
import pytest
import torch
from google.protobuf import text_format
from PIL import Image
from sklearn.metrics import precision_recall_curve
from tensorboard.compat.proto.graph_pb2 import GraphDef

from tests.conftest import rows
from tests.dashboard.events import read
from tests.dashboard.served import answer

DIGITS = "digits/001"
STEPS = [10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110, 120, 130]  # 26 batches of 50 rows, 5 epochs


@pytest.fixture(scope="module")
def ask(real_board):
    """Asks a plugin by its route, with parameters or a question."""

    def get(route, question=None, **parameters):
        return answer(f"{real_board}/data/plugin/{route}?{urlencode(parameters)}", question)

    return get


@pytest.fixture(scope="module")
def fetch(real_board):
    """The bytes of a route."""

    def get(route, query=None, **parameters):
        address = f"{real_board}/data/plugin/{route}?{query or urlencode(parameters)}"
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(address, timeout=20) as given:
            return given.read()

    return get


def points(found):
    return [(step, pytest.approx(value, rel=1e-6)) for _, step, value in found]


def column(real_runs, run, name):
    return [(row["epoch"], row[name]) for row in rows(real_runs.folder / run)]


def tagged(real_runs, run, tag):
    """The images of a tag as they were written, by step."""
    return {event.step: event.encoded_image_string for event in read(real_runs.folder / run).Images(tag)}


def test_runs_are_those_of_the_folder_with_their_sub_runs(real_board):
    runs = ["digits/001", "digits/002", "iris_perceptron/001", "wide_deep/001"]
    wanted = {*runs, *(f"{run}/{sub}" for run in runs for sub in ("train", "validation"))}
    assert set(answer(f"{real_board}/data/runs")) == wanted | {"digits/001/steps", "digits/002/steps"}


def test_every_tab_that_a_run_can_fill_has_something_to_show(real_board):
    shown = {name for name, plugin in answer(f"{real_board}/data/plugins_listing").items() if plugin["enabled"]}
    numbers = {"timeseries", "scalars", "custom_scalars", "distributions", "histograms", "pr_curves", "hparams"}
    assert shown == numbers | {"images", "graphs", "text", "projector"}


def test_scalars_have_the_tags_of_each_sub_run(ask):
    tags = {run: sorted(found) for run, found in ask("scalars/tags").items()}
    assert tags[f"{DIGITS}/train"] == ["accuracy", "loss", "lr"]
    assert tags[f"{DIGITS}/validation"] == ["accuracy", "loss"]
    assert tags[f"{DIGITS}/steps"] == ["batch_loss"]
    speed = ["speed/rows_per_second", "speed/seconds_per_epoch", "summary/best_val_loss"]
    assert tags[DIGITS] == ["dead_relus/2_ReLU", *speed]
    assert tags["wide_deep/001"] == tags["iris_perceptron/001"] == speed
    figures = [f"{output}_{figure}" for output in ("aux", "main") for figure in ("loss", "mae", "rmse")]
    assert tags["wide_deep/001/validation"] == sorted([*figures, "loss"])


@pytest.mark.parametrize("run", ["digits/001", "digits/002", "iris_perceptron/001", "wide_deep/001"])
@pytest.mark.parametrize(
    ("sub_run", "tag", "name"),
    [("train", "loss", "train_loss"), ("validation", "loss", "val_loss"), ("train",) + ("lr",) * 2],
)
def test_scalars_are_the_history_with_the_epoch_as_axis(ask, real_runs, run, sub_run, tag, name):
    found = points(ask("scalars/scalars", run=f"{run}/{sub_run}", tag=tag))
    assert column(real_runs, run, name) == found


def test_losses_of_steps_have_the_step_as_axis_and_the_mean_of_the_epochs(ask, real_runs):
    found = ask("scalars/scalars", run=f"{DIGITS}/steps", tag="batch_loss")
    assert [step for _, step, _ in found] == STEPS
    of_epochs = [loss for _, loss in column(real_runs, DIGITS, "train_loss")]
    assert np.mean([loss for *_, loss in found]) == pytest.approx(np.mean(of_epochs), rel=1e-5)


def test_best_figure_is_the_least_of_the_history(ask, real_runs):
    losses = [loss for _, loss in column(real_runs, DIGITS, "val_loss")]
    found = points(ask("scalars/scalars", run=DIGITS, tag="summary/best_val_loss"))
    assert [(losses.index(min(losses)), min(losses))] == found


def test_images_have_a_picture_per_epoch_that_was_asked_for(ask):
    tags = ask("images/tags")
    digits = {"confusion_matrix", "roc_curves", "worst_mistakes"}
    housing = {
        f"{of}/{what}" for of in ("main", "aux") for what in ("predicted_against_true", "residuals", "residual_map")
    }
    assert {run: set(found) for run, found in tags.items()} == {
        "digits/001": digits | {"predictions", "first_layer_weights"},
        "digits/002": digits,
        "iris_perceptron/001": {"confusion_matrix", "decision_regions"},
        "wide_deep/001": housing,
    }

    def steps(run, tag):
        return [image["step"] for image in ask("images/images", run=run, tag=tag, sample=0)]

    assert steps(DIGITS, "confusion_matrix") == steps("iris_perceptron/001", "decision_regions") == [0, 1, 2, 3, 4]
    assert steps("digits/002", "confusion_matrix") == [4]  # after the last epoch alone
    assert steps("wide_deep/001", "main/residual_map") == [1]


@pytest.mark.parametrize(
    ("run", "tag"),
    [(DIGITS, "confusion_matrix"), (DIGITS, "predictions"), ("wide_deep/001", "main/residual_map")],
)
def test_image_is_the_picture_that_was_written(ask, fetch, real_runs, run, tag):
    written = tagged(real_runs, run, tag)
    for image in ask("images/images", run=run, tag=tag, sample=0):
        got = fetch("images/individualImage", image["query"])
        assert got == written[image["step"]]
    picture = Image.open(io.BytesIO(got))
    assert picture.format == "PNG" and min(picture.size) >= 300
    assert len(picture.convert("L").getcolors()) > 10  # not blank


def test_pictures_of_two_epochs_differ(real_runs):
    written = tagged(real_runs, DIGITS, "confusion_matrix")
    assert len(set(written.values())) == 5


WEIGHTS = {"1_Linear": 64 * 16, "3_Linear": 16 * 10}
BIASES = {"1_Linear": 16, "3_Linear": 10}
ACTIVATIONS = {"1_Linear": 16, "2_ReLU": 16, "3_Linear": 10}  # on 1,024 rows
COUNTS = (
    {f"weights/{layer}": count for layer, count in WEIGHTS.items()}
    | {f"biases/{layer}": count for layer, count in BIASES.items()}
    | {f"gradients/{layer}.weight": count for layer, count in WEIGHTS.items()}
    | {f"gradients/{layer}.bias": count for layer, count in BIASES.items()}
    | {f"activations/{layer}": 1024 * count for layer, count in ACTIVATIONS.items()}
)


def test_histograms_count_every_number_of_a_layer_in_every_epoch(ask):
    assert set(ask("histograms/tags")[DIGITS]) == set(COUNTS)
    for tag, count in COUNTS.items():
        found = ask("histograms/histograms", run=DIGITS, tag=tag)
        assert [(step, sum(number for *_, number in bins)) for _, step, bins in found] == [(e, count) for e in range(5)]


def test_histogram_of_the_last_epoch_is_that_of_the_weights_that_are_left(ask, real_runs):
    weights = real_runs.digits[1].weight.detach().numpy()
    *_, (_, _, bins) = ask("histograms/histograms", run=DIGITS, tag="weights/1_Linear")
    low, high, counts = np.array(bins).T
    assert (low[0], high[-1]) == pytest.approx((weights.min(), weights.max()), rel=1e-5)
    for edge in (-0.2, 0.0, 0.2):  # a bin may lie on both sides
        assert counts[high <= edge].sum() <= (weights < edge).sum() <= counts[low < edge].sum()


def test_distributions_are_nine_percentiles_of_the_weights(ask, real_runs):
    weights = real_runs.digits[1].weight.detach().numpy()
    found = ask("distributions/distributions", run=DIGITS, tag="weights/1_Linear")
    assert [step for _, step, _ in found] == [0, 1, 2, 3, 4]
    shares, values = np.array(found[-1][2]).T
    width = (weights.max() - weights.min()) / 30  # of a bin
    assert len(shares) == 9
    np.testing.assert_allclose(values, np.percentile(weights, shares / 100), atol=width)


@pytest.mark.parametrize("digit", [0, 3, 8])
def test_precision_and_recall_are_those_of_scikit_learn_at_each_threshold(ask, real_runs, digit):
    tag = f"precision_recall/{real_runs.names[digit]}"
    entries = ask("pr_curves/pr_curves", run=DIGITS, tag=tag)[DIGITS]
    assert [entry["step"] for entry in entries] == [0, 1, 2, 3, 4]
    with torch.no_grad():
        proba = real_runs.digits(real_runs.x).softmax(1)[:, digit].numpy()
    precision, recall, scores = precision_recall_curve(real_runs.y.numpy() == digit, proba)
    last = entries[-1]
    at = np.searchsorted(scores, last["thresholds"])  # the rows that score as much or more
    assert len(at) > 30 and np.all(at < len(scores))
    np.testing.assert_allclose(last["precision"], precision[at], rtol=1e-6)
    np.testing.assert_allclose(last["recall"], recall[at], rtol=1e-6)


def test_there_is_a_curve_for_each_class_and_none_without_probabilities(ask, real_runs):
    curves = {run: set(tags) for run, tags in ask("pr_curves/tags").items()}
    wanted = {f"precision_recall/{name}" for name in real_runs.names}
    assert curves == {"digits/001": wanted, "digits/002": wanted}


def test_text_is_the_page_of_the_run_and_its_profile(ask):
    wanted = {f"{tag}/text_summary" for tag in ("run", "profile", "classification_report")}
    assert set(ask("text/tags")[DIGITS]) == wanted
    (page,) = ask("text/text", run=DIGITS, tag="run/text_summary")
    assert page["step"] == 0
    for words in ("<th>ClassificationMLP</th>", "1 (Linear)      (None, 16)             1,040", "lr: 0.1\n", "- nine"):
        assert words in page["text"]
    (profile,) = ask("text/text", run=DIGITS, tag="profile/text_summary")
    assert "Steps 2 to 3" in profile["text"] and "<td>torchann::compiled_steps</td>" in profile["text"]


def test_graph_has_the_layers_and_what_each_takes(ask, fetch):
    info = ask("graphs/info")
    assert set(info) == {"digits/001", "digits/002", "iris_perceptron/001", "wide_deep/001"}
    assert all(found["run_graph"] for found in info.values())

    def graph(run):
        written = fetch("graphs/graph", run=run, conceptual="false").decode()
        return {node.name: list(node.input) for node in text_format.Parse(written, GraphDef()).node}

    chain = {"x": [], "0_Flatten": ["x"], "1_Linear": ["0_Flatten"], "2_ReLU": ["1_Linear"], "3_Linear": ["2_ReLU"]}
    assert graph(DIGITS) == chain
    found = graph("wide_deep/001")
    assert found["main_Linear"] == ["cat"] and found["aux_Linear"] == ["deep/3_ReLU"]
    assert len(found["cat"]) == 2 and "deep/3_ReLU" in found["cat"]  # the two paths


def test_projector_lists_the_epochs_with_their_vectors_labels_and_images(ask):
    assert ask("projector/runs") == [DIGITS]
    embeddings = ask("projector/info", run=DIGITS)["embeddings"]
    assert len(embeddings) == 3 and all(found["tensorShape"] == [497, 16] for found in embeddings)
    assert all(found["sprite"]["singleImageDim"] == [8, 8] for found in embeddings)


def latest(ask):
    """The entry of the last epoch."""
    return next(e for e in ask("projector/info", run=DIGITS)["embeddings"] if "00004" in e["tensorPath"])


def test_projector_has_what_the_last_hidden_layer_makes_of_each_row(ask, fetch, real_runs):
    name = latest(ask)["tensorName"]
    vectors = np.frombuffer(fetch("projector/tensor", run=DIGITS, name=name), np.float32).reshape(497, 16)
    with torch.no_grad():
        hidden = real_runs.digits[:3](real_runs.x)
    np.testing.assert_allclose(vectors, hidden.numpy(), rtol=1e-4, atol=1e-6)


def test_projector_labels_each_row_with_what_it_is_and_what_it_is_taken_for(ask, fetch, real_runs):
    name = latest(ask)["tensorName"]
    heading, *lines = fetch("projector/metadata", run=DIGITS, name=name).decode().splitlines()
    with torch.no_grad():
        said = real_runs.digits(real_runs.x).argmax(1)
    assert heading.split("\t") == ["class", "predicted", "right"]
    names = real_runs.names
    assert [line.split("\t") for line in lines] == [
        [names[y], names[y_hat], "right" if y == y_hat else "wrong"] for y, y_hat in zip(real_runs.y, said, strict=True)
    ]


@pytest.mark.parametrize("row", [0, 30, 496])
def test_projector_has_the_image_of_each_row_at_its_place(ask, fetch, real_runs, row):
    sprite = fetch("projector/sprite_image", run=DIGITS, name=latest(ask)["tensorName"])
    pixels = np.asarray(Image.open(io.BytesIO(sprite)).convert("L"), dtype=float)
    assert pixels.shape == (23 * 8, 23 * 8)  # 23 x 23 are the first square for 497
    down, right = divmod(row, 23)
    tile = pixels[down * 8 : down * 8 + 8, right * 8 : right * 8 + 8]
    assert np.corrcoef(tile.flat, real_runs.x[row])[0, 1] > 0.99  # whatever the grey levels are


def sessions(ask, order):
    """The two runs on digits in the HPARAMS tab, sorted by the last validation loss."""
    question = {
        "experimentName": "",
        "allowedStatuses": ["STATUS_UNKNOWN", "STATUS_SUCCESS", "STATUS_FAILURE", "STATUS_RUNNING"],
        "colParams": [
            {"hparam": "parameters", "filterInterval": {"minValue": 1210, "maxValue": 1210}},
            {"hparam": "lr"},
            {"metric": {"group": "validation", "tag": "loss"}, "order": order},
            *({"metric": {"group": "train", "tag": tag}} for tag in ("loss", "accuracy")),
            {"metric": {"group": "validation", "tag": "accuracy"}},
            {"metric": {"group": "", "tag": "summary/best_val_loss"}},
        ],
        "startIndex": 0,
        "sliceSize": 10,
    }
    return ask("hparams/session_groups", question)["sessionGroups"]


def test_hparams_have_the_knobs_that_differ_and_the_figures_of_each_sub_run(ask, real_runs):
    experiment = ask("hparams/experiment", {"experimentName": ""})
    knobs = {info["name"]: info for info in experiment["hparamInfos"]}
    assert {"lr", "hidden_sizes", "max_epochs", "momentum", "optimizer", "parameters"} <= set(knobs)
    assert knobs["lr"]["differs"] and not knobs["optimizer"]["differs"]
    figures = {(info["name"]["group"], info["name"]["tag"]) for info in experiment["metricInfos"]}
    assert {("train", "loss"), ("validation", "accuracy"), ("", "summary/best_val_loss")} <= figures


@pytest.mark.parametrize(("order", "wanted"), [("ORDER_ASC", [0.1, 0.02]), ("ORDER_DESC", [0.02, 0.1])])
def test_hparams_are_sorted_by_the_figure_that_is_asked_for(ask, order, wanted):
    assert [group["hparams"]["lr"] for group in sessions(ask, order)] == wanted


def test_hparams_have_the_last_figures_of_the_history_and_the_best_one(ask, real_runs):
    for group in sessions(ask, "ORDER_ASC"):
        history = rows(real_runs.folder / group["name"])
        last, best = history[-1], min(row["val_loss"] for row in history)
        shown = {(v["name"]["group"], v["name"]["tag"]): v["value"] for v in group["metricValues"]}
        figures = {
            ("train", "loss"): pytest.approx(last["train_loss"], rel=1e-6),
            ("train", "accuracy"): pytest.approx(last["train_accuracy"], rel=1e-6),
            ("validation", "loss"): pytest.approx(last["val_loss"], rel=1e-6),
            ("validation", "accuracy"): pytest.approx(last["val_accuracy"], rel=1e-6),
            ("", "summary/best_val_loss"): pytest.approx(best, rel=1e-6),
        }
        assert {name: shown[name] for name in figures} == figures
        assert [session["status"] for session in group["sessions"]] == ["STATUS_SUCCESS"]


def test_custom_scalars_have_the_charts_of_all_runs(ask):
    layout = {c["title"]: [chart["title"] for chart in c["chart"]] for c in ask("custom_scalars/layout")["category"]}
    assert set(layout) == {"training and validation", "layers", "steps", "speed"}
    assert {"loss", "accuracy", "lr", "main_rmse"} <= set(layout["training and validation"])
    assert layout["steps"] == ["loss"] and layout["layers"] == ["dead ReLUs, share of units"]


@pytest.mark.parametrize(
    ("sub_run", "tag"),
    [("/train", "loss"), ("/validation", "loss"), ("/steps", "batch_loss"), ("", "dead_relus/2_ReLU")],
)
def test_custom_scalars_find_the_tags_of_their_charts(ask, sub_run, tag):
    layout = ask("custom_scalars/layout")
    tags = [tag for c in layout["category"] for chart in c["chart"] for tag in chart["multiline"]["tag"]]
    found = [ask("custom_scalars/scalars", run=f"{DIGITS}{sub_run}", tag=pattern) for pattern in tags]
    assert all(answer["regex_valid"] for answer in found)
    (events,) = [answer["tag_to_events"][tag] for answer in found if tag in answer["tag_to_events"]]
    assert events == ask("scalars/scalars", run=f"{DIGITS}{sub_run}", tag=tag)


def test_time_series_offer_scalars_images_and_histograms(ask):
    tags = ask("timeseries/tags")
    assert tags["scalars"]["runTagInfo"][f"{DIGITS}/steps"] == ["batch_loss"]
    assert set(tags["histograms"]["runTagInfo"][DIGITS]) == set(COUNTS)
    assert set(tags["images"]["tagRunSampledInfo"]["confusion_matrix"]) == {DIGITS, "digits/002", "iris_perceptron/001"}
