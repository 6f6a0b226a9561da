"""The chapter's tables of architectures, and networks drawn as boxes and arrows."""

import pickle
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from matplotlib.path import Path
from torch import nn

from torchann.chapter.architecture_plot import draw_architecture
from torchann.chapter.architectures import EXPERIMENTS, architecture_tables, classification_table, regression_table
from torchann.chapter.experiment import Setting, seeded
from torchann.nets.heads import classification_objective, regression_objective
from torchann.nets.mlp import MLP
from torchann.nets.steps import Step
from torchann.nets.summary import Summary, summary
from torchann.tasks.classification import ClassificationMLP


def boxes_of(canvas):
    """The boxes by their first line, as left, right, bottom, top."""
    panel = canvas.axes[0]
    boxes = [patch for patch in panel.patches if isinstance(patch, FancyBboxPatch)]
    corners = [
        (box.get_x(), box.get_x() + box.get_width(), box.get_y(), box.get_y() + box.get_height()) for box in boxes
    ]
    return dict(zip([text.get_text().splitlines()[0] for text in panel.texts], corners, strict=True))


def arrows_of(canvas):
    return [patch for patch in canvas.axes[0].patches if isinstance(patch, FancyArrowPatch)]


def line_of(arrow):
    path = arrow.get_path()  # the line, then the arrow's head
    head = [place for place, code in enumerate(path.codes) if code == Path.MOVETO][1]
    return Path(path.vertices[:head]).interpolated(9).vertices


class Around(nn.Module):
    """Its input also goes around two layers."""

    def __init__(self):
        super().__init__()
        self.deep, self.main = nn.Sequential(nn.Linear(3, 4), nn.ReLU()), nn.Linear(7, 1)

    def forward(self, x):
        return self.main(torch.cat([x, self.deep(x)], 1))


@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda experiment: experiment.name)
def test_experiment_meets_every_published_figure_and_is_drawn(experiment, tmp_path):
    outcome = pickle.loads(pickle.dumps(seeded(experiment, Setting(experiment.name))))
    for published in experiment.published:
        assert published.met_by(outcome.measurements[published.measurement]), (published, outcome.measurements)
    experiment.draw([outcome], experiment.title).savefig(tmp_path / "picture.png")
    assert (tmp_path / "picture.png").stat().st_size < 150_000


def test_tables_say_what_the_heads_do():
    regression, classification = regression_table(), classification_table()
    z = torch.linspace(-2, 2, 5)[:, None]
    for output, column in regression.items():
        bounds = (0, 1) if output == "bounded" else None
        for name in column["output activation"].split(" or "):
            of_torch = {"none": lambda z: z, "softplus": nn.functional.softplus, "relu": torch.relu}
            expected = (of_torch | {"sigmoid": torch.sigmoid, "tanh": lambda z: (torch.tanh(z) + 1) / 2})[name](z)
            objective = regression_objective(1, "mse", output, bounds, None if name == "none" else name)
            torch.testing.assert_close(objective.activation(z), expected)
    assert [column["output activation"] for column in classification.values()] == ["sigmoid", "sigmoid", "softmax"]
    for task, column in classification.items():
        units = [classification_objective(task, n).out_features for n in ((2, 2) if task == "binary" else (4, 5))]
        assert units == ([1, 1] if column["output units"] == "1" else [4, 5])


def test_printed_tables_have_a_column_for_each_task():
    lines = architecture_tables().splitlines()
    assert lines[0].split() == ["regression", "unbounded", "positive", "bounded"]
    assert lines[10].split() == ["classification", "binary", "multilabel", "multiclass"]
    assert sum(line.startswith("hidden activation") and line.split()[2:] == ["relu"] * 3 for line in lines) == 2


def test_classifier_speaks_logits_and_takes_softmax_once():
    torch.manual_seed(0)
    model, x = ClassificationMLP([5], in_features=4, num_classes=3), torch.randn(6, 4)
    torch.testing.assert_close(model.predict_proba(x), torch.softmax(model(x).detach(), 1))
    assert model(x).min() < 0  # no probability is


