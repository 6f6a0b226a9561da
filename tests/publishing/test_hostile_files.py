"""Files that were tampered with, or are no model files: each is refused, for what it is, and nothing happens."""

import io
import json
import os
import pickle
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import torchann
from tests.hostile import DOCUMENT, TENSORS, crafted, raw, task, tensor, written
from torchann.files.checkpoint_files import CheckpointError
from torchann.files.safetensors_file import MAX_HEADER
from torchann.publishing.model_file import ModelFileError, load

CANARY = "canary"
SAVED = "give a file that torchann.save wrote"


class Gadget:
    """Leaves a file when it is unpickled."""

    def __reduce__(self):
        return os.mkdir, (CANARY,)


def zipped(**entries: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return file.getvalue()


def torch_saved(content) -> bytes:
    file = io.BytesIO()
    torch.save(content, file)
    return file.getvalue()


def nested(depth: int) -> str:
    text = json.dumps({**DOCUMENT, "history": None})
    return text.replace('"history": null', '"history": {"a": ' + "[" * depth + "]" * depth + "}")


PICKLE = "may run code when it is opened, and is not"
OTHERS = {
    "pickle.pkl": (pickle.dumps(Gadget()), f"{PICKLE}; write its model with torchann.save"),
    "pickle.safetensors": (pickle.dumps(Gadget()), f"{PICKLE}; write its model with torchann.save"),
    "protocol_0.pkl": (pickle.dumps(Gadget(), 0), f"{PICKLE}; write its model with torchann.save"),
    "joblib.joblib": (b"\x1f\x8b" + bytes(50), f"{PICKLE}; write its model with torchann.save"),
    "gadget.pt": (torch_saved({"a": Gadget()}), f"{PICKLE}: .*model.state_dict.* and torchann.save"),
    "gadget.safetensors": (torch_saved({"a": Gadget()}), f"{PICKLE}: .*model.state_dict.* and torchann.save"),
    "gadget.ckpt": (torch_saved({"a": Gadget()}), r"is a checkpoint; .*RegressionMLP.load_from_checkpoint\(path\)"),
    "zip_bomb.pt": (zipped(data=bytes(10**8)), PICKLE),
    "paths.keras": (zipped(**{"../../canary": b"x"}), "is a file of Keras; open it there and copy its weights"),
    "weights.h5": (b"\x89HDF\r\n\x1a\n" + bytes(100), "is a file of Keras; open it there and copy its weights"),
    "empty.safetensors": (b"", f"is cut off, damaged or no model file; {SAVED}"),
    "text.safetensors": (b"lr: 0.1\nclass: RegressionMLP\n", f"is cut off, damaged or no model file; {SAVED}"),
    "foreign.safetensors": (
        raw(b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}', bytes(4)),
        r"does not say of what model; .*model.net.load_state_dict\(safetensors.torch.load_file\(path\)\)",
    ),
}
HEADERS = {
    "length beyond the file": (raw({}, size=1000), "is cut off, damaged"),
    "length of 2**63": (raw({}, size=2**63), "is cut off, damaged"),
    "length of 0": (raw(b"", bytes(100)), "is cut off, damaged"),
    "length of 1 GB in 1 GB": (None, "is cut off, damaged"),
    "no JSON": (raw(b"{" * 100), "is damaged or no safetensors file"),
    "no UTF-8": (raw(b'{"\xff":1}'), "is damaged or no safetensors file"),
    "deep": (raw(b'{"a":' + b"[" * 10_000 + b"]" * 10_000 + b"}"), "is damaged or no safetensors file"),
    "many lists": (raw(b'{"a":[' + b"[]," * 10**6 + b"[]]}"), "has 1,000,003 lists and objects in its header"),
    "negative shape": (raw({"net.a": tensor(shape=[-1])}, bytes(4)), "is damaged or no safetensors file"),
    "huge shape": (raw({"net.a": tensor(shape=[2**40, 2**40])}, bytes(4)), "is damaged or no safetensors file"),
    "shape beyond 64 bits": (raw({"net.a": tensor(shape=[2**70])}, bytes(4)), "is damaged or no safetensors file"),
    "shape without its bytes": (raw({"net.a": tensor(shape=[10**9])}, bytes(4)), "is damaged or no safetensors file"),
    "offsets beyond the file": (
        raw({"net.a": tensor(shape=[10**9], offsets=[0, 4 * 10**9])}, bytes(4)),
        "is damaged or no safetensors file",
    ),
    "offsets backwards": (raw({"net.a": tensor(offsets=[4, 0])}, bytes(4)), "is damaged or no safetensors file"),
    "tensors over each other": (raw({"net.a": tensor(), "net.b": tensor()}, bytes(4)), "is damaged or no safetensors"),
    "bytes of no tensor": (raw({"net.a": tensor()}, bytes(400)), "is damaged or no safetensors file"),
    "unknown dtype": (raw({"net.a": tensor(dtype="OBJ")}, bytes(4)), "is damaged or no safetensors file"),
    "document is no text": (
        raw(b'{"__metadata__":{"torchann":{"class":"RegressionMLP"}}}'),
        "is damaged or no safetensors file",
    ),
}
DOCUMENTS = {
    "no JSON": (written("{"), "has a document that is no JSON"),
    "deep": (written(nested(14_000)), "has a document that is no JSON"),
    "less deep": (written(nested(400)), "the history is no table of numbers"),
    "a name twice": (written('{"class": 1, "class": 2}'), "no JSON .a name comes twice"),
    "nan": (written('{"format_version": NaN}'), "no JSON .NaN is no JSON"),
    "a number of 10,000 digits": (written('{"format_version": ' + "9" * 10_000 + "}"), "no JSON .Exceeds the limit"),
    "a list": (written("[1]"), "has no format_version"),
    "no version": (written("{}"), "has no format_version"),
    "version 0": (crafted(format_version=0), "has no format_version"),
    "version true": (crafted(format_version=True), "has no format_version"),
    "version as text": (crafted(format_version="1"), "has no format_version"),
    "newer": (
        crafted(format_version=2),
        "is of format 2, by torchann '0.1.0'.* up to 1; pip install --upgrade torchann",
    ),
    "no checksum": (crafted(sha256=None), "has no checksum"),
    "short checksum": (crafted(sha256="0"), "has no checksum"),
    "wrong checksum": (crafted(sha256="1" * 64), r"is damaged: its content is not what was written \(SHA-256\)"),
    "another field": (crafted(callbacks=["x"]), "the fields are .*callbacks.* and should be"),
    "a field less": (written(json.dumps({"sha256": "0" * 64, "format_version": 1})), r"the fields are \[\] and should"),
    "class is a list": (crafted(**{"class": ["RegressionMLP"]}), "class is a list and should be a str"),
    "options are a list": (crafted(hyperparameters=[]), "hyperparameters is a list and should be a dict"),
    "history is a list": (crafted(history=[1]), "history is a list and should be a dict"),
    "history of text": (crafted(history={"epoch": ["__import__('os')"]}), "the history is no table of numbers"),
    "history of a number": (crafted(history={"epoch": 3}), "the history is no table of numbers"),
    "history with gaps": (crafted(history={"epoch": [0], "lr": []}), "the history is no table of numbers"),
    "history of lists": (crafted(history={"epoch": [[0]]}), "the history is no table of numbers"),
    "names are numbers": (crafted(feature_names=[1, 2]), r"feature_names are \[1, 2\] and should be text"),
    "data of another kind": (crafted(data={"name": 3}), "data is .* and should be a name, a fingerprint"),
    "rows as text": (crafted(data={"name": "a", "fingerprint": None, "rows": "7"}), "data is .* and should be a name"),
}
CLASSES = {
    "a function": (crafted(**{"class": "os.system"}), "there is no class 'os.system': only ClassificationMLP, MLP"),
    "a path": (crafted(**{"class": "../../evil"}), "there is no class '../../evil'"),
    "a module": (crafted(**{"class": "antigravity"}), "there is no class 'antigravity'"),
    "its own path": (crafted(**{"class": "torchann.RegressionMLP"}), "there is no class .*: is it RegressionMLP"),
    "misspelt": (crafted(**{"class": "RegresionMLP"}), "there is no class 'RegresionMLP': is it RegressionMLP"),
    "a megabyte": (crafted(**{"class": "x" * 10**6}), "there is no class 'xxx"),
    "_instantiator": (task(_instantiator="os.system"), "RegressionMLP has no hyperparameter '_instantiator'"),
    "_class_path": (task(_class_path="antigravity.X"), "RegressionMLP has no hyperparameter '_class_path'"),
    "self": (task(self=1), "RegressionMLP has no hyperparameter 'self'"),
    "a net": (
        crafted(**{"class": "NetTask", "hyperparameters": {"net": {"class_path": "antigravity.X"}, "outputs": {}}}),
        "NetTask has no hyperparameter 'net'",
    ),
    "unknown": (task(leraning_rate=1), "RegressionMLP has no hyperparameter 'leraning_rate'"),
    "misspelt option": (task(hiden_sizes=[3]), "has no hyperparameter 'hiden_sizes': is it 'hidden_sizes'"),
    "deep option": (task(optimizer_options={"a": [[[[[[[[[[1]]]]]]]]]]}), "optimizer_options has .*at most 8 deep"),
    "a net of one's own": (task("NetTask", outputs={"a": {}}), "NetTask has no hyperparameter 'hidden_sizes'"),
    "no activation": (task(activation="eval"), "make no RegressionMLP .ValueError: there is no activation 'eval'"),
    "activation is a list": (task(activation=["relu"]), "make no RegressionMLP .ValueError: activation is"),
    "no initialisation": (task(weight_init="__import__"), "no initialisation '__import__'"),
    "private initialisation": (task(weight_init="_no_grad_fill"), "no initialisation '_no_grad_fill'"),
    "no norm": (task(norm="eval"), "make no RegressionMLP .ValueError: there is no norm 'eval'"),
}
SIZES = {
    "hidden of 10**9": (task(hidden_sizes=[10**9]), r"hidden_sizes\[0\] is 1000000000 and should be from 1 to 65,536"),
    "hidden of 60,000": (task(hidden_sizes=[60_000]), r"net.1.weight is \(3, 2\) F32 in the file and \(60000, 2\)"),
    "10**5 layers": (task(hidden_sizes=[1] * 10**5), "hidden_sizes is .* for 6 tensors"),
    "hidden is text": (task(hidden_sizes="33"), "hidden_sizes is '33' for 6 tensors"),
    "hidden is none": (task(hidden_sizes=None), "hidden_sizes is None for 6 tensors"),
    "negative": (task(hidden_sizes=[-3]), r"hidden_sizes\[0\] is -3 and should be from 1"),
    "0": (task(in_features=0), "in_features is 0 and should be from 1"),
    "a fraction": (task(in_features=2.0), "in_features is 2.0 and should be from 1"),
    "true": (task(out_features=True), "out_features is True and should be from 1"),
    "none": (task(in_features=None), "in_features is None and should be from 1"),
    "columns of 10**10": (task("WideAndDeep", in_features=10**10), "in_features is 10000000000 and should be from 1"),
    "labels of 10**10": (
        crafted(
            **{
                "class": "ClassificationMLP",
                "hyperparameters": {"in_features": 2, "num_classes": 10**10, "task": "multilabel"},
            }
        ),
        "num_classes is 10000000000 and should be from 1",
    ),
    "output of 10**10": (
        crafted(**{"class": "NetTask", "hyperparameters": {"outputs": {"a": {"task": "multilabel", "size": 10**10}}}}),
        "the size of output 'a' is 10000000000 and should be from 1",
    ),
    "10,000 outputs": (
        crafted(**{"class": "NetTask", "hyperparameters": {"outputs": {f"{n}": {} for n in range(10_000)}}}),
        "outputs is .* and should be at most 100",
    ),
    "outputs are a list": (
        crafted(**{"class": "NetTask", "hyperparameters": {"outputs": ["a"]}}),
        "outputs is .* and should be at most 100",
    ),
}
WEIGHTS = {
    "of another shape": (crafted({"net.1.weight": torch.zeros(2, 3)}), r"\(2, 3\) F32 in the file and \(3, 2\)"),
    "missing": (crafted({"net.3.bias": None}), r"and lacks \['net.3.bias'\]"),
    "one more": (crafted({"net.9.bias": torch.ones(1)}), r"tensors \['net.9.bias'\] that the net has not"),
    "of no part": (crafted({"../../evil": torch.ones(1)}), r"tensors \['../../evil'\] that the net has not"),
    "whole numbers": (crafted({"net.3.bias": torch.zeros(1).long()}), r"net.3.bias is \(1,\) I64 in the file"),
    "of two dtypes": (crafted({"net.3.bias": torch.zeros(1).double()}), "the weights are of several dtypes"),
    "8-bit floats": (crafted({"net.3.bias": torch.zeros(1).to(torch.float8_e5m2)}), r"net.3.bias is \(1,\) F8_E5M2"),
    "no deviation": (crafted({"preprocessing.0.std": None}), "standardize.* missing 1 required .*'std'"),
    "deviation of 0": (
        crafted({"preprocessing.0.std": torch.zeros(2, dtype=torch.float64)}),
        "must be finite and std above 0",
    ),
    "of no step": (crafted(preprocessing=None), "preprocessing is None; wanted a list"),
    "of another step": (crafted(preprocessing=[{"step": "pixels"}]), "pixels.* unexpected keyword argument"),
    "of a step too many": (
        crafted({"preprocessing.1.mean": torch.ones(2)}),
        r"no step of the preprocessing has tensors \['1.mean'\]",
    ),
    "unknown step": (crafted(preprocessing=[{"step": "os.system"}]), "there is no preprocessing 'os.system'"),
    "endless waves": (
        crafted(preprocessing=[*DOCUMENT["preprocessing"], {"step": "waves", "columns": [0], "frequencies": 10**9}]),
        "frequencies is 1000000000; give a whole number from 1 to 52",
    ),
}
COLUMN = {"name": "a", "kind": "number"}
CITY = {"name": "c", "kind": "category", "categories": ["Paris", "Rome"]}


def columns(*described: Any, missing_values: Any = (), **options: Any) -> bytes:
    """The good file with the columns of a table in place of two numbers, and a net of as many inputs as are wanted."""
    step = {"step": "columns", "columns": list(described), "missing_values": missing_values, **options}
    return crafted(preprocessing=[step])


def embedded(embeddings: Any, **tensors: Any) -> bytes:
    """The good file with embeddings."""
    parts = {f"net.mlp.{name}": TENSORS[f"net.{name}"] for name in ("1.weight", "1.bias", "3.weight", "3.bias")}
    parts |= {f"net.{name}": None for name in ("1.weight", "1.bias", "3.weight", "3.bias")}
    return crafted(parts | tensors, hyperparameters={**DOCUMENT["hyperparameters"], "embeddings": embeddings})


TABLES = {
    "column of another kind": (
        columns(COLUMN, {**COLUMN, "kind": "os.system"}),
        "a column of name 'a' and kind 'os.sy",
    ),
    "column without a name": (columns(COLUMN, {"kind": "number"}), "missing 1 required positional argument: 'name'"),
    "column with more": (columns(COLUMN, {**COLUMN, "run": "x"}), "unexpected keyword argument 'run'"),
    "column that is text": (columns(COLUMN, "a"), "a column is 'a'; wanted a name, a kind"),
    "columns that are none": (
        crafted(preprocessing=[{"step": "columns", "columns": 3}]),
        "preprocessing .*not iterable",
    ),
    "name twice": (columns(COLUMN, COLUMN), "a column's name comes twice"),
    "name of a megabyte": (columns(COLUMN, {"name": "x" * 10**6, "kind": 3}), "a column of name 'xxx"),
    "one column too many": (columns(COLUMN, CITY, {**COLUMN, "name": "b"}), r"3 columns, mean \(2,\)"),
    "category of numbers": (columns(COLUMN, {**CITY, "categories": [1, 2]}), "is a category with categories"),
    "category twice": (columns(COLUMN, {**CITY, "categories": ["x", "x"]}), "has a category twice"),
    "endless embedding": (columns(COLUMN, {**CITY, "embedding": 2.5}), "a column of name 'c'"),
    "period of 0": (columns(COLUMN, {"name": "d", "kind": "date", "periods": [0]}), "is a date with periods"),
    "endless periods": (
        columns(COLUMN, {"name": "d", "kind": "date", "periods": [7] * 10**5}),
        "is a date with periods",
    ),
    "wide rows": (
        columns(COLUMN, {**CITY, "categories": [str(n) for n in range(20_000)]}),
        "a row would become 20,001",
    ),
    "missing values of numbers": (columns(COLUMN, CITY, missing_values=[3]), "missing_values are .3.; give texts"),
    "embeddings are text": (embedded("ab"), "embeddings are 'ab'; give"),
    "embedding of 10**10": (embedded([[10**10, 1]]), "embedding 0 is 10000000000 and should be from 1 to 65,536"),
    "embedding of 10**6 by 10**6": (embedded([[10**6, 10**6]]), "embedding 0 is 1000000000000 and should be from 1"),
    "embedding of 0": (embedded([[0, 1]]), r"embeddings are \[\[0, 1\]\]; give"),
    "10**5 embeddings": (embedded([[1, 1]] * 10**5), "has 100,0.. lists and objects in its header"),
    "3 embeddings of 2 inputs": (embedded([[1, 1]] * 3), "embeddings are .*; give .categories, size. for each of the"),
    "embedding without its tensor": (embedded([[5, 1]]), r"and lacks \['net.tables.0.weight'\]"),
    "embedding of another shape": (
        embedded([[5, 1]], **{"net.tables.0.weight": torch.ones(1, 5)}),
        r"\(1, 5\) F32 in the file and \(5, 1\)",
    ),
    "deviation of targets of 0": (task(target_mean=[0.0], target_std=[0.0]), "target_std .0.0.; give 1 finite numbers"),
    "deviations of targets are text": (task(target_std="x"), "make no RegressionMLP .*Error"),
}


def ensemble(*members: Any, given: Any = None, **options: Any) -> bytes:
    """The good file with its net as the only member, or with other members."""
    parts = {f"net.members.0.{name}": TENSORS[f"net.{name}"] for name in ("1.weight", "1.bias", "3.weight", "3.bias")}
    parts |= {f"net.{name}": None for name in ("1.weight", "1.bias", "3.weight", "3.bias")}
    members = list(members) if given is None else given
    return crafted(parts, hyperparameters={**DOCUMENT["hyperparameters"], **options, "members": members})


MEMBER = {"hidden_sizes": [3], "weight": 1.0}
MEMBERS = {
    "text": (ensemble(given="ab"), "members is 'ab'; give a list of 1 to 1,000 dicts"),
    "none": (ensemble(given=[]), r"members is \[\] of 0; give a list of 1 to 1,000"),
    "a mapping": (ensemble(given={"0": MEMBER}), "members is {.*; give a list of 1 to 1,000"),
    "10,000": (ensemble(given=[MEMBER] * 10_000), "members is .* of 10,000; give a list of 1 to 1,000"),
    "numbers": (ensemble(3), r"members\[0\] is 3; give a dict"),
    "more options": (ensemble(MEMBER | {"net": "os.system"}), r"members\[0\] is .*; give a dict with hidden_sizes"),
    "hidden of 10**9": (
        ensemble(MEMBER | {"hidden_sizes": [10**9]}),
        r"members\[0\].hidden_sizes\[0\] is 1000000000 and should be from 1 to 65,536",
    ),
    "hidden of 60,000": (
        ensemble(MEMBER | {"hidden_sizes": [60_000]}),
        r"members.0.1.weight is \(3, 2\) F32 in the file and \(60000, 2\)",
    ),
    "10**5 layers": (ensemble(MEMBER | {"hidden_sizes": [1] * 10**5}), "members have 100,001 layers for 6 tensors"),
    "1,000 for one": (ensemble(*[MEMBER | {"weight": 0.001}] * 1000), "members have 2,000 layers for 6 tensors"),
    "one too many": (ensemble(*[MEMBER | {"weight": 0.5}] * 2), r"lacks \['net.members.1.1.bias'"),
    "column out of range": (ensemble(MEMBER | {"columns": [0, 2]}), r"columns is \[0, 2\]; name columns from 0 to 1"),
    "column twice": (ensemble(MEMBER | {"columns": [0, 0]}), r"columns is \[0, 0\]; give different numbers"),
    "10**5 columns": (ensemble(MEMBER | {"columns": list(range(10**5))}), "name columns from 0 to 1, at least one"),
    "one column": (ensemble(MEMBER | {"columns": [1]}), r"1.weight is \(3, 2\) F32 in the file and \(3, 1\)"),
    "weight of 400 digits": (ensemble(MEMBER | {"weight": 10**400}), r"weight is 10*; give a number above 0, at most"),
    "weight below 0": (ensemble(MEMBER | {"weight": -1.0}), r"members\[0\]: weight is -1.0; give a number above 0"),
    "weight is nan": (ensemble(MEMBER | {"weight": float("nan")}), "no JSON .NaN is no JSON"),
    "weights of 2": (ensemble(MEMBER, MEMBER), "add up to 2; give numbers above 0 that add up to 1"),
    "embeddings too": (ensemble(MEMBER, embeddings=[[3, 2]]), "make no RegressionMLP .*members take plain numbers"),
}
CORPUS = {
    f"{kind}: {name}": case
    for kind, cases in {
        "header": HEADERS, "document": DOCUMENTS, "class": CLASSES, "size": SIZES, "weights": WEIGHTS, "table": TABLES,
        "members": MEMBERS,
    }.items()
    for name, case in cases.items()
}  # fmt: skip


def write(path: Path, content: bytes | None) -> Path:
    if content is None:  # a gigabyte that takes no room on the disk
        with path.open("wb") as file:
            file.write(raw({}, size=10**9))
            file.truncate(2**30)
    else:
        path.write_bytes(content)
    return path


def refused(path: Path, told: str) -> None:
    before = sorted(path.parent.iterdir())
    with pytest.raises(ModelFileError, match=told) as error:
        load(path)
    assert str(path) in str(error.value) and len(str(error.value)) < 1500
    assert sorted(path.parent.iterdir()) == before


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_file_that_the_hostile_ones_are_made_from_is_good(here):
    model = load(write(here / "good.safetensors", crafted()))
    assert model.hparams["hidden_sizes"] == [3] and model.feature_names == ["a", "b"]
    # (2 - 1) / 1 and (6 - 2) / 4 are 1: 0 + 1, 2 + 3 and 4 + 5 in the hidden layer
    assert model.predict([[2, 6]]).tolist() == [[15.0]]
    assert load(write(here / "good.safetensors", ensemble(MEMBER))).predict([[2, 6]]).tolist() == [[15.0]]


@pytest.mark.parametrize(("name", "content", "told"), [(name, *case) for name, case in OTHERS.items()], ids=OTHERS)
def test_file_of_another_kind_is_refused_with_the_way_out(name, content, told, here):
    refused(write(here / name, content), told)


@pytest.mark.parametrize(("content", "told"), CORPUS.values(), ids=CORPUS)
def test_hostile_file_is_refused_and_nothing_happens(content, told, here):
    modules = set(sys.modules)
    refused(write(here / "model.safetensors", content), told)
    assert not {"antigravity", "this"} & (set(sys.modules) - modules)


def test_hostile_files_take_little_memory(here):
    for number, (content, _) in enumerate(CORPUS.values()):
        write(here / f"{number}.safetensors", content)
    code = """
import resource, pathlib, torch, torchann.publishing.model_file, torchann.tasks.wide_and_deep, torchann.tasks.net_task
import torchann.tasks.classification
size = int(pathlib.Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (size + 2**30 + 2**28,) * 2)  # the sparse file's own gigabyte and a quarter
for path in pathlib.Path().glob("*.safetensors"):
    try:
        torchann.publishing.model_file.load(path)
    except torchann.publishing.model_file.ModelFileError:
        print("refused")
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    lines = done.stdout.split()
    peaks = [int(line) for line in lines if line != "refused"]  # kilobytes
    assert lines.count("refused") == len(peaks) == len(CORPUS)
    assert peaks[-1] - peaks[0] < 150_000


@pytest.mark.parametrize("make", [lambda path: path.mkdir(), os.mkfifo], ids=["folder", "pipe"])
def test_what_is_no_file_is_refused_at_once(make, here):
    make(here / "model.safetensors")
    refused(here / "model.safetensors", "is a folder or a device; give a file that torchann.save wrote")


GOOD = crafted()


@pytest.fixture(scope="module")
def damaged(tmp_path_factory):
    """Loads these bytes."""
    path = tmp_path_factory.mktemp("damaged") / "model.safetensors"

    def try_to_load(content: bytes):
        path.write_bytes(content)
        return load(path)

    return try_to_load


def test_file_with_any_bit_flipped_is_refused(damaged):
    for place in range(len(GOOD)):
        content = bytearray(GOOD)
        content[place] ^= 1 << place % 8
        with pytest.raises(ModelFileError):
            damaged(bytes(content))


def test_file_cut_off_anywhere_is_refused(damaged):
    for size in range(len(GOOD)):
        with pytest.raises(ModelFileError):
            damaged(GOOD[:size])


PLACES = st.integers(0, len(GOOD))


@settings(max_examples=300, deadline=None)
@given(PLACES, PLACES, st.binary(max_size=40))
def test_file_with_bytes_put_in_taken_out_or_replaced_is_refused_or_the_same(damaged, start, stop, put):
    content = GOOD[:start] + put + GOOD[max(start, stop) :]
    if content == GOOD:
        assert damaged(content).predict([[2, 6]]).tolist() == [[15.0]]
        return
    with pytest.raises(ModelFileError):
        damaged(content)


WORDS = st.sampled_from([*DOCUMENT["hyperparameters"], "relu", "batch", "balanced", "inf", "step", "standardize", ""])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**12), 10**12) | st.floats() | st.text(max_size=8) | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS | st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
OPTIONS = st.sampled_from(
    ["hidden_sizes", "in_features", "out_features", "num_classes", "activation", "weight_init", "weight_init_options",
     "bias_init", "dropout", "norm", "loss", "output", "bounds", "output_activation", "optimizer", "lr", "momentum",
     "lr_schedule", "class_weight", "class_names", "target_names", "task", "wide_features", "deep_features",
     "aux_weight", "tol", "steps_per_execution", "outputs", "inputs", "target_mean", "target_std", "embeddings",
     "members"]
)  # fmt: skip
NAMES = st.sampled_from(["RegressionMLP", "ClassificationMLP", "WideAndDeep", "Perceptron", "MLP", "NetTask"])


def loads_or_is_refused(try_to_load, content):
    try:
        model = try_to_load(content)
    except ModelFileError:
        return
    assert isinstance(model, torch.nn.Module)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(sorted(set(DOCUMENT) - {"sha256"})), JSON)
def test_any_value_in_any_field_loads_or_is_refused(damaged, field, value):
    loads_or_is_refused(damaged, crafted(**{field: value}))


@settings(max_examples=600, deadline=None)
@given(NAMES, st.dictionaries(OPTIONS, JSON, max_size=3))
def test_any_value_of_any_hyperparameter_loads_or_is_refused(damaged, name, options):
    loads_or_is_refused(damaged, task(name, **options))


KNOBS = st.sampled_from(["name", "kind", "missing", "categories", "embedding", "periods", "run"])
KIND = st.sampled_from(["number", "category", "boolean", "date"])


@settings(max_examples=100, deadline=None)
@given(KIND, st.dictionaries(KNOBS, JSON, max_size=3), JSON)
def test_any_column_of_a_table_loads_or_is_refused(damaged, kind, knobs, words):
    loads_or_is_refused(damaged, columns(COLUMN, {"name": "b", "kind": kind, **knobs}, missing_values=words))


def test_good_file_with_columns_loads(damaged):
    model = damaged(columns(COLUMN, {"name": "b", "kind": "date"}))
    assert model.predict([[2, 6]]).tolist() == [[15.0]]  # as two numbers would be, above


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(sorted(TENSORS)), st.lists(st.integers(0, 4), max_size=3), st.sampled_from(["float32", "int64"]))
def test_any_tensor_loads_or_is_refused(damaged, name, shape, dtype):
    loads_or_is_refused(damaged, crafted({name: torch.ones(shape, dtype=getattr(torch, dtype))}))


def checkpoint(**more) -> dict:
    model = torchann.RegressionMLP([3], 2, 1)
    parts = {"state_dict": model.state_dict(), "hyper_parameters": dict(model.hparams)}
    return parts | {"pytorch-lightning_version": "2.6.6", "epoch": 0, "global_step": 0} | more


def with_option(**options) -> bytes:
    return torch_saved(checkpoint(hyper_parameters={"hidden_sizes": [3], "in_features": 2, **options}))


CHECKPOINTS = {
    "gadget": (torch_saved(checkpoint(callbacks=Gadget())), "holds more than tensors and plain values"),
    "pickle": (pickle.dumps(Gadget()), "is damaged, cut off or no checkpoint"),
    "_instantiator": (with_option(_instantiator="os.system"), "wants code to be called, _instantiator='os.system'"),
    "_instantiator that Lightning lets pass": (
        with_option(_instantiator="lightning.pytorch.cli.instantiate_module", _class_path="torchann.NetTask"),
        "wants code to be called, _instantiator='lightning.pytorch.cli.instantiate_module'",
    ),
    "_class_path": (with_option(_class_path="antigravity.X"), "wants code to be called, _class_path='antigravity.X'"),
    "old name": (torch_saved(checkpoint(hparams={"_instantiator": "os.system"})), "wants code to be called"),
    "older name": (torch_saved(checkpoint(module_arguments={"_class_path": "x"})), "wants code to be called"),
    "no options": (torch_saved(checkpoint(hyper_parameters=["_instantiator"])), "has a list as hyper_parameters"),
    "zip bomb": (zipped(**{"archive/data.pkl": bytes(10**8)}), "would unpack to 100,000,000 bytes"),
    "truncated": (torch_saved(checkpoint())[:-100], "is damaged, cut off or no checkpoint"),
}


@pytest.mark.parametrize("forced", [False, True])
@pytest.mark.parametrize(("content", "told"), CHECKPOINTS.values(), ids=CHECKPOINTS)
def test_hostile_checkpoint_is_refused_and_nothing_happens(content, told, forced, here, monkeypatch):
    if forced:
        monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")
    path = write(here / "model.ckpt", content)
    with pytest.raises(CheckpointError, match=told):
        torchann.RegressionMLP.load_from_checkpoint(path)
    assert [file.name for file in here.iterdir()] == ["model.ckpt"]


def test_good_checkpoint_loads_by_path_and_by_open_file(here):
    path = write(here / "model.ckpt", torch_saved(checkpoint()))
    with path.open("rb") as file:
        models = [torchann.RegressionMLP.load_from_checkpoint(given) for given in (path, str(path), file)]
    assert [model.hparams["hidden_sizes"] for model in models] == [[3]] * 3


def test_checkpoint_is_not_opened_with_code(here):
    path = write(here / "model.ckpt", torch_saved(checkpoint(callbacks=Gadget())))
    with pytest.raises(ValueError, match=r"weights_only=False would run code from .*model.ckpt; leave it out"):
        torchann.RegressionMLP.load_from_checkpoint(path, weights_only=False)
    assert not (here / CANARY).exists()


def test_gadget_would_have_left_its_mark(here):
    pickle.loads(pickle.dumps(Gadget()))
    assert (here / CANARY).is_dir()


def test_header_limit_leaves_room_for_long_histories():
    assert MAX_HEADER > 10 * 10_000 * 10 * 10  # ten characters for each of ten figures of 10,000 epochs, ten times over
