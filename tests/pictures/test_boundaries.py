"""Decision regions, read back from what is drawn, and colours that colour-blind readers tell apart."""

from itertools import combinations

import numpy as np
import pytest
import torch
from matplotlib.colors import to_hex, to_rgb

from torchann.pictures.boundaries import COLOURS, MARKERS, PALETTE, PART, SHAPES, decision_regions
from torchann.pictures.raster import as_image

FEATURES = ["petal length (cm)", "petal width (cm)"]
# Linear red, green and blue as seen without one kind of cones: Machado, Oliveira and Fernandes 2009, severity 1.
SEEN = {
    "all cones": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
}


def lab(linear):
    """CIE L*a*b* of linear sRGB, D65."""
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    x, y, z = (to_xyz @ linear) / (0.9505, 1, 1.089)
    x, y, z = (np.cbrt(t) if t > 0.008856 else 7.787 * t + 16 / 116 for t in (x, y, z))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def nearest(colours, cones):
    rgb = np.array([to_rgb(colour) for colour in colours])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    places = [lab(np.clip(SEEN[cones] @ colour, 0, 1)) for colour in linear]
    return min(np.linalg.norm(one - other) for one, other in combinations(places, 2))


def rows_of(canvas):
    return [scatter for scatter in canvas.axes[0].collections if len(scatter.get_facecolor())]


def rings_of(canvas):
    return [scatter for scatter in canvas.axes[0].collections if not len(scatter.get_facecolor())]


@pytest.mark.parametrize("cones", SEEN)
def test_ten_colours_are_as_far_apart_as_the_eight_of_okabe_and_ito(cones):
    assert nearest(PALETTE, cones) >= 16 > nearest(["#cc79a7", "#999999"], "deuteranopia")
    assert nearest(PALETTE, cones) == pytest.approx(nearest(PALETTE[:8], cones))


def test_three_classes_have_the_first_of_ten_colours_and_markers():
    assert PALETTE[:3] == COLOURS == ("#0072b2", "#e69f00", "#009e73")
    assert SHAPES[:3] == MARKERS == ("s", "o", "^")
    assert len(set(PALETTE)) == len(set(SHAPES)) == 10


def test_rows_are_marked_by_what_they_are():
    x, y = torch.randn(30, 2), torch.arange(30) % 3
    canvas = decision_regions(lambda x: torch.zeros(len(x), dtype=torch.long), x, y, ["a", "b", "c"], FEATURES, "t")
    for number, scatter in enumerate(rows_of(canvas)):
        np.testing.assert_allclose(scatter.get_offsets(), x[y == number])
        assert to_hex(scatter.get_facecolor()[0]) == PALETTE[number]
    assert canvas.get_suptitle() == "t"
    assert [canvas.axes[0].get_xlabel(), canvas.axes[0].get_ylabel()] == FEATURES


def test_wrong_rows_alone_have_rings_and_are_counted():
    x = torch.tensor([[0.0, 0.0], [1.0, 5.0], [3.0, 1.0], [4.0, 2.0]])
    canvas = decision_regions(lambda x: (x[:, 0] > 2).long(), x, torch.tensor([0, 1, 1, 0]), ["a", "b"], FEATURES)
    (rings,) = rings_of(canvas)
    assert rings.get_offsets().tolist() == [[1, 5], [4, 2]]
    assert [text.get_text() for text in canvas.axes[0].get_legend().get_texts()] == ["a", "b", "2 of 4 rows wrong"]


def test_no_rings_where_all_rows_are_right():
    x = torch.tensor([[0.0, 0.0], [4.0, 2.0]])
    assert not rings_of(decision_regions(lambda x: (x[:, 0] > 2).long(), x, [0, 1], ["a", "b"], FEATURES))


def test_plane_is_tinted_by_what_is_predicted_there():
    # Class 1 is the top left corner: left of 1 and above 3.
    x = torch.tensor([[0.0, 0.0], [4.0, 8.0]])
    canvas = decision_regions(lambda x: ((x[:, 0] < 1) & (x[:, 1] > 3)).long(), x, [0, 0], ["a", "b"], FEATURES)
    (image,) = canvas.axes[0].images
    left, right, low, high = image.get_extent()
    assert image.origin == "lower"
    for across, up, number in ((0.5, 4, 1), (0.9, 3.2, 1), (1.1, 3.2, 0), (0.9, 2.8, 0), (3.5, 7.5, 0), (0, 8, 1)):
        height, width, _ = image.get_array().shape
        shown = image.get_array()[
            int(height * (up - low) / (high - low)), int(width * (across - left) / (right - left))
        ]
        np.testing.assert_allclose(shown, 0.75 + 0.25 * np.array(to_rgb(PALETTE[number])))


def test_limits_hold_all_rows_with_a_margin():
    x = torch.tensor([[1.0, -2.0], [3.0, 2.0]])
    panel = decision_regions(lambda x: torch.zeros(len(x)).long(), x, [0, 0], ["a"], FEATURES).axes[0]
    # 7 % of 2 and of 4.
    assert panel.get_xlim() == pytest.approx((0.86, 3.14))
    assert panel.get_ylim() == pytest.approx((-2.28, 2.28))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_predict_meets_rows_of_the_dtype_of_the_data_a_part_at_a_time(dtype):
    met = []

    def predict(x):
        met.append((x.dtype, len(x)))
        return torch.zeros(len(x), dtype=torch.long)

    decision_regions(predict, torch.rand(5, 2, dtype=dtype), [0] * 5, ["a"], FEATURES)
    assert {kind for kind, _ in met} == {dtype}
    assert max(count for _, count in met) <= PART


def test_ten_classes_have_colours_and_markers_of_their_own_and_more_differ_in_one():
    x, y = torch.randn(240, 2), torch.arange(240) % 12
    names = [str(number) for number in range(12)]
    drawn = rows_of(decision_regions(lambda x: torch.full((len(x),), 11), x, y, names, FEATURES))
    looks = [(to_hex(rows.get_facecolor()[0]), rows.get_paths()[0].vertices.tobytes()) for rows in drawn]
    assert len({colour for colour, _ in looks}) == 10
    assert len(set(looks)) == 12


@pytest.mark.parametrize("x", [[[2.0, 2.0]], [[float("nan"), 1.0], [1.0, 2.0]], [[1e30, 0.0], [0.0, 1.0]]])
def test_single_row_and_strange_rows_can_be_drawn(x):
    as_image(decision_regions(lambda x: (x[:, 0] > 0).long(), torch.tensor(x), [1] * len(x), [r"$\a$", "b"], FEATURES))


def test_rows_of_more_than_two_features_are_an_error():
    with pytest.raises(ValueError, match=r"x is \(4, 3\); give rows of two features, \(rows, 2\)"):
        decision_regions(lambda x: x.argmax(1), torch.zeros(4, 3), [0] * 4, ["a"], FEATURES)


def test_predict_that_gives_logits_is_an_error():
    with pytest.raises(ValueError, match=r"predict gave \(57600, 2\) for 57600 rows; let it give a class for each"):
        decision_regions(lambda x: x, torch.rand(4, 2), [0] * 4, ["a", "b"], FEATURES)
