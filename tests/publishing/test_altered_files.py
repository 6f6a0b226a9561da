"""Files that say something else than was saved, with a true checksum: each loads, or is refused in one line."""

import copy
import json
import random
import shutil
import warnings

import numpy as np
import pytest
import torch

import torchann
from tests.hostile import DOCUMENT, TENSORS, crafted, task, written
from torchann.files.checkpoint_files import CheckpointError, pack, read_checkpoint
from torchann.files.safetensors_file import ModelFileError, read
from torchann.publishing.model_cards import model_card
from torchann.publishing.model_info import info

FLOATS = {name: part.to(torch.bfloat16) for name, part in TENSORS.items() if name.startswith("net.")}
WAVES = {"step": "waves", "columns": [10**9], "frequencies": 1}
ALTERED = {
    "history without an epoch": (crafted(history={"val_loss": [1.0]}), "has a row without an epoch"),
    "epoch that is missing": (crafted(history={"epoch": [None]}), "has a row without an epoch"),
    "epoch below 0": (crafted(history={"epoch": [-5]}), "has a row without an epoch"),
    "epoch of 10**30": (crafted(history={"epoch": [10**30]}), "has a row without an epoch"),
    "half an epoch": (crafted(history={"epoch": [0.5]}), "has a row without an epoch"),
    "huge number": (crafted(history={"epoch": [0], "val_loss": [10**400]}), "a number that is too large"),
    "a name too few": (crafted(feature_names=["a"]), r"do not fit each other: inputs of shape \(1, 2\)"),
    "no names": (crafted(feature_names=[]), "do not fit each other"),
    "a name too many": (crafted(feature_names=["a", "b", "c"]), r"fit each other: inputs of shape \(1, 2\)"),
    "a name twice": (crafted(feature_names=["a", "a"]), r"feature_names \['a', 'a'\] has one twice"),
    "wave of column 10**9": (crafted(preprocessing=[*DOCUMENT["preprocessing"], WAVES]), "do not fit each other"),
    "more waves than inputs": (
        crafted(preprocessing=[*DOCUMENT["preprocessing"], {**WAVES, "columns": [0]}]),
        r"do not fit each other: MLP does not take inputs \(1, 4\)",
    ),
    "means of 3 columns": (
        crafted({f"preprocessing.0.{name}": torch.ones(3).double() for name in ("mean", "std")}, feature_names=None),
        r"do not fit each other: MLP does not take inputs \(1, 3\)",
    ),
    "rate below 0": (task(lr=-1), "lr is -1; give a finite number"),
    "rate as text": (task(lr="0.1"), "lr is '0.1'; give a finite number"),
    "optimizer": (task(optimizer="evil"), "there is no optimizer 'evil'"),
    "schedule": (task(lr_schedule="evil"), "lr_schedule 'evil' with options"),
    "schedule's options": (task(lr_schedule="step", lr_schedule_options={"foo": 1}), "has no option 'foo'"),
    "steps": (task(steps_per_execution=-1), "steps_per_execution is -1; give a whole number"),
    "no dropout": (task(dropout=None), "dropout is None; give a number from 0 up to 1"),
    "all dropped": (task(dropout=1), "dropout is 1; give a number from 0 up to 1"),
    "names are text": (task(target_names="y"), "target_names is 'y'; give a list of texts"),
}


@pytest.mark.parametrize(("content", "told"), ALTERED.values(), ids=ALTERED)
def test_altered_model_file_is_refused_when_it_is_loaded(content, told, tmp_path):
    (tmp_path / "model.safetensors").write_bytes(content)
    with pytest.raises(ModelFileError, match=told):
        torchann.load(tmp_path / "model.safetensors")


def test_weights_in_bfloat16_predict_tables(tmp_path):
    (tmp_path / "model.safetensors").write_bytes(crafted(FLOATS))
    found = torchann.predict(torchann.load(tmp_path / "model.safetensors"), {"a": [2.0], "b": [6.0]})
    assert [column.tolist() for column in found.values()] == [[15.0]]


