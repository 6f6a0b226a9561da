"""Tasks on tables of one's own: targets in standard deviations, embeddings, predictions by column name."""

import numpy as np
import pytest
import torch

import torchann
from tests.data.own_tables import CITIES, homes
from tests.tasks.tables import fit


@pytest.fixture(scope="module")
def homes_model():
    """A regression of prices, 30 epochs, and its data."""
    data = torchann.TabularDataModule(homes(300), "price", max_one_hot=2, seed=0)
    model = torchann.RegressionMLP([16], optimizer="adam", lr=0.01)
    fit(model, data, max_epochs=30)
    return model, data


def rows(**changes):
    table = homes(5, seed=3)
    return {name: table[name] for name in ("area", "city", "sold", "garden")} | changes


def test_loss_is_in_standard_deviations_and_the_other_figures_in_the_targets_unit(homes_model):
    model, data = homes_model
    trainer = torchann.Trainer(logger=False, quiet=True)
    figures = trainer.test(model, datamodule=data, verbose=False)[0]
    y, y_hat = data.splits.test.y, model.predict(data.splits.test.x)[:, 0]
    mse = ((y - y_hat) ** 2).mean()
    assert figures["test_loss"] == pytest.approx(float(mse / data.target_std[0] ** 2), rel=1e-4)
    assert figures["test_rmse"] == pytest.approx(float(mse**0.5), rel=1e-4)
    assert figures["test_mae"] == pytest.approx(float((y - y_hat).abs().mean()), rel=1e-4)


def test_untrained_net_predicts_the_mean_of_the_targets_where_its_weights_are_zero():
    model = torchann.RegressionMLP([], 3, 1, weight_init="zeros", target_mean=[250.0], target_std=[50.0])
    assert model.predict(torch.randn(4, 3)).tolist() == [[250.0]] * 4


def test_targets_keep_their_scale_for_an_output_with_bounds():
    data = torchann.TabularDataModule(homes(60), "price")
    model = torchann.RegressionMLP([3], output="bounded", bounds=[0, 2e6])
    fit(model, data, max_epochs=1)
    assert model.predict(data.splits.test.x).max() <= 2e6


def test_scale_of_the_targets_and_embeddings_are_kept_with_the_model(homes_model, tmp_path):
    model, data = homes_model
    torchann.save(model, tmp_path / "m.safetensors")
    again, x = torchann.load(tmp_path / "m.safetensors"), data.splits.test.x
    assert torch.equal(again.predict(x), model.predict(x)) and again.hparams["embeddings"] == [[4, 3]]
    assert again.hparams["target_std"] == data.target_std
    assert again.predict(rows()).tolist() == model.predict(rows()).tolist()


def test_predictions_by_name_are_those_of_the_rows_as_numbers(homes_model):
    model, data = homes_model
    table, train = homes(300), data.splits.train
    place = table["price"].index(int(train.y[7]))
    row = {name: [table[name][place]] for name in data.feature_names}
    expected = model.predict(train.x[7:8])
    mixed = {"price": [1], **dict(reversed(row.items()))}
    array = np.array([[row[name][0] for name in data.feature_names]], dtype=object)
    for given in (row, mixed, array, array.tolist()):
        assert torch.equal(model.predict(given), expected)
    for library in ("pandas", "polars"):
        assert torch.equal(model.predict(pytest.importorskip(library).DataFrame(mixed)), expected)


def test_gaps_and_categories_that_no_training_row_had_are_told_in_a_line_each(homes_model):
    model, _ = homes_model
    with pytest.warns(UserWarning, match="column") as told:
        found = model.predict(rows(city=["Ys", "Ys", *CITIES], garden=["no", "yes", "no", None, "maybe"]))
    assert found.isfinite().all() and [str(line.message) for line in told] == [
        "column 'city': 2 values are of no category of the training rows ('Ys' 2); taken as none of them",
        "column 'garden': 1 value is no boolean ('maybe' 1); taken as missing",
        "column 'garden': 1 value is missing, as in no training row; taken as the mean, or as no category",
    ]
    assert all(line.filename == __file__ for line in told)  # where predict was called


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"city": None, "City": ["Rome"] * 5}, "there is no column 'city'; did you mean it by 'City'"),
        ({"city": None}, "there is no column 'city'; give a table that has it"),
        ({"area": [1.0, 2, 3, 4, np.inf]}, "inputs have inf in row 4, column 'area'"),
    ],
)
def test_tables_that_do_not_fit_are_refused(homes_model, change, told):
    table = {name: column for name, column in (rows() | change).items() if column is not None}
    with pytest.raises(ValueError, match=told):
        homes_model[0].predict(table)


@pytest.mark.parametrize(
    ("x", "told"),
    [
        (
            np.zeros((2, 3)),
            r"inputs of shape \(2, 3\); give rows \(rows, 4\) with the columns area, city, sold, garden",
        ),
        ([[1, 2], [3]], r"inputs of shape \(2,\); give rows \(rows, 4\)"),
        (torch.zeros(2, 3), r"inputs of shape \(2, 3\); give rows \(rows, 4\) with the columns area, city"),
        (torch.full((1, 4), torch.inf), "inputs have inf in row 0, column 'area'"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(homes_model, x, told):
    with pytest.raises(ValueError, match=told):
        homes_model[0].predict(x)


def test_tensor_may_have_gaps_as_the_splits_have_them(homes_model):
    assert homes_model[0].predict(torch.tensor([[torch.nan, 1, 20_000, 0]])).isfinite().all()


def test_classes_of_a_table_keep_their_names_to_the_end():
    data = torchann.TabularDataModule(homes(200), "garden", kinds={"price": "number"})
    model = torchann.ClassificationMLP([8], optimizer="adam", lr=0.01)
    fit(model, data, max_epochs=3)
    assert model.hparams["class_names"] == ["no", "yes"] and model.hparams["num_classes"] == 2
    assert model.predict_proba({**rows(), "price": homes(5, seed=3)["price"]}).shape == (5, 2)


@pytest.mark.parametrize("steps", [{}, {"gradient_clip_val": 1e9}], ids=["own steps", "Lightning's"])
def test_classification_learns_embeddings(steps):
    names = [f"k{row % 80}" for row in range(800)]
    table = {"k": names, "n": np.arange(800) % 7, "odd": ["no", "yes"] * 400}  # the number of k is even or odd
    data = torchann.TabularDataModule(table, "odd", kinds={"k": "category"})
    model = torchann.ClassificationMLP([8], optimizer="adam", lr=0.01)
    trainer = fit(model, data, max_epochs=20, **steps)
    assert type(model.net).__name__ == "EmbeddedMLP" and model.automatic_optimization is bool(steps)
    assert trainer.test(model, datamodule=data, verbose=False)[0]["test_accuracy"] > 0.95


def test_embeddings_that_do_not_fit_the_inputs_are_refused():
    with pytest.raises(ValueError, match=r"embeddings are \[\[5, 2\], \[4, 2\]\]; give \[categories, size\]"):
        torchann.RegressionMLP([4], 1, 1, embeddings=[[5, 2], [4, 2]])
