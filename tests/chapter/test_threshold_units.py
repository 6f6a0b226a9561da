"""Section 10.1.3: layers of units, Hebb's rule, the convergence theorem and XOR, against scikit-learn and by hand."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure
from sklearn.linear_model import Perceptron as SklearnPerceptron
from sklearn.linear_model import SGDClassifier

from torchann import IrisDataModule, Perceptron, Trainer
from torchann.chapter import perceptron, threshold_units
from torchann.chapter.experiment import Setting, seeded
from torchann.chapter.perceptron import CORNERS, mistake_bound
from torchann.chapter.threshold_units import numbers, teach
from torchann.nets.functional import hebb_rule
from torchann.nets.neurons import ThresholdLogicUnits
from torchann.pictures.boundaries import draw_line, draw_rows, tint_side

EXPERIMENTS = {e.name: e for e in (*threshold_units.EXPERIMENTS, *perceptron.EXPERIMENTS)}
AS_PERCEPTRON = {"loss": "perceptron", "learning_rate": "constant", "eta0": 1, "penalty": None}


def iris(target: str) -> tuple[torch.Tensor, torch.Tensor]:
    data = IrisDataModule(target)
    data.setup()
    return data.splits.train.x, data.splits.train.y


def signs(y: torch.Tensor) -> torch.Tensor:
    return 2 * y.double() - 1


@pytest.fixture(scope="module")
def outcome(tmp_path_factory):
    """The outcome of an experiment, which is run once."""
    runs, outcomes = str(tmp_path_factory.mktemp("runs")), {}

    def of(name):
        if name not in outcomes:
            outcomes[name] = seeded(EXPERIMENTS[name], Setting(name, runs=runs))
        return outcomes[name]

    return of


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_experiment_meets_what_was_published(name, outcome):
    assert {row.measurement for row in EXPERIMENTS[name].published} == set(outcome(name).measurements)
    for row in EXPERIMENTS[name].published:
        assert row.met_by(outcome(name).measurements[row.measurement]), row.measurement


@pytest.mark.parametrize("epochs", [1, 20, 100])
@pytest.mark.parametrize("seed", [None, 42])
def test_units_for_three_species_are_scikit_learns_weight_for_weight(seed, epochs):
    x, y = iris("species")
    if seed is not None:
        order = torch.randperm(len(y), generator=torch.Generator().manual_seed(seed))
        x, y = x[order], y[order]
    units = ThresholdLogicUnits(2, 3).double()
    teach(units, x, signs(torch.nn.functional.one_hot(y)), epochs)
    given = {"max_iter": epochs, "tol": None, "shuffle": False}
    for reference in (SklearnPerceptron(**given), SGDClassifier(**AS_PERCEPTRON, **given)):
        reference.fit(x.numpy(), y.numpy())
        np.testing.assert_array_equal(units.weight.numpy(), reference.coef_)
        np.testing.assert_array_equal(units.bias.numpy(), reference.intercept_)


def test_species_in_the_table_are_scikit_learns():
    x, y = iris("species")
    order = torch.randperm(150, generator=torch.Generator().manual_seed(42))
    theirs = SklearnPerceptron(shuffle=False, tol=None, max_iter=100).fit(x[order].numpy(), y[order].numpy())
    published = [row.value for row in EXPERIMENTS["tlu_iris_species"].published[:3]]
    pairs = zip(torch.from_numpy(theirs.coef_), torch.from_numpy(theirs.intercept_), strict=True)
    assert published == [numbers(weight, bias) for weight, bias in pairs]


@pytest.mark.parametrize("seed", [0, 1, 42])
def test_perceptron_is_the_sgd_classifier_the_book_says_weight_for_weight(seed):
    x, y = iris("setosa")
    model = Perceptron()
    trainer = Trainer(max_epochs=1000, logger=False, quiet=True)
    trainer.fit(model, datamodule=IrisDataModule(order="scikit-learn", seed=seed))
    reference = SGDClassifier(**AS_PERCEPTRON, random_state=seed).fit(x.numpy(), y.numpy())
    np.testing.assert_array_equal(model.net.weight.detach().numpy(), reference.coef_)
    np.testing.assert_array_equal(model.net.bias.detach().numpy(), reference.intercept_)
    assert trainer.current_epoch == reference.n_iter_


def test_teaching_ends_with_the_first_epoch_without_a_mistake():
    # OR from zero, by hand; each step adds t * (a, b, 1). z = w.x + b at the rows 00-, 01+, 10+, 11+:
    # epoch 1: z =  0, -> (0,0,-1); z = -1 -> (0,1,0); z = 0 -> (1,1,1); z = 3                      3 mistakes
    # epoch 2: z =  1, -> (1,1,0);  z =  1;            z = 1;            z = 2                      1 mistake
    # epoch 3: z =  0, -> (1,1,-1); z =  0 -> (1,2,0); z = 1;            z = 3                      2 mistakes
    # epoch 4: z =  0, -> (1,2,-1); z =  1;            z = 0 -> (2,2,0); z = 4                      2 mistakes
    # epoch 5: z =  0, -> (2,2,-1); z =  1;            z = 1;            z = 3                      1 mistake
    # epoch 6: z = -1;              z =  1;            z = 1;            z = 3                      none
    unit = ThresholdLogicUnits(2, 1)
    mistakes = teach(unit, CORNERS, torch.tensor([[-1.0], [1.0], [1.0], [1.0]]), max_epochs=100)
    assert mistakes[:, 0].tolist() == [3, 1, 2, 2, 1, 0]
    assert (unit.weight.tolist(), unit.bias.tolist()) == ([[2, 2]], [-1])
    assert unit(CORNERS)[:, 0].tolist() == [0, 1, 1, 1]


def test_and_ends_where_scikit_learn_ends():
    unit, target = ThresholdLogicUnits(2, 1).double(), torch.tensor([-1.0, -1.0, -1.0, 1.0]).double()
    mistakes = teach(unit, CORNERS.double(), target.unsqueeze(1), max_epochs=100)
    theirs = [
        SklearnPerceptron(max_iter=epochs, tol=None, shuffle=False).fit(CORNERS.double().numpy(), target.numpy())
        for epochs in range(1, len(mistakes) + 1)
    ]
    np.testing.assert_array_equal(unit.weight.numpy(), theirs[-1].coef_)
    np.testing.assert_array_equal(unit.bias.numpy(), theirs[-1].intercept_)
    weights = [(*model.coef_[0], *model.intercept_) for model in theirs]
    changed = [before != after for before, after in zip([(0, 0, 0), *weights], weights, strict=False)]
    assert changed == [bool(made) for made in mistakes]  # only the last epoch moves nothing


def test_xor_by_hand_is_where_it_began_after_every_epoch(outcome):
    # 00-: z = 0 -> (0,0,-1);  01+: z = -1 -> (0,1,0);  10+: z = 0 -> (1,1,1);  11-: z = 3 -> (0,0,0)
    unit, target = ThresholdLogicUnits(2, 1), torch.tensor([[-1.0], [1.0], [1.0], [-1.0]])
    by_hand = [("0, 0; -1"), ("0, 1; 0"), ("1, 1; 1"), ("0, 0; 0")]
    for _ in range(3):
        for row, expected in enumerate(by_hand):
            assert teach(unit, CORNERS[row : row + 1], target[row : row + 1], max_epochs=1).tolist() == [[1]]
            assert numbers(unit.weight[0], unit.bias) == expected
    lines, mistakes = outcome("perceptron_xor").shown
    assert [numbers(weight, bias) for _, weight, bias in lines["XOR"]] == by_hand
    assert mistakes["XOR"] == [4] * perceptron.GATE_EPOCHS


@pytest.mark.parametrize("start", [(5.0, -3.0, 2.0), (-40.0, 7.0, 11.0), (100.0, 100.0, -100.0)])
def test_xor_ends_in_a_cycle_wherever_it_begins(start):
    # The cycling theorem: the weights stay bounded, and whole numbers that stay bounded come back.
    unit, target, seen = ThresholdLogicUnits(2, 1), torch.tensor([[-1.0], [1.0], [1.0], [-1.0]]), []
    unit.weight[0], unit.bias[:] = torch.tensor(start[:2]), start[2]
    for _ in range(600):
        assert teach(unit, CORNERS, target, max_epochs=1).item() > 0
        seen.append((*unit.weight[0].tolist(), unit.bias.item()))
    assert len(set(seen[500:])) < 20 and max(map(abs, sum(seen[500:], ()))) < 5


def test_bound_of_two_rows_is_met_exactly():
    # Signed rows with their bias input: (1, 1) and (1, -1). R = sqrt(2); the plane (1, 0) leaves each 1: (R/γ)² = 2.
    x, target = torch.tensor([[1.0], [-1.0]]).double(), torch.tensor([1.0, -1.0]).double()
    r, gamma = mistake_bound(x, target)
    assert (r, gamma) == (pytest.approx(2**0.5), pytest.approx(1.0))
    # z = 0, a mistake: w = 1, b = 1. z = -1 + 1 = 0, a mistake: w = 2, b = 0. Then 2 and -2.
    assert teach(ThresholdLogicUnits(1, 1).double(), x, target.unsqueeze(1), 100).flatten().tolist() == [2, 0]


def test_margin_is_the_widest_of_all_directions():
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(30, 1, generator=generator, dtype=torch.float64)
    x = x[(x - 0.3).abs() > 0.2].unsqueeze(1)
    target = (x[:, 0] - 0.3).sign()
    angles = torch.linspace(0, 2 * torch.pi, 100_001, dtype=torch.float64)
    signed = target.unsqueeze(1) * torch.cat([x, torch.ones_like(x)], 1)
    widest = (signed @ torch.stack([angles.cos(), angles.sin()])).min(0).values.max()
    assert mistake_bound(x, target)[1] == pytest.approx(widest.item(), abs=1e-4)


def test_no_margin_is_found_where_no_line_parts_the_rows():
    assert mistake_bound(CORNERS.double(), torch.tensor([-1.0, 1.0, 1.0, -1.0]).double())[1] <= 0


@settings(max_examples=40, deadline=None)
@given(features=st.integers(1, 8), rows=st.integers(2, 60), margin=st.floats(0.02, 1.0), seed=st.integers(0, 2**31))
def test_mistakes_stay_within_the_theorems_bound(features, rows, margin, seed):
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(rows, features, generator=generator, dtype=torch.float64)
    plane = torch.randn(features + 1, generator=generator, dtype=torch.float64)
    plane /= plane.norm()
    target = (x @ plane[:-1] + plane[-1]).sign()
    x += margin * target.unsqueeze(1) * plane[:-1] / plane[:-1].norm()  # moved away from the plane
    mistakes = teach(ThresholdLogicUnits(features, 1).double(), x, target.unsqueeze(1), 100_000)
    assert mistakes[-1] == 0
    # γ of the plane that was planted, which any separating plane may stand in for, and the widest there is.
    longest, known = (x.square().sum(1) + 1).max().sqrt(), (target * (x @ plane[:-1] + plane[-1])).min()
    assert mistakes.sum() <= (longest / known) ** 2
    r, gamma = mistake_bound(x, target)
    assert r == pytest.approx(longest.item()) and gamma >= known.item() * (1 - 1e-3)
    assert mistakes.sum() <= (r / gamma) ** 2 * (1 + 1e-9)


def test_hebbs_weights_never_fire_on_iris_and_grow_by_the_same_step(outcome):
    x, y = iris("setosa")
    t, weights = signs(y), torch.zeros(3, dtype=torch.float64)
    with_bias = torch.cat([x, torch.ones(150, 1, dtype=x.dtype)], 1)
    # Setosa's columns sum to 73.1 cm, 12.3 cm and 50, those of the other 100 flowers to 490.6, 167.6 and 100.
    step = torch.tensor([73.1 - 490.6, 12.3 - 167.6, 50.0 - 100.0]).double()
    for epoch in range(1, 4):
        weights = hebb_rule(weights, with_bias, t)
        torch.testing.assert_close(weights, epoch * step)
    # Every weight is negative and no petal is: the sums are negative, and the 50 setosas are wrong.
    assert (with_bias > 0).all() and int((t * (with_bias @ weights) <= 0).sum()) == 50
    *_, lengths, wrong = outcome("hebb_and_perceptron").shown
    assert lengths["Hebb's rule"] == pytest.approx([epoch * step.norm().item() for epoch in range(1, 11)])
    assert wrong == {"Hebb's rule": [50] * 10, "Perceptron rule": [50] + [0] * 9}


def test_hebbs_step_on_centred_flowers_is_along_the_difference_of_the_means():
    # 50 (m1 - m) - 100 (m0 - m) with the mean m = (m1 + 2 m0) / 3 is 200/3 (m1 - m0).
    x, y = iris("setosa")
    weights = hebb_rule(torch.zeros(2).double(), x - x.mean(0), signs(y))
    torch.testing.assert_close(weights, 200 / 3 * (x[y == 1].mean(0) - x[y == 0].mean(0)))


@pytest.mark.parametrize(("weight", "bias"), [((2.0, 1.0), -4.0), ((0.0, 3.0), 1.5), ((-1.0, 0.0), 2.0)])
def test_boundary_is_where_the_weighted_sum_is_zero(weight, bias):
    panel = Figure().subplots()
    draw_line(panel, torch.tensor(weight), torch.tensor([bias]))
    (line,) = panel.lines
    start, end = line.get_xy1(), line.get_xy2()
    assert start != end
    assert [weight[0] * a + weight[1] * b + bias for a, b in (start, end)] == pytest.approx([0, 0])


def test_no_boundary_is_drawn_while_all_weights_are_zero():
    panel = Figure().subplots()
    draw_line(panel, torch.zeros(2), torch.ones(1))
    assert len(panel.lines) == 0


def test_tint_covers_the_side_where_a_unit_fires():
    panel = Figure().subplots()
    panel.set(xlim=(0, 4), ylim=(0, 4))
    tint_side(panel, torch.tensor([1.0, 0.0]), torch.tensor(-3.0), "red")
    (path,) = panel.collections[0].get_paths()
    assert path.get_extents().bounds == pytest.approx((3, 0, 1, 4))
    tint_side(panel, torch.tensor([-1.0, 0.0]), torch.tensor(-1.0), "red")  # fires nowhere in sight
    assert len(panel.collections) == 1


def test_rows_are_marked_by_their_class():
    panel = Figure().subplots()
    draw_rows(panel, torch.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]), torch.tensor([1, 0, 1]), ["no", "yes"])
    drawn = {marks.get_label(): marks.get_offsets().tolist() for marks in panel.collections}
    assert drawn == {"no": [[3, 4]], "yes": [[1, 2], [5, 6]]}


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_pictures_name_their_axes_and_units(name, outcome):
    canvas = EXPERIMENTS[name].draw([outcome(name)], "a title")
    canvas.draw_without_rendering()
    assert canvas.get_suptitle() == "a title"
    labels = [(panel.get_xlabel(), panel.get_ylabel()) for panel in canvas.axes]
    assert all(x and y for x, y in labels)
    if name in ("iris_perceptron", "iris_perceptron_shuffled", "tlu_iris_species", "hebb_and_perceptron"):
        assert labels[0] == ("petal length (cm)", "petal width (cm)")


def test_picture_of_the_perceptron_has_its_line_and_all_flowers(outcome):
    flowers, loss = EXPERIMENTS["iris_perceptron"].draw([outcome("iris_perceptron")], "").axes
    marks = {marks.get_label(): len(marks.get_offsets()) for marks in flowers.collections if len(marks.get_offsets())}
    assert {"not setosa": marks["not setosa"], "setosa": marks["setosa"]} == {"not setosa": 100, "setosa": 50}
    (boundary,) = flowers.lines
    for length, width in (boundary.get_xy1(), boundary.get_xy2()):
        assert -0.5 * length - 0.8 * width + 2 == pytest.approx(0)  # scikit-learn's weights
    assert list(loss.lines[0].get_xdata()) == list(range(1, 9))