def test_net_larger_than_memory_is_refused_with_its_size():
    with pytest.raises(ValueError, match=r"have 1,000,002,000,001 weights, which take 3,725\.3 GiB, and this machine"):
        torchann.RegressionMLP([1_000_000], in_features=1_000_000, out_features=1)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The folder of a run on a table with a category and gaps."""
    folder = tmp_path_factory.mktemp("run")
    rng = np.random.default_rng(0)
    rows = {"x": rng.normal(size=60), "city": ["Paris", "Rome", "Oslo"] * 20, "y": rng.normal(size=60)}
    data = torchann.TabularDataModule(rows, "y", batch_size=16)
    trainer = torchann.Trainer(runs=folder, max_epochs=2, quiet=True)
    trainer.fit(torchann.RegressionMLP([4, 3], dropout=0.1, optimizer="adam", norm="batch"), datamodule=data)
    return trainer.run_folder


VALUES = [
    None,
    True,
    -1,
    0,
    2,
    10**30,
    0.5,
    float("nan"),
    "",
    "x",
    "\x1b[2J",
    [],
    [1],
    ["a"],
    {},
    {"a": 1},
    [[1, 2]],
    [9**9],
]


def altered(document, rng):
    """The same with one value somewhere replaced, or left out; what it was done to."""
    document = copy.deepcopy(document)
    place, where = document, []
    while True:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        key = rng.choice(keys)
        where.append(key)
        if isinstance(place[key], (dict, list)) and len(place[key]) and rng.random() < 0.85:
            place = place[key]
            continue
        if isinstance(place[key], tuple):
            place[key] = list(place[key])
        if rng.random() < 0.15:
            del place[key]
        elif isinstance(place[key], torch.Tensor) and rng.random() < 0.7:
            place[key] = rng.choice([torch.zeros(0), place[key].flatten(), place[key].to(torch.int64), place[key][:0]])
        else:
            place[key] = rng.choice(VALUES)
        return document, where


def complaint(path):
    """What is said against a file when people do with it what they do with models."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            str(info(path))
            model_card(path)
            torchann.predict(path, {"x": [0.5, 1.0], "city": ["Rome", None]})
        except ValueError as error:  # of which those of checkpoints and model files are
            return str(error)
    return ""


@pytest.mark.parametrize("seed", range(40))
def test_altered_checkpoint_loads_or_is_refused_in_one_line(seed, run, tmp_path):
    rng = random.Random(seed)
    content = read_checkpoint(run / "checkpoints" / "best.ckpt")
    parts = {key: content[key] for key in ("inputs", "hyper_parameters", "state_dict")}
    changed, where = altered(parts, rng)
    (tmp_path / "checkpoints").mkdir()
    path = tmp_path / "checkpoints" / "best.ckpt"
    path.write_bytes(pack({**{key: value for key, value in content.items() if key not in parts}, **changed}))
    assert "\n" not in complaint(path) and len(complaint(path)) < 1500, where


@pytest.mark.parametrize("seed", range(40))
def test_altered_document_loads_or_is_refused_in_one_line(seed, run, tmp_path):
    rng, path = random.Random(seed), tmp_path / "model.safetensors"
    model = torchann.RegressionMLP.load_from_checkpoint(run / "checkpoints" / "best.ckpt")
    torchann.save(model, path)
    opened = read(path)
    document, where = altered(json.loads(json.dumps(opened.document)), rng)
    document = {"sha256": "0" * 64, "format_version": 1, **document}
    path.write_bytes(written(json.dumps(document), opened.tensors()))
    assert "\n" not in complaint(path) and len(complaint(path)) < 1500, where


MANY = r"its hyperparameters make 600,\d{3},\d{3} weights, and it has \d{2,3} numbers"


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"hidden_sizes": [30_000, 20_000]}, MANY),
        ({"members": [{"hidden_sizes": [30_000, 20_000], "weight": 1.0}]}, MANY),
        ({"members": [{"hidden_sizes": [1] * 10**5, "weight": 1.0}]}, r"members have 100,001 layers for \d+ tensors"),
    ],
)
def test_small_checkpoint_of_a_large_net_is_refused_before_it_is_made(options, told, run, tmp_path):
    content = read_checkpoint(run / "checkpoints" / "best.ckpt")
    content["hyper_parameters"] = {**content["hyper_parameters"], **options}
    (tmp_path / "best.ckpt").write_bytes(pack(content))
    with pytest.raises(CheckpointError, match=told):
        torchann.RegressionMLP.load_from_checkpoint(tmp_path / "best.ckpt")


def test_tensor_that_repeats_a_few_numbers_makes_no_large_net(run, tmp_path):
    content = read_checkpoint(run / "checkpoints" / "best.ckpt")
    content["hyper_parameters"] = {**content["hyper_parameters"], "hidden_sizes": [30_000, 20_000]}
    content["state_dict"]["net.1.weight"] = torch.zeros(1).expand(30_000, 30_000)
    (tmp_path / "best.ckpt").write_bytes(pack(content))
    with pytest.raises(CheckpointError, match="its hyperparameters make"):
        torchann.RegressionMLP.load_from_checkpoint(tmp_path / "best.ckpt")


@pytest.mark.parametrize("name", ["versions.json", "test.json", "validate.json", "fit.json", "history.csv"])
@pytest.mark.parametrize("text", ["[1]", "3", '"x"', "{bad", '{"epoch": 1, "a": [1]}', "", "epoch,val_loss\n0,x\n"])
def test_damaged_description_of_a_run_costs_no_prediction(run, tmp_path, name, text):
    folder = tmp_path / "001"
    shutil.copytree(run, folder)
    (folder / name).write_text(text)
    assert complaint(folder / "checkpoints" / "best.ckpt") == ""


def test_versions_of_a_run_are_no_markup_in_its_card(run, tmp_path):
    folder = tmp_path / "001"
    shutil.copytree(run, folder)
    (folder / "versions.json").write_text(json.dumps({"torch": "<img src=x onerror=alert(1)>"}))
    assert "| torch | `<img src=x onerror=alert(1)>` |" in model_card(folder)
