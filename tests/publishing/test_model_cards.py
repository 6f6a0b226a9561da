"""Model cards: their front matter is YAML, their figures those of the run, their code runs, and no name is markup."""

import re
from importlib.metadata import version

import numpy as np
import pytest
import yaml

import torchann
from tests.publishing.exported import MODELS
from torchann.publishing.model_info import info


def front_matter(card: str) -> dict:
    return yaml.safe_load(card.split("---\n")[1])


def code_of(card: str) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", card, flags=re.DOTALL | re.MULTILINE)


def test_card_of_a_run_has_its_figures_data_and_versions(housing_run):
    card = torchann.model_card(housing_run)
    (index,) = front_matter(card)["model-index"]
    (result,) = index["results"]
    measured = info(housing_run).measured["test"]
    assert index["name"] == "housing_mlp" and front_matter(card)["pipeline_tag"] == "tabular-regression"
    assert result["dataset"] == {"name": "california-housing", "type": "california-housing", "split": "test"}
    assert {f"test_{metric['type']}": metric["value"] for metric in result["metrics"]} == measured
    best = torchann.History.from_csv(housing_run / "history.csv").best("val_loss")
    assert f"| `rmse` | {best['train_rmse']:.4g} | {best['val_rmse']:.4g} | {measured['test_rmse']:.4g} |" in card
    assert "`california-housing`, 11,610 rows; fingerprint `sha256:" in card and "| `epochs` | `3` |" in card
    assert "`value (rows, 1) float32` | regression: `MedHouseVal`, in the unit" in card
    assert f"| torch | `{version('torch')}` | `{version('torch')}` |" in card and "`MedInc`, `HouseAge`" in card


@pytest.mark.parametrize(
    ("name", "ending"),
    [("images", ".onnx"), *((name, ".pt2") for name in ("housing", "table", "pipeline", "wide_deep"))],
)
def test_code_of_a_card_runs_beside_its_files(name, ending, tmp_path, monkeypatch, capsys):
    if ending == ".onnx":
        pytest.importorskip("onnxruntime")
    monkeypatch.chdir(tmp_path)
    model = MODELS[name]()[0]
    source = model if name == "pipeline" else "model.safetensors"
    if name != "pipeline":
        torchann.save(model, source)
    done = torchann.export(source, f"model{ending}")
    blocks = code_of(torchann.model_card(source, done))
    assert len(blocks) == 1 + (name != "pipeline")
    for block in blocks:
        exec(compile(block, "card", "exec"), {})
    assert capsys.readouterr().out.count("\n") >= len(blocks)


def test_card_of_a_table_has_its_columns_and_codes():
    card = torchann.model_card(MODELS["table"]()[0])
    assert "| `city` | category |  |  | 0 `Oslo`, 1 `Paris`, 2 `Rome`, -1 another |" in card
    assert re.search(r"\| `area` \| number \| may be missing \| [\d.]+ ± [\d.]+ \| itself \|", card)
    assert "| `garden` | boolean |  |  | 0 or 1 |" in card and "days since 1970-01-01" in card


CARDS = {
    "images": ["image-classification", "bytes divided by 255", "`proba (rows, 10) float32`", "counted from 0 |"],
    "housing": ["sines and cosines of the columns [6, 7], 12 frequencies each, appended"],
    "labels": [
        "`class (rows, 4) int64` | multilabel: 0 or 1 of each label",
        "Nothing was measured.",
        "says nothing of it",
    ],
    "wide_deep": ["`aux_value (rows, 1) float32` | regression: values", "nothing is prepared"],
    "perceptron": ["`class (rows,) int64` | binary: the class, counted from 0"],
    "pipeline": ["`class (rows,) int64` | multiclass: the class, counted from 0: `ash`, `elm`, `oak`"],
    "mean_of_values": ["93 weights; mean of 2 nets: 0.25 × [6, 4] softsign of 2 inputs, 0.75 × [5] gelu.", "| `lr` |"],
    "named_inputs": ["- `wide (rows, 5) float32`\n- `deep", "`aux_proba (rows, 2) float32` | binary: probability of"],
}


@pytest.mark.parametrize(("name", "lines"), CARDS.items(), ids=CARDS)
def test_card_says_what_goes_in_and_comes_out(name, lines):
    model, _, given = MODELS[name]()
    card = torchann.model_card(model, rows=given)
    assert all(line in card for line in lines), card


def test_card_of_several_nets_has_no_layers_of_one_net():
    card = torchann.model_card(MODELS["mean_of_values"]()[0])
    assert not any(f"| `{name}` |" in card for name in ("hidden_sizes", "activation", "dropout", "norm"))


def test_names_in_a_card_are_no_markup_and_end_nothing(tmp_path):
    names = ["a|b", "<script>", "`x`", "---\nlicense: none", "\x1b[2J", "![](http://x)"]
    task = torchann.RegressionMLP([], 6, 1, target_names=["| evil |"])
    task.feature_names, task.data_info = names, {"name": names[3], "fingerprint": None, "rows": 3}
    task.history = torchann.History([{"epoch": 0, "val_loss": 1.0, "val_a|b": 2.0}])
    torchann.save(task, tmp_path / "m.safetensors")
    card = torchann.model_card(tmp_path / "m.safetensors")
    fields = front_matter(card)
    assert "license" not in fields and fields["model-index"][0]["results"][0]["dataset"]["name"] == "---?license: none"
    assert "\x1b" not in card and "`<script>`" in card and "`` `x` ``" in card and "`![](http://x)`" in card
    assert "| `a\\|b` | 2 |" in card and "`\\| evil \\|`" in card


def test_backticks_in_a_name_do_not_end_the_code_of_a_card(tmp_path):
    table = {"```": np.arange(20.0), "kind'\"": ["a```", 'b"'] * 10, "y": np.arange(20.0) ** 2}
    task = torchann.RegressionMLP([])
    data = torchann.TabularDataModule(table, "y")
    torchann.Trainer(max_epochs=1, logger=False, quiet=True).fit(task, datamodule=data)
    torchann.save(task, tmp_path / "m.safetensors")
    card = torchann.model_card(tmp_path / "m.safetensors")
    (block,) = re.findall(r"^````python\n(.*?)^````", card, flags=re.DOTALL | re.MULTILINE)
    compile(block, "card", "exec")


def test_card_of_a_model_without_predictions_is_refused(tmp_path):
    torchann.save(torchann.MLP(2, [], 1), tmp_path / "m.safetensors")
    with pytest.raises(ValueError, match="a MLP does not say what its outputs mean"):
        torchann.model_card(tmp_path / "m.safetensors")


def test_card_and_info_say_how_the_texts_of_a_column_are_written(tmp_path):
    rows = range(60)
    table = {
        "t": [f"{row % 24}:30" for row in rows],
        "w": [f"{row % 50} kg" for row in rows],
        "y": [row / 3 for row in rows],
    }
    task = torchann.RegressionMLP([])
    torchann.Trainer(max_epochs=1, logger=False, quiet=True).fit(task, torchann.TabularDataModule(table, "y"))
    torchann.save(task, tmp_path / "m.safetensors")
    told, card = str(torchann.info(tmp_path / "m.safetensors")), torchann.model_card(tmp_path / "m.safetensors")
    for text in (told, card):
        assert "date hh:mm" in text and "share of the day" in text and "number kg" in text
    assert "'t': ['12:00']" in card
