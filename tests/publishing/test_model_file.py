"""`torchann.save` and `torchann.load`: what goes in comes out, in another process too; what cannot go in is refused."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import nn

import torchann
from tests.tasks.tables import class_table, fit, label_table, regression_table
from torchann.files.history import History
from torchann.nets.preprocessing import Preprocessing, Standardize
from torchann.nets.waves import Waves
from torchann.publishing.model_file import ModelFileError, load, save

STORED = Path(__file__).parents[1] / "stored"


class TwoInputs(nn.Module):
    def __init__(self, width=4):
        super().__init__()
        self.wide, self.deep = nn.Linear(2, 1), nn.Sequential(nn.Linear(3, width), nn.ReLU(), nn.Linear(width, 2))

    def forward(self, wide, deep):
        return {"price": self.wide(wide), "kind": self.deep(deep)}


def net_task(net=None):
    outputs = {"price": torchann.Output(weight=0.9), "kind": torchann.Output("multiclass", 2, columns=[1])}
    return torchann.NetTask(net or TwoInputs(), outputs, inputs={"wide": [0, 1], "deep": [2, 3, 4]})


MODELS = {
    "regression": lambda: torchann.RegressionMLP([5, 3], 8, 2, norm="batch", target_names=["a", "b"], dropout=0.5),
    "linear": lambda: torchann.RegressionMLP([], 8, 1, output="bounded", bounds=(0, 2), optimizer="adam"),
    "classification": lambda: torchann.ClassificationMLP([5], 8, 3, class_names=["u", "v", "w"], activation="tanh"),
    "binary": lambda: torchann.ClassificationMLP([5], 8, 2, class_weight=[1.0, 2.0], norm="layer"),
    "multilabel": lambda: torchann.ClassificationMLP([5], 8, 3, task="multilabel"),
    "orthogonal": lambda: torchann.RegressionMLP([5], 8, 1, weight_init="orthogonal", bias_init="ones"),
    "wide_deep": lambda: torchann.WideAndDeep([4], 8, 1, wide_features=[0, 7], deep_features=[1], aux_weight=0.1),
    "members": lambda: torchann.ClassificationMLP(
        in_features=8,
        num_classes=3,
        members=[{"hidden_sizes": (5,), "columns": [7, 2], "weight": 0.3}, {"hidden_sizes": [], "weight": 0.7}],
    ),
    "perceptron": lambda: torchann.Perceptron(8, class_names=["no", "yes"], tol=None),
}


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(part, other[key]) for key, part in one.items())


@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
def test_saved_task_comes_back_with_its_class_hyperparameters_and_weights(make, tmp_path):
    model = make()
    for parameter in model.net.parameters():
        nn.init.normal_(parameter)
    save(model, tmp_path / "model.safetensors")
    again = load(tmp_path / "model.safetensors")
    assert type(again) is type(model) and not again.training
    assert dict(again.hparams) == json.loads(json.dumps(dict(model.hparams)))
    assert same(again.net.state_dict(), model.net.state_dict())
    x = torch.randn(20, 8)
    assert torch.equal(again.predict(x), model.predict(x))
    assert (again.preprocessing, again.feature_names, again.data_info, again.history) == (None,) * 4


def test_net_of_ones_own_comes_back_with_its_code(tmp_path):
    task, x = net_task(), torch.randn(7, 5)
    save(task, tmp_path / "own.safetensors")
    again = load(tmp_path / "own.safetensors", net=TwoInputs())
    assert again.outputs == task.outputs and same(again.predict(x), task.predict(x))


def test_net_of_ones_own_needs_its_code(tmp_path):
    save(net_task(), tmp_path / "own.safetensors")
    with pytest.raises(ModelFileError, match=r"own.safetensors: of a NetTask .* give load\(path, net=MyNet\(\)\)"):
        load(tmp_path / "own.safetensors")


def test_another_net_than_the_saved_one_is_refused(tmp_path):
    save(net_task(), tmp_path / "own.safetensors")
    for net, told in (
        (TwoInputs(5), r"net.deep.0.weight is \(4, 3\) F32 in the file and \(5, 3\) torch.float32 in the net"),
        (TwoInputs().double(), r"\(1, 2\) F32 in the file and \(1, 2\) torch.float64 in the net"),
        (nn.Linear(5, 1), r"has tensors .*net.deep.0.bias.* and lacks \['net.bias', 'net.weight'\]"),
    ):
        before = {key: part.clone() for key, part in net.state_dict().items()}
        with pytest.raises(ModelFileError, match=f"{told}.*; give a net of the shape that was saved"):
            load(tmp_path / "own.safetensors", net=net)
        assert same(net.state_dict(), before)


def test_net_that_is_not_needed_is_refused(tmp_path):
    save(MODELS["linear"](), tmp_path / "model.safetensors")
    with pytest.raises(ModelFileError, match="a RegressionMLP needs no net and one was given; leave net out"):
        load(tmp_path / "model.safetensors", net=nn.Linear(8, 1))


def test_weights_that_a_net_shares_are_shared_again(tmp_path):
    class Tied(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.second = nn.Linear(3, 3), nn.Linear(3, 3)
            self.second.weight = self.first.weight

        def forward(self, x):
            return self.second(self.first(x))

    task, x = torchann.NetTask(Tied(), {"value": torchann.Output(size=3)}), torch.randn(4, 3)
    save(task, tmp_path / "tied.safetensors")
    again = load(tmp_path / "tied.safetensors", net=Tied())
    assert again.net.second.weight is again.net.first.weight and same(again.predict(x), task.predict(x))


@pytest.mark.parametrize("norm", [None, "batch"])
def test_bare_mlp_comes_back(norm, tmp_path):
    net, x = torchann.MLP(4, [3, 2], 1, "tanh", dropout=0.1, norm=norm), torch.randn(5, 4)
    save(net, tmp_path / "net.safetensors")
    again = load(tmp_path / "net.safetensors")
    assert str(again) == str(net) and torch.equal(again(x), net.eval()(x))


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16])
def test_weights_keep_their_dtype(dtype, tmp_path):
    model = MODELS["regression"]().to(dtype)
    save(model, tmp_path / "model.safetensors")
    again = load(tmp_path / "model.safetensors")
    assert same(again.net.state_dict(), model.net.state_dict())
    assert next(again.net.parameters()).dtype == dtype


@pytest.fixture(scope="module")
def housing():
    data = torchann.CaliforniaHousingDataModule(periodic_coordinates=2)
    model = torchann.RegressionMLP([6], lr=1e-3)
    torchann.Trainer(logger=False, quiet=True, max_epochs=2).fit(model, datamodule=data)
    return model, data


def test_fitted_model_predicts_the_same_bits_from_raw_rows_in_another_process(housing, tmp_path):
    model, data = housing
    x = data.splits.test.x[:100]
    save(model, tmp_path / "model.safetensors")
    np.save(tmp_path / "x.npy", x.numpy())
    code = "import numpy as np, torchann; model = torchann.load('model.safetensors')"
    code += "; np.save('y.npy', model.predict(np.load('x.npy')).numpy())"
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)
    expected = model.eval()(data.prepare(x)).detach()
    assert torch.equal(model.predict(x), expected)
    np.testing.assert_array_equal(np.load(tmp_path / "y.npy"), expected)


def test_file_tells_of_the_data_and_of_the_training(housing, tmp_path):
    model, data = housing
    model.history = History(
        [{"epoch": 0, "train_loss": 0.1, "val_loss": float("nan")}, {"epoch": 1, "train_loss": float("-inf")}]
    )
    save(model, tmp_path / "model.safetensors")
    again = load(tmp_path / "model.safetensors")
    assert again.feature_names == data.feature_names and again.hparams["target_names"] == ["MedHouseVal"]
    assert again.data_info == {"name": "california-housing", "fingerprint": data.fingerprint, "rows": 11_610}
    assert str(again.history.rows) == str(model.history.rows)  # nan equals nothing


def test_model_that_was_loaded_can_be_fitted_on_and_saved_again(housing, tmp_path):
    model, data = housing
    save(model, tmp_path / "model.safetensors")
    again = load(tmp_path / "model.safetensors")
    save(again, tmp_path / "again.safetensors")
    assert (tmp_path / "again.safetensors").read_bytes() == (tmp_path / "model.safetensors").read_bytes()
    before = again.net.state_dict()["1.weight"].clone()
    assert not again.training
    torchann.Trainer(logger=False, quiet=True, max_epochs=1).fit(again, datamodule=data)
    assert again.training and not torch.equal(again.net.state_dict()["1.weight"], before)


def test_checkpoint_predicts_from_raw_rows(housing, tmp_path):
    model, data = housing
    trainer = torchann.Trainer(logger=False, quiet=True)
    trainer.strategy.connect(model)
    trainer.save_checkpoint(tmp_path / "model.ckpt")
    again = torchann.RegressionMLP.load_from_checkpoint(tmp_path / "model.ckpt")
    x = data.splits.val.x
    assert torch.equal(again.predict(x), model.predict(x)) and again.data_info == model.data_info


def test_loading_leaves_the_callers_random_numbers_alone(tmp_path):
    save(MODELS["orthogonal"](), tmp_path / "model.safetensors")
    state = torch.get_rng_state()
    load(tmp_path / "model.safetensors")
    assert torch.equal(torch.get_rng_state(), state)


def test_other_programs_can_read_the_weights(tmp_path):
    model = MODELS["regression"]()
    save(model, tmp_path / "model.safetensors")
    theirs = load_file(tmp_path / "model.safetensors")
    assert same({f"net.{key}": part for key, part in model.net.state_dict().items()}, theirs)


def test_tuples_come_back_as_lists(tmp_path):
    model = torchann.RegressionMLP([], 2, 1, optimizer="adam", optimizer_options={"betas": (0.8, 0.9)})
    save(model, tmp_path / "model.safetensors")
    assert load(tmp_path / "model.safetensors").hparams["optimizer_options"] == {"betas": [0.8, 0.9]}


def test_old_file_is_untouched_when_a_new_one_cannot_be_written(tmp_path):
    path = tmp_path / "model.safetensors"
    save(MODELS["linear"](), path)
    before = path.read_bytes()
    model = MODELS["linear"]()
    model.hparams["lr"] = torch.nn.ReLU()
    with pytest.raises(
        ModelFileError, match=r"hyperparameter lr has ReLU\(\), a ReLU; give None, finite numbers, text"
    ):
        save(model, path)
    assert path.read_bytes() == before and [file.name for file in tmp_path.iterdir()] == [path.name]


def test_folder_that_is_not_there_is_an_error_that_names_the_file(tmp_path):
    with pytest.raises(OSError, match=r"cannot write .*none.model.safetensors"):
        save(MODELS["linear"](), tmp_path / "none" / "model.safetensors")


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (float("nan"), "hyperparameter lr has nan, a float"),
        (np.float64(0.1), r"hyperparameter lr has (np.float64\()?0.1\)?, a float64"),
        ({1: 2}, r"hyperparameter lr has \{1: 2\}, a dict"),
        ([[[[[[[[[[1]]]]]]]]]], r"hyperparameter lr has \[\[1\]\], a list; .* at most 8 deep"),
    ],
)
def test_hyperparameter_that_json_cannot_hold_is_refused(value, told, tmp_path):
    model = MODELS["linear"]()
    model.hparams["lr"] = value
    with pytest.raises(ModelFileError, match=told):
        save(model, tmp_path / "model.safetensors")


class Own(torchann.RegressionMLP):
    pass


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: Own([], 2, 1), r"a .*test_model_file.Own cannot be saved.*NetTask\(net, outputs\)"),
        (lambda: nn.Linear(2, 1), "a torch.nn.modules.linear.Linear cannot be saved.*give a ClassificationMLP, MLP"),
    ],
)
def test_class_that_a_file_cannot_name_is_refused(make, told, tmp_path):
    with pytest.raises(ModelFileError, match=told):
        save(make(), tmp_path / "model.safetensors")


def test_class_of_the_same_name_from_elsewhere_is_refused(tmp_path):
    other = type("RegressionMLP", (torchann.RegressionMLP,), {"__module__": "elsewhere"})
    with pytest.raises(ModelFileError, match="a elsewhere.RegressionMLP cannot be saved"):
        save(other([], 2, 1), tmp_path / "model.safetensors")


def test_task_without_sizes_cannot_be_saved(tmp_path):
    with pytest.raises(RuntimeError, match="RegressionMLP does not know its sizes yet"):
        save(torchann.RegressionMLP([3]), tmp_path / "model.safetensors")


class WithState(nn.Linear):
    def get_extra_state(self):
        return {"not": "a tensor"}

    def set_extra_state(self, state):
        raise AssertionError


@pytest.mark.parametrize(
    ("net", "told"),
    [
        (WithState(2, 1), "the net's _extra_state is a dict; a file holds dense tensors of float64, float32"),
        (nn.Linear(2, 1, dtype=torch.complex64), "the net's weight is a torch.strided tensor of torch.complex64"),
    ],
)
def test_state_that_is_no_plain_tensor_is_refused(net, told, tmp_path):
    with pytest.raises(ModelFileError, match=told):
        save(torchann.NetTask(net, {"value": torchann.Output()}), tmp_path / "model.safetensors")


def test_history_too_long_to_be_read_again_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("torchann.files.safetensors_file.MAX_HEADER", 1000)
    model = MODELS["linear"]()
    model.history = History([{"epoch": epoch} for epoch in range(1000)])
    with pytest.raises(ModelFileError, match=r"at most 1,000 in 30,000 can be read again: shorten the history"):
        save(model, tmp_path / "model.safetensors")


def test_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no file .*model.safetensors; give a run folder, or a model file"):
        load(tmp_path / "model.safetensors")


@pytest.mark.parametrize("make", [regression_table, class_table, label_table])
def test_task_that_met_a_data_module_of_ones_own_says_so(make, tmp_path):
    data = make()
    model = torchann.RegressionMLP([]) if make is regression_table else torchann.ClassificationMLP([])
    if make is label_table:
        model = torchann.ClassificationMLP([], task="multilabel")
    fit(model, data, max_epochs=1)
    save(model, tmp_path / "model.safetensors")
    again = load(tmp_path / "model.safetensors")
    assert again.data_info == {"name": "Table", "fingerprint": None, "rows": None}
    assert torch.equal(again.predict(data.x), model.predict(data.x))


def test_preprocessing_of_ones_own_choice_goes_along(tmp_path):
    model, x = torchann.RegressionMLP([3], 6, 1), torch.randn(9, 2) * 50
    model.preprocessing = Preprocessing(Standardize(x.mean(0), x.std(0)), Waves([0, 1], 1))
    save(model, tmp_path / "model.safetensors")
    again = load(tmp_path / "model.safetensors")
    assert torch.equal(again.predict(x), model.predict(x))
    assert torch.equal(model.half().preprocessing(x), again.preprocessing(x))  # not rounded with the weights


@pytest.mark.parametrize(
    "path", sorted(STORED.glob("*/*.safetensors")), ids=lambda path: f"{path.parent.name}-{path.stem}"
)
def test_file_of_every_released_version_predicts_what_it_did(path):
    model, told = load(path), json.loads(path.with_suffix(".json").read_text())
    assert type(model).__name__ == told["class"]
    torch.testing.assert_close(model.predict(told["x"]).double(), torch.tensor(told["y"], dtype=torch.float64))
    assert model.data_info == told["data_info"] and model.feature_names == told["feature_names"]
    assert (model.history and model.history.rows) == told["history"]


def test_there_is_a_stored_file_of_this_version():
    assert list((STORED / "0.1.0").glob("*.safetensors"))
