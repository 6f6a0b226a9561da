"""`torchann export MODEL -o FILE` and `torchann info MODEL --markdown`."""

import numpy as np
import pytest

import torchann


def test_run_is_exported_with_its_card(command, housing_run, tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime")
    outcome = command("export", housing_run, "-o", "new/housing.onnx")
    assert (outcome.status, outcome.err) == (0, "")
    _, told = outcome.out.splitlines()  # behind the checkpoint
    assert told.startswith("new/housing.onnx: features (rows, 8) float64 -> value (rows, 1) float32; checked on 74")
    assert "onnxruntime.InferenceSession('housing.onnx')" in (tmp_path / "new/housing.md").read_text()
    table = torchann.CaliforniaHousingDataModule()
    table.setup("test")
    rows = table.splits.test.x[:9].numpy().astype(np.float64)
    names = dict(zip(table.feature_names, rows.T, strict=True))
    (found,) = onnxruntime.InferenceSession(tmp_path / "new/housing.onnx").run(None, {"features": rows})
    np.testing.assert_allclose(found[:, 0], torchann.predict(housing_run, names)["MedHouseVal"], rtol=1e-5)


def test_card_that_is_there_is_left(command, housing_run, tmp_path):
    (tmp_path / "model.md").write_text("mine")
    outcome = command("export", housing_run, "--format", "torch-export", "--quiet")
    assert (outcome.status, outcome.out) == (0, "") and (tmp_path / "model.pt2").is_file()
    assert outcome.err == "torchann export: model.md is there and was left as it is\n"
    assert (tmp_path / "model.md").read_text() == "mine"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["nothing.safetensors", "-o", "m.pt2"], "there is no file nothing.safetensors"),
        (["nothing.safetensors", "-o", "m.bin"], "a model is not exported to m.bin; give a file that ends in .onnx or"),
        (["nothing.safetensors", "-o", "m.onnx", "--format", "torch-export"], "not exported as torch-export to m.onnx"),
    ],
)
def test_what_cannot_be_exported_is_told_in_one_line(command, words, told, tmp_path):
    outcome = command("export", *words)
    assert (outcome.status, outcome.out) == (1, "")
    assert outcome.err.startswith("torchann export: error: ") and told in outcome.err
    assert not list(tmp_path.iterdir())


def test_info_as_markdown_is_the_card(command, housing_run):
    outcome = command("info", housing_run, "--markdown")
    assert (outcome.status, outcome.err) == (0, "") and outcome.out == torchann.model_card(housing_run)