def test_mlp_is_a_column_of_boxes_with_type_shape_and_parameters():
    canvas = draw_architecture(summary(MLP(784, [300, 100], 10), (28, 28)))
    texts = [text.get_text() for text in canvas.axes[0].texts]
    assert texts[:3] == [
        "x: input\n(None, 28, 28)",
        "0: Flatten\n(None, 784)",
        "1: Linear\n(None, 300), 235,500 parameters",
    ]
    boxes = list(boxes_of(canvas).values())
    assert len({left for left, *_ in boxes}) == 1
    assert all(upper[2] > lower[3] for upper, lower in pairwise(boxes))
    assert len(arrows_of(canvas)) == len(boxes) - 1 == 6


def test_way_around_other_layers_is_an_arrow_of_its_own():
    canvas = draw_architecture(summary(Around(), (3,)))
    assert list(boxes_of(canvas)) == ["x: input", "deep.0: Linear", "deep.1: ReLU", "concatenate", "main: Linear"]
    assert len(arrows_of(canvas)) == 5


def test_two_ways_out_of_a_box_are_drawn_to_its_left_and_right():
    steps = [Step(name, "Linear", ((None, 1),), parents) for name, parents in (("a", ()), ("b", (0,)), ("c", (0,)))]
    above, left, right = boxes_of(draw_architecture(Summary(tuple(steps)))).values()
    assert right[0] > left[1]
    assert left[0] + right[1] == pytest.approx(above[0] + above[1])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sets(st.integers(0, 7), max_size=3), min_size=1, max_size=8))
def test_boxes_of_any_network_stay_apart_below_their_parents_and_clear_of_arrows(wanted):
    parents = [tuple(sorted(parent for parent in given if parent < number)) for number, given in enumerate(wanted)]
    steps = tuple(Step(f"step {number}", "Linear", ((None, 1),), given) for number, given in enumerate(parents))
    canvas = draw_architecture(Summary(steps), "a title")
    boxes = list(boxes_of(canvas).values())
    assert len(arrows_of(canvas)) == sum(map(len, parents))
    for number, (left, right, bottom, top) in enumerate(boxes):
        assert all(top < boxes[parent][2] for parent in parents[number])
        for other in boxes[:number]:
            assert right < other[0] or other[1] < left or top < other[2] or other[3] < bottom
    for arrow in arrows_of(canvas):
        x, y = line_of(arrow).T
        assert not any(
            ((x > left) & (x < right) & (y > bottom + 0.01) & (y < top - 0.01)).any()
            for left, right, bottom, top in boxes
        )
    (low, high), (floor, ceiling) = canvas.axes[0].get_xlim(), canvas.axes[0].get_ylim()
    assert all(low < box[0] and box[1] < high and floor < box[2] and box[3] < ceiling for box in boxes)


def test_layer_that_was_not_called_is_not_drawn():
    class Half(nn.Module):
        def __init__(self):
            super().__init__()
            self.used, self.unused = nn.Linear(2, 1), nn.Linear(2, 1)

        def forward(self, x):
            return self.used(x)

    assert list(boxes_of(draw_architecture(summary(Half(), (2,))))) == ["x: input", "used: Linear"]


def test_texts_fit_into_their_boxes_and_the_title_onto_the_canvas():
    title = "a title that is a good deal longer than the only column of boxes is wide, but for one line only"
    canvas = draw_architecture(summary(MLP(784, [300, 100], 10), (28, 28)), title)
    agg = FigureCanvasAgg(canvas)
    agg.draw()
    renderer = agg.get_renderer()
    for text, box in zip(canvas.axes[0].texts, boxes_of(canvas).values(), strict=True):
        extent = text.get_window_extent(renderer).transformed(canvas.axes[0].transData.inverted())
        assert box[0] < extent.x0 and extent.x1 < box[1] and box[2] < extent.y0 and extent.y1 < box[3]
    extent = canvas.texts[0].get_window_extent(renderer)
    assert extent.x0 > 0 and extent.x1 < canvas.bbox.x1
