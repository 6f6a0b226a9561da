"""Exported files predict from raw rows what the model predicts, in batches of any size, and say what they are."""

import json
import os
import sys
import warnings
import zipfile

import numpy as np
import pytest
import torch
from torch import nn

import torchann
from tests.publishing.exported import MODELS, first, run_onnx, run_program
from torchann.estimators.pipelines import task_of
from torchann.nets.mlp import ACTIVATIONS
from torchann.nets.preprocessing import Preprocessing
from torchann.nets.waves import Waves
from torchann.publishing.model_info import metadata
from torchann.publishing.raw_model import task_from

RUNS = {".onnx": run_onnx, ".pt2": run_program}
LIKE_OTHERS = ("species", "labels", "columns_of_inputs")  # as ONNX, which takes a second or two
PORTS = {
    "housing": "features (rows, 8) float64 -> value (rows, 1) float32",
    "table": "features (rows, 4) float64 -> value (rows, 1) float32",
    "embeddings": "features (rows, 4) float64 -> value (rows, 1) float32",
    "species": "features (rows, 4) float64 -> class (rows,) int64, proba (rows, 3) float32",
    "images": "features (rows, 28, 28) uint8 -> class (rows,) int64, proba (rows, 10) float32",
    "binary": "features (rows, 3) float32 -> class (rows,) int64, proba (rows, 2) float32",
    "labels": "features (rows, 3) float32 -> class (rows, 4) int64, proba (rows, 4) float32",
    "perceptron": "features (rows, 2) float64 -> class (rows,) int64",
    "wide_deep": "features (rows, 8) float32 -> main_value (rows, 1) float32, aux_value (rows, 1) float32",
    "named_inputs": "wide (rows, 5) float32, deep (rows, 6) float32 -> main_value (rows, 1) float32, "
    "aux_class (rows,) int64, aux_proba (rows, 2) float32",
    "columns_of_inputs": "features (rows, 8) float32 -> main_value (rows, 1) float32, aux_value (rows, 1) float32",
    "mean_of_values": "features (rows, 4) float32 -> value (rows, 2) float32",
    "mean_of_classes": "features (rows, 4) float32 -> class (rows,) int64, proba (rows, 3) float32",
    "mean_of_two_classes": "features (rows, 4) float32 -> class (rows,) int64, proba (rows, 2) float32",
    "pipeline": "features (rows, 3) float64 -> class (rows,) int64, proba (rows, 3) float64",
}


@pytest.mark.parametrize(
    ("name", "ending"),
    [(name, ending) for name in MODELS for ending in RUNS if ending == ".pt2" or name not in LIKE_OTHERS],
)
def test_exported_file_predicts_what_the_model_predicts_from_raw_rows(name, ending, tmp_path):
    if ending == ".onnx":
        pytest.importorskip("onnxruntime")
    model, rows, given = MODELS[name]()
    path = tmp_path / f"model{ending}"
    done = torchann.export(model, path, rows=given)
    assert str(done).startswith(f"{path}: {PORTS[name]}; checked on ") and done.difference <= 1e-5
    task = task_from(model)
    wanted = {output: part.numpy() for output, part in task._predict(rows).items()}
    for count in (1, 5, 33):
        found = RUNS[ending](path, first(rows, count))
        assert list(found) == list(wanted)
        for output, want in wanted.items():
            scale = 1 if output.endswith("proba") else np.abs(want).max()
            np.testing.assert_allclose(found[output], want[:count], rtol=0, atol=1e-5 * scale)


def test_every_activation_is_exported(tmp_path):
    onnx = pytest.importorskip("onnxruntime") is not None
    layers = [layer for kind in ACTIVATIONS.values() for layer in (nn.Linear(6, 6), kind())]
    task = torchann.NetTask(nn.Sequential(*layers), {"y": torchann.Output(size=6)}).eval()
    rows = 3 * torch.randn(40, 6)
    for ending in RUNS if onnx else [".pt2"]:
        assert torchann.export(task, tmp_path / f"net{ending}", rows=rows).difference <= 1e-5


