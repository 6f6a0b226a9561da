"""A model owns its preparation: whatever a table looks like later, each door goes by the model's, by name."""

import numpy as np
import pytest
import torch

import torchann
from tests.data.own_tables import homes
from tests.tasks.tables import fit
from torchann.engine.rows.loader import TensorLoader

COLUMNS = ("area", "city", "sold", "garden")


def module(table=None, target="price", **options):
    return torchann.TabularDataModule(table or homes(), target, **{"kinds": {"id": "ignore"}, **options})


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Model files of a regression and a classification."""
    folder = tmp_path_factory.mktemp("known")
    for target, model in (("price", torchann.RegressionMLP([4])), ("city", torchann.ClassificationMLP([4]))):
        fit(model, module(target=target), max_epochs=2)
        torchann.save(model, folder / f"{target}.safetensors")
    return {target: folder / f"{target}.safetensors" for target in ("price", "city")}


def trainer():
    return torchann.Trainer(logger=False, quiet=True)


def figures(file, data=None, **where):
    where = where or {"datamodule": data}
    return trainer().test(torchann.load(file), verbose=False, **where)[0]


def changed(**columns):
    return {**homes(), **columns}


@pytest.mark.parametrize("target", ["price", "city"])
@pytest.mark.parametrize("ready", [False, True], ids=["not read", "read before"])
def test_columns_in_another_order_give_the_same_figures(files, target, ready):
    data = module(dict(reversed(homes().items())), target)
    if ready:
        data.setup()
    assert figures(files[target], data) == figures(files[target], module(target=target))


def test_rows_are_prepared_by_the_means_of_the_model_and_what_changed_is_told(files):
    shifted = changed(area=[area and area + 100 for area in homes()["area"]])
    data = module(shifted)
    with pytest.warns(UserWarning, match="has changed since the model was trained: 72 training rows then, 72 others"):
        found = figures(files["price"], data)
    model, test = torchann.load(files["price"]), data.splits.test
    assert found["test_rmse"] == pytest.approx(float(((model.predict(test.x)[:, 0] - test.y) ** 2).mean() ** 0.5))
    assert torch.equal(data.preprocessing.table.mean, model.preprocessing.table.mean)


@pytest.mark.parametrize("options", [{"split_seed": 7}, {"val_size": 0.3}, {"table": homes(130)}], ids=str)
def test_other_rows_or_another_split_are_told(files, options):
    with pytest.warns(UserWarning, match="or its split has changed since the model was trained: 72 training rows then"):
        figures(files["price"], module(**options))


def test_table_whose_targets_are_all_the_same_can_be_judged(files):
    with pytest.warns(UserWarning, match="or its split has changed since the model was trained"):
        assert figures(files["price"], module(changed(price=[300_000.0] * 120)))["test_rmse"] > 0


REFUSED = {
    "renamed": ("price", {"Area" if n == "area" else n: c for n, c in homes().items()}, "no column 'area'; did you"),
    "missing": ("price", {n: c for n, c in homes().items() if n != "sold"}, "there is no column 'sold'; give a table"),
    "class": (
        "city",
        changed(city=["Ys" if city == "Rome" else city for city in homes()["city"]]),
        "has the class 'Ys'",
    ),
}


@pytest.mark.parametrize(("target", "table", "told"), REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("door", ["validate", "test", "predict"])
def test_what_the_model_cannot_find_is_refused_in_a_line(files, door, target, table, told):
    with pytest.raises(ValueError, match=told):
        getattr(trainer(), door)(torchann.load(files[target]), datamodule=module(table, target))


def test_another_target_is_refused(files):
    with pytest.raises(ValueError, match="the model predicts 'price' and the target is 'area'; give the same"):
        figures(files["price"], module(target="area"))


def test_fit_after_a_test_finds_out_by_itself_again(files):
    data = module(dict(reversed(homes().items())))
    figures(files["price"], data)
    assert data.feature_names == list(COLUMNS)
    fit(torchann.RegressionMLP([4]), data, max_epochs=1)
    assert data.feature_names == list(reversed(COLUMNS))


def test_model_without_the_name_of_its_target_is_judged_as_before(files):
    model = torchann.load(files["price"])
    del model.data_info["target"]  # as in files of older versions
    assert trainer().test(model, datamodule=module(), verbose=False)[0]["test_rmse"] > 0


def loader(x, y):
    return torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, y), batch_size=7)


@pytest.mark.parametrize("door", [loader, TensorLoader], ids=["DataLoader", "TensorLoader"])
@pytest.mark.parametrize(
    "kind", [torchann.Trainer, __import__("lightning").pytorch.Trainer], ids=["ours", "Lightning's"]
)
def test_raw_rows_of_a_loader_are_prepared(files, door, kind):
    data = module()
    data.setup()
    model, raw = torchann.load(files["price"]), data.splits.test
    quiet = {"enable_progress_bar": False, "logger": False, "enable_model_summary": False, "accelerator": "cpu"}
    made = kind(**quiet)
    found = torch.cat([batch["value"] for batch in made.predict(model, door(*raw))])
    torch.testing.assert_close(found, model.predict(raw.x))
    assert made.test(model, door(*raw), verbose=False)[0] == pytest.approx(figures(files["price"], module()))
    found = made.validate(model, door(*data.splits.val), verbose=False)[0]
    assert found == pytest.approx(made.validate(model, datamodule=module(), verbose=False)[0])


@pytest.mark.parametrize(
    "kind", [torchann.Trainer, __import__("lightning").pytorch.Trainer], ids=["ours", "Lightning's"]
)
def test_raw_rows_are_prepared_by_the_trainer_that_has_fitted_on_a_data_module(kind):
    data, model = module(), torchann.RegressionMLP([4])
    quiet = {"enable_progress_bar": False, "logger": False, "enable_model_summary": False, "accelerator": "cpu"}
    made = kind(max_epochs=1, enable_checkpointing=False, **quiet)
    made.fit(model, datamodule=data)
    wanted, raw = made.test(model, datamodule=data, verbose=False)[0], data.splits.test
    assert made.test(model, loader(*raw), verbose=False)[0] == pytest.approx(wanted)
    found = torch.cat([batch["value"] for batch in made.predict(model, loader(*raw))])
    torch.testing.assert_close(found, model.predict(raw.x))
    assert made.test(model, data.test_dataloader(), verbose=False)[0] == pytest.approx(wanted)
    made.fit_loop.max_epochs = 2
    with pytest.raises(ValueError, match="would train it on rows as they are; give a data|validation inputs have nan"):
        made.fit(model, loader(*data.splits.train), loader(*data.splits.val))


def test_loaders_of_a_data_module_are_prepared_once(files):
    data = module()
    data.setup()
    assert figures(files["price"], dataloaders=data.test_dataloader()) == figures(files["price"], module())


def test_model_with_a_preparation_is_not_trained_on_rows_as_they_are(files):
    data, model = module(), torchann.load(files["price"])
    data.setup()
    raw, made = data.splits.train, torchann.Trainer(max_epochs=1, logger=False, quiet=True)
    with pytest.raises(ValueError, match="this loader would train it on rows as they are; give a data module, Tensor"):
        made.fit(model, loader(*raw))
    made.fit(model, TensorLoader(*raw, prepare=model.preprocessing))
    model.preprocessing = None
    made.fit(model, loader(*data.prepared().train))


def test_raw_rows_of_another_width_are_refused(files):
    with pytest.raises(ValueError, match=r"inputs of shape \(5, 3\); give raw rows \(rows, 4\)"):
        trainer().predict(torchann.load(files["price"]), loader(torch.zeros(5, 3), torch.zeros(5)))


@pytest.mark.parametrize("library", ["pandas", "polars"])
@pytest.mark.parametrize("target", ["price", "city"])
def test_trainer_takes_a_frame_by_the_names_of_its_columns(files, library, target):
    frame = pytest.importorskip(library).DataFrame(dict(reversed(homes(30, seed=5).items())))
    model = torchann.load(files[target])
    (batch,) = trainer().predict(model, frame)
    assert torch.equal(batch["value" if target == "price" else "class"].squeeze(), model.predict(frame).squeeze())
    found = figures(files[target], dataloaders=frame)
    if target == "price":
        y = torch.tensor(homes(30, seed=5)["price"])
        assert found["test_mae"] == pytest.approx(float((model.predict(frame)[:, 0] - y).abs().mean()), rel=1e-5)
    else:
        names = np.array(model.hparams["class_names"])[model.predict(frame)]
        assert found["test_accuracy"] == pytest.approx(np.mean(names == np.array(homes(30, seed=5)["city"])))


def test_rows_without_targets_are_predicted_and_not_judged(files):
    model, x = torchann.load(files["price"]), torch.zeros(3, 4)
    assert torch.equal(trainer().predict(model, x)[0]["value"], model.predict(x))
    with pytest.raises(ValueError, match="a Tensor has no targets to judge by; give a data module, or a loader"):
        trainer().test(model, x)
    frame = pytest.importorskip("pandas").DataFrame({n: c for n, c in homes().items() if n != "price"})
    with pytest.raises(ValueError, match="there is no column 'price'"):
        trainer().test(model, frame)


def line(offset, rows=400):
    x = np.random.default_rng(0).normal(size=rows)
    return {"x": x, "y": 2.2 * x + np.random.default_rng(1).normal(0, 0.04, rows) + offset}


@pytest.mark.parametrize("offset", [1e7, 1e8, 1.7e9])
@pytest.mark.parametrize("steps", [1, None], ids=["single steps", "blocks"])
def test_targets_far_from_zero_are_learnt_as_well_as_others(offset, steps):
    found = []
    for table in (line(0.0), line(offset)):
        data = torchann.TabularDataModule(table, "y", batch_size=32)
        model = torchann.RegressionMLP([], optimizer="adam", lr=0.05, steps_per_execution=steps)
        made = fit(model, data, max_epochs=20)
        found.append(made.test(model, datamodule=data, verbose=False)[0])
        y, y_hat = data.splits.test.y, model.predict(data.splits.test.x)[:, 0]
        assert float(((y - y_hat) ** 2).mean() ** 0.5) == pytest.approx(found[-1]["test_rmse"], rel=1e-3)
    assert found[1]["test_rmse"] == pytest.approx(found[0]["test_rmse"], rel=0.02) and found[0]["test_rmse"] < 0.06
    assert found[1]["test_mae"] == pytest.approx(found[0]["test_mae"], rel=0.02)
