"""Tasks predict from raw rows, prepared as their data module prepares them."""

import pytest
import torch

import torchann
from tests.data.tables.test_inputs import Frame
from tests.tasks.tables import Table, fit, regression_table, weights
from torchann.nets.preprocessing import Preprocessing, Standardize


@pytest.fixture(scope="module")
def housing():
    data = torchann.CaliforniaHousingDataModule(batch_size=512)
    data.setup()
    return data


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda: torchann.RegressionMLP([4]), "value"),
        (lambda: torchann.WideAndDeep([4], aux_weight=0.1), "main_value"),
        (lambda: torchann.NetTask(torchann.MLP(8, [4], 1), {"value": torchann.Output()}), "value"),
    ],
)
def test_prediction_from_raw_rows_has_the_bits_that_the_trainer_predicts(housing, make, name):
    model = make()
    trainer = fit(model, housing, max_epochs=1)
    batches = trainer.predict(model, datamodule=housing)
    found = model.predict(housing.splits.test.x)
    expected = torch.cat([batch[name] for batch in batches])
    torch.testing.assert_close(found[name] if isinstance(found, dict) else found, expected)


def test_images_are_predicted_from_bytes(synthetic_fashion_mnist):
    data = torchann.FashionMNISTDataModule(synthetic_fashion_mnist, batch_size=512)
    model = torchann.ClassificationMLP([8], lr=0.1)
    fit(model, data, max_epochs=1)
    x = data.splits.test.x
    assert torch.equal(model.predict_proba(x), torch.softmax(model.eval()(x / 255), 1).detach())
    assert torch.equal(model.predict(x.numpy()), model.predict(x))
    with pytest.raises(ValueError, match="were divided by 255 before; give them raw"):
        model.predict(data.prepare(x))


def test_perceptron_predicts_from_the_table_as_it_is():
    data = torchann.IrisDataModule()
    model = torchann.Perceptron()
    fit(model, data, max_epochs=20)
    frame = Frame(["petal width (cm)", "petal length (cm)"], [[0.2, 1.4], [2.0, 5.0]])
    assert model.preprocessing is None and model.predict(frame).tolist() == [1, 0]  # a setosa and another


def test_model_takes_columns_by_the_names_of_its_data(housing):
    model = torchann.RegressionMLP([4])
    fit(model, housing, max_epochs=1)
    x = housing.splits.test.x[:5]
    turned = Frame(housing.feature_names[::-1], x.flip(1).tolist())
    assert torch.equal(model.predict(turned), model.predict(x))
    with pytest.raises(ValueError, match="there is no column 'MedInc'"):
        model.predict(Frame([name.lower() for name in housing.feature_names], x.tolist()))
    with pytest.raises(ValueError, match=r"inputs of shape \(5, 7\); give rows \(rows, 8\)"):
        model.predict(x[:, 1:])


def test_fit_takes_what_the_data_module_says_and_a_test_does_not(housing):
    model, other = torchann.RegressionMLP([4], in_features=8, out_features=1), torchann.CaliforniaHousingDataModule()
    assert (model.preprocessing, model.feature_names, model.data_info) == (None, None, None)
    trainer = fit(model, housing, max_epochs=1)
    assert model.preprocessing is housing.preprocessing and model.feature_names == housing.feature_names
    assert model.data_info == {"name": "california-housing", "fingerprint": housing.fingerprint, "rows": 11_610}
    trainer.test(model, datamodule=other, verbose=False)
    assert model.preprocessing is housing.preprocessing is not other.preprocessing


def test_model_that_never_met_data_takes_them_from_a_test(housing):
    model = torchann.RegressionMLP([4], in_features=8, out_features=1)
    torchann.Trainer(logger=False, quiet=True).test(model, datamodule=housing, verbose=False)
    assert model.preprocessing is housing.preprocessing


def test_preprocessing_is_no_part_of_the_net(housing):
    model = torchann.RegressionMLP([4])
    fit(model, housing, max_epochs=1)
    x = housing.splits.test.x[:3]
    prepared = model.preprocessing(x)
    assert not any(name.startswith("preprocessing") for name in model.state_dict())
    assert torch.equal(model.half().preprocessing(x), prepared)


def test_preprocessing_that_cannot_travel_is_refused():
    data = Table(torch.zeros(4, 2), torch.zeros(4), out_features=1, preprocessing=torch.nn.ReLU())
    with pytest.raises(ValueError, match="preprocessing of Table is a ReLU; give a Preprocessing of torchann"):
        fit(torchann.RegressionMLP([]), data)


def test_preprocessing_of_a_data_module_of_ones_own_is_taken():
    data = regression_table(preprocessing=Preprocessing(Standardize(torch.zeros(3), torch.full((3,), 2.0))))
    model = torchann.RegressionMLP([])
    fit(model, data, max_epochs=1)
    x = torch.randn(4, 3)
    assert torch.equal(model.predict(x), model.net(x / 2).detach())


def test_fit_that_goes_on_keeps_what_its_data_say(housing, tmp_path):
    model = torchann.RegressionMLP([4])
    trainer = fit(model, housing, max_epochs=1)
    trainer.save_checkpoint(tmp_path / "last.ckpt")
    other = torchann.CaliforniaHousingDataModule(batch_size=512)
    again = torchann.RegressionMLP([4])
    fit(again, other, max_epochs=2, ckpt_path=tmp_path / "last.ckpt")
    assert again.preprocessing is other.preprocessing
    assert not torch.equal(weights(again), weights(model))