@pytest.mark.parametrize(("output", "bounds"), [("positive", None), ("bounded", [0.0, 5.0])])
def test_outputs_keep_their_limits(output, bounds, tmp_path):
    task = torchann.RegressionMLP([4], 2, 2, output=output, bounds=bounds)
    torchann.export(task, tmp_path / "net.pt2")
    found = run_program(tmp_path / "net.pt2", 100 * torch.randn(50, 2))["value"]
    assert found.min() >= 0 and (bounds is None or found.max() <= 5)


def test_model_is_left_as_it_was_and_may_be_anywhere(tmp_path, housing_run):
    task = torchann.ClassificationMLP([4], 3, 2, dropout=0.5).train()
    before, random = {key: part.clone() for key, part in task.state_dict().items()}, torch.get_rng_state()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        torchann.export(task, tmp_path / "new" / "net.pt2")
    assert task.training and all(torch.equal(part, before[key]) for key, part in task.state_dict().items())
    assert torch.equal(random, torch.get_rng_state()) and all(part.requires_grad for part in task.parameters())
    assert not caught
    torchann.save(task, tmp_path / "net.safetensors")
    for number, model in enumerate([tmp_path / "net.safetensors", str(housing_run), housing_run.parent]):
        assert torchann.export(model, tmp_path / f"{number}.pt2").rows == 74


def test_estimators_are_exported_by_their_tasks(tmp_path):
    from torchann.estimators import MLPRegressor, Perceptron

    x, y = np.arange(20.0).reshape(10, 2), np.arange(10.0)
    net = MLPRegressor(hidden_layer_sizes=(3,), solver="lbfgs", random_state=0).fit(x, y)
    torchann.export(net, tmp_path / "net.pt2")
    np.testing.assert_allclose(run_program(tmp_path / "net.pt2", torch.from_numpy(x))["value"][:, 0], net.predict(x))
    unit = Perceptron().fit(x, y > 4)
    torchann.export(unit, tmp_path / "unit.pt2")
    assert (
        run_program(tmp_path / "unit.pt2", torch.from_numpy(x))["class"].astype(bool).tolist()
        == unit.predict(x).tolist()
    )


def test_onnx_file_says_what_its_columns_and_classes_are(tmp_path):
    onnx = pytest.importorskip("onnx")
    torchann.export(MODELS["binary"]()[0], tmp_path / "m.onnx")
    proto = onnx.load(tmp_path / "m.onnx")
    onnx.checker.check_model(proto)
    facts = {entry.key: entry.value for entry in proto.metadata_props}
    assert facts["task"] == "binary" and facts["torchann_version"] == "0.1.0"
    assert json.loads(facts["class_names"]) == ["no", "yes"]
    shapes = [value.type.tensor_type.shape.dim[0].dim_param for value in (*proto.graph.input, *proto.graph.output)]
    assert shapes == ["rows"] * 3
    facts = metadata(MODELS["table"]()[0])
    city = {"name": "city", "kind": "category", "categories": ["Oslo", "Paris", "Rome"]}
    assert json.loads(facts["columns"])[1] == city and json.loads(facts["target_names"]) == ["price"]


def test_onnx_file_has_no_cosine_of_float64_which_most_releases_of_onnxruntime_lack(tmp_path):
    onnx = pytest.importorskip("onnx")
    torchann.export(MODELS["housing"]()[0], tmp_path / "m.onnx")  # whose coordinates get sines and cosines
    kinds = [node.op_type for node in onnx.load(tmp_path / "m.onnx").graph.node]
    assert "Cos" not in kinds and kinds.count("Sin") == 2 * 12


def test_exported_files_tell_nothing_of_the_machine_or_of_the_rows_that_were_given(tmp_path):
    pytest.importorskip("onnxruntime")
    model, rows, _ = MODELS["named_inputs"]()
    rows["wide"][:] = 1234.5
    secret = np.float32([1234.5] * 5).tobytes()
    for ending in RUNS:
        path = tmp_path / f"m{ending}"
        torchann.export(model, path, rows=rows)
        files = zipfile.ZipFile(path) if ending == ".pt2" else None
        parts = [path.read_bytes(), *([files.read(name) for name in files.namelist()] if files else [])]
        for part in parts:
            assert b"torchann/" not in part and b"site-packages" not in part and secret not in part
    extra = {"torchann.json": ""}
    torch.export.load(tmp_path / "m.pt2", extra_files=extra)
    assert json.loads(json.loads(extra["torchann.json"])["task"]) == {"main": "regression", "aux": "binary"}


