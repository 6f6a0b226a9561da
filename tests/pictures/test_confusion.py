"""Confusion matrices, read back from what is drawn, against scikit-learn's."""

import re

import numpy as np
import pytest
import torch
from matplotlib.colors import to_hex
from sklearn.metrics import confusion_matrix

from torchann.pictures.confusion import confusion_matrices
from torchann.pictures.raster import as_image

NAMES = ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"]


def draws(classes, rows=300, seed=0):
    y, other = np.random.default_rng(seed).integers(0, classes, (2, rows))
    return y, np.where(np.arange(rows) % 3, y, other)


def cells(panel):
    return [text.get_text() for text in panel.texts]


def names(axis):
    return [text.get_text() for text in axis.get_ticklabels()]


@pytest.mark.parametrize("classes", [2, 3, 10])
def test_cells_have_the_numbers_of_scikit_learn(classes):
    y, predicted = draws(classes)
    counts, shares = confusion_matrices(torch.tensor(y), torch.tensor(predicted), NAMES[:classes]).axes
    assert cells(counts) == [str(count) for count in confusion_matrix(y, predicted).flat]
    wanted = confusion_matrix(y, predicted, normalize="true")
    assert cells(shares) == [f"{share:.0%}" for share in wanted.flat]


def test_axes_say_which_is_true_and_name_all_classes():
    for panel in confusion_matrices(*draws(10), NAMES).axes:
        assert (panel.get_ylabel(), panel.get_xlabel()) == ("true class", "predicted class")
        assert names(panel.yaxis) == names(panel.xaxis) == NAMES


def test_true_classes_are_rows():
    # One row of class 0 that is taken for class 1: the first row's second cell.
    assert cells(confusion_matrices([0], [1], ["a", "b"]).axes[0]) == ["0", "1", "0", "0"]


def test_titles_tell_the_rows_and_how_many_are_right():
    canvas = confusion_matrices([0, 1, 1], [0, 1, 0], ["a", "b"], "epoch 3")
    assert canvas.get_suptitle() == "epoch 3"
    assert canvas.axes[0].get_title() == "rows: 2 of 3 right"


def test_only_mistakes_are_coloured_in_the_shares():
    # Half of class 0 and a quarter of class 1 are mistaken: the scale ends at a half.
    image = confusion_matrices([0, 0, 1, 1, 1, 1], [0, 1, 1, 1, 1, 0], ["a", "b"]).axes[1].images[0]
    coloured = np.ma.filled(image.get_array(), np.nan)
    np.testing.assert_array_equal(coloured, [[np.nan, 0.5], [0.25, np.nan]])
    assert image.get_clim() == (0, 0.5)


def test_numbers_are_white_on_dark_cells_and_faint_where_nothing_is():
    colours = [to_hex(text.get_color()) for text in confusion_matrices([0, 0, 1], [0, 0, 1], ["a", "b"]).axes[0].texts]
    assert colours == ["#ffffff", "#9a9a9a", "#9a9a9a", "#000000"]


def test_class_that_does_not_occur_has_a_row_without_shares():
    counts, shares = confusion_matrices([0, 1], [0, 2], ["a", "b", "c"]).axes
    assert cells(counts)[6:] == ["0", "0", "0"]
    assert cells(shares) == ["100%", "0%", "0%", "0%", "0%", "100%", "–", "–", "–"]


def test_many_classes_have_colour_bars_in_place_of_numbers():
    canvas = confusion_matrices(*draws(16), [f"class {number}" for number in range(16)])
    assert not any(cells(panel) for panel in canvas.axes)
    assert len(canvas.axes) == 4
    assert len(confusion_matrices(*draws(15), [str(number) for number in range(15)]).axes) == 2


def test_very_many_classes_are_named_at_intervals():
    counts = confusion_matrices(*draws(100), [f"class {number}" for number in range(100)]).axes[0]
    assert names(counts.xaxis) == [f"class {number}" for number in range(0, 100, 3)]
    assert counts.get_xticks().tolist() == list(range(0, 100, 3))


@pytest.mark.parametrize(
    ("class_names", "angle"), [(["no", "yes"], 0), (["soft-coated terrier", "Norwich terrier"], 90), (NAMES[:5], 90)]
)
def test_names_that_do_not_fit_side_by_side_are_turned(class_names, angle):
    panel = confusion_matrices([0], [1], class_names).axes[0]
    assert panel.get_xticklabels()[0].get_rotation() == angle


def test_dollar_signs_in_names_are_no_formulas():
    canvas = confusion_matrices([0, 1], [0, 1], [r"$\wrong$", "$50,000 to $60,000"], r"from $\nothing$")
    assert names(canvas.axes[0].xaxis)[0] == r"$\wrong$"
    as_image(canvas)


@pytest.mark.parametrize(("rows", "outputs"), [((2,), (2, 3)), ((2,), (3,)), ((0,), (0,)), ((2, 1), (2, 1))])
def test_rows_of_unlike_shape_and_no_rows_are_an_error(rows, outputs):
    said = re.escape(f"y {rows} and predicted {outputs} must be class numbers, one or more and one for each row; give")
    with pytest.raises(ValueError, match=said):
        confusion_matrices(np.zeros(rows, int), np.zeros(outputs, int), ["a", "b"])


@pytest.mark.parametrize(
    ("y", "predicted", "said"), [([0, 2], [0, 1], "y has class 2"), ([0], [-1], "predicted has class -1")]
)
def test_class_without_a_name_is_an_error(y, predicted, said):
    with pytest.raises(ValueError, match=f"{said}, but class_names names 0 to 1; name all classes"):
        confusion_matrices(y, predicted, ["a", "b"])