@pytest.mark.parametrize(
    ("path", "format", "told"),
    [
        ("m.pt", None, r"a model is not exported to .*m.pt; give a file that ends in .onnx or .pt2"),
        ("m.onnx", "torch-export", r"not exported as torch-export to .*m.onnx; give a file that ends in .pt2"),
        ("m.onnx", "tflite", "there is no format 'tflite'; choose onnx or torch-export"),
    ],
)
def test_other_formats_and_endings_are_refused(path, format, told, tmp_path):
    with pytest.raises(ValueError, match=told):
        torchann.export(torchann.Perceptron(2), tmp_path / path, format)


def test_models_that_do_not_say_what_they_predict_are_refused(tmp_path):
    with pytest.raises(ValueError, match="a MLP does not say what its outputs mean; give a task, an estimator"):
        torchann.export(torchann.MLP(2, [], 1), tmp_path / "m.pt2")
    with pytest.raises(RuntimeError, match="RegressionMLP does not know its sizes yet"):
        torchann.export(torchann.RegressionMLP([3]), tmp_path / "m.pt2")
    torchann.save(MODELS["named_inputs"]()[0], tmp_path / "m.safetensors")
    with pytest.raises(ValueError, match="of a NetTask a file has the weights, not the net's code"):
        torchann.export(tmp_path / "m.safetensors", tmp_path / "m.pt2")
    assert os.listdir(tmp_path) == ["m.safetensors"]


def test_rows_that_nothing_is_known_of_must_be_given(tmp_path):
    task = torchann.NetTask(nn.Linear(3, 1), {"y": torchann.Output()})
    with pytest.raises(ValueError, match=r"a NetTask does not say what a row looks like; give one or more .* rows=x"):
        torchann.export(task, tmp_path / "m.pt2")
    assert torchann.export(task, tmp_path / "m.pt2", rows=[[1.0, 2.0, 3.0]]).rows == 75  # one more than by itself
    task = torchann.RegressionMLP([], 4, 1)
    task.preprocessing = Preprocessing(Waves([0], 1))
    with pytest.raises(ValueError, match="a RegressionMLP does not say what a row looks like"):
        torchann.export(task, tmp_path / "m.pt2")
    net = nn.Sequential(nn.Embedding(7, 3), nn.Flatten(), nn.Linear(6, 1))
    rows = {"input": torch.tensor([[4, 6]])}
    assert torchann.export(torchann.NetTask(net, {"y": torchann.Output()}), tmp_path / "m.pt2", rows=rows).rows == 75


class Choosing(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(2, 1)

    def forward(self, x):
        return self.layer(x if x.sum() > 0 else -x)


def test_net_that_chooses_by_values_is_refused(tmp_path):
    task = torchann.NetTask(Choosing(), {"y": torchann.Output()})
    with pytest.raises(ValueError, match="torch cannot export the net, a Choosing .*without choices by values"):
        torchann.export(task, tmp_path / "m.pt2", rows=torch.ones(1, 2))


def test_onnx_without_its_packages_says_how_to_install_them(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    with pytest.raises(ValueError, match=r"ONNX needs onnx, .*; pip install 'torchann\[export\]', or export to a .pt2"):
        torchann.export(torchann.Perceptron(2), tmp_path / "m.onnx")
    torchann.export(torchann.Perceptron(2), tmp_path / "m.pt2")


def test_weights_that_an_onnx_file_cannot_hold_are_refused(tmp_path, monkeypatch):
    pytest.importorskip("onnxruntime")
    monkeypatch.setattr("torchann.publishing.onnx_file.LIMIT", 24)
    with pytest.raises(ValueError, match="the weights take 24 bytes and an ONNX file holds 24; export to a .pt2 file"):
        torchann.export(torchann.Perceptron(2), tmp_path / "m.onnx")  # two weights and a bias of 8 bytes


def test_pipeline_is_exported_in_the_dtype_of_its_scaler():
    pipeline, rows, _ = MODELS["pipeline"]()
    assert task_of(pipeline).preprocessing.steps[0].mean.dtype == torch.float64  # 1,000,000 ± 10 in float32: 0.06 apart
    assert rows.dtype == torch.float64
