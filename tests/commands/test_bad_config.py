"""Config files that nobody should have written: one clear line, no program run, no gigabyte filled."""

import contextlib
import copy
import io
import json
import re
import resource
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import EXPERIMENTS
from tests.fuzz.fuzz_config import check
from torchann.__main__ import main
from torchann.commands.parser import Parser
from torchann.commands.plain_yaml import LARGEST, LONGEST, plain_yaml

HOUSING = (EXPERIMENTS / "housing_mlp.yaml").read_text()
PLAIN = yaml.safe_load(HOUSING)
LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]\n"
    for before, name in zip("abcdefghi", "bcdefghij", strict=True)
)
POPEN = "{class_path: subprocess.Popen, init_args: {args: [touch, made-by-the-config]}}"
DATA = "data:\n  class_path: torchann.IrisDataModule\n"
CONFIGS = {
    "object": ("model: !!python/object/apply:os.system [touch made-by-the-config]", "python/object/apply:os.system"),
    "name": ("model: !!python/name:os.system", "could not determine a constructor for the tag"),
    "program as model": (f"model: {POPEN}\n{DATA}", "subprocess.Popen is not trusted; a config may name classes of"),
    "program as callback": (f"{HOUSING}  callbacks: [{POPEN}]\n", "subprocess.Popen is not trusted"),
    "program as options": (
        HOUSING.replace("lr:", f"optimizer_options: {POPEN}\n    lr:"),
        "subprocess.Popen is not trusted",
    ),
    "function": (
        "model: {class_path: os.system, init_args: {command: touch made-by-the-config}}",
        "os.system is not trusted",
    ),
    "function that says what it makes": (
        "model: {class_path: torch.fx.graph_module.reduce_graph_module, init_args: {body: {_code: x}}}",
        "reduce_graph_module is not trusted; .* own modules with --import torch.fx.graph_module$",
    ),
    "function of a trusted package": (
        "model: {class_path: torchann.NetTask, init_args: {outputs: {a: {}}, net: {class_path: "
        "torch.nn.utils.fusion.fuse_conv_bn_eval, init_args: {}}}}\n" + DATA,
        "fuse_conv_bn_eval",
    ),
    "class of another kind": (f"model: {{class_path: torch.nn.ReLU}}\n{DATA}", "give a subclass of LightningModule"),
    "method as a hook": (
        f"{HOUSING}  callbacks: [{{class_path: lightning.pytorch.callbacks.LambdaCallback, init_args: "
        "{on_fit_start: os.abort}}]\n",
        "os.abort|on_fit_start",
    ),
    "laughs": (LAUGHS + HOUSING, "it has more than 100,000 values, its aliases written out"),
    "alias of itself": (
        "model: &a\n  class_path: *a\n",
        r"\*a in line 2 stands for what it is a part of; write it out",
    ),
    "deep lists": ("model: " + "[" * 5000 + "]" * 5000, "it is more than 50 levels deep in line 1"),
    "deep mappings": ("model: " + "{a: " * 5000 + "1" + "}" * 5000, "it is more than 50 levels deep in line 1"),
    "long": ("model: " + "x" * LONGEST, r"it has 1,000,007 characters; give at most 1,000,000"),
    "long name": ("model: " + "x" * 100_000, "there is no class x+ [.]{3} x+$"),
    "key twice": (
        HOUSING + "model: x\n",
        r"the key 'model' comes twice, the second time in line \d+; leave one of them",
    ),
    "knob twice": (HOUSING.replace("lr:", "lr: 1\n    lr:"), "the key 'lr' comes twice, the second time in line 9"),
    "trainer is a number": ("trainer: 5", "trainer is 5; give a mapping, such as {max_epochs: 20}"),
    "trainer is a list": ("trainer: [5]", r"trainer is \[5\]; give a mapping"),
    "model is a number": ("model: 3", "model is '3'; give class_path, the name of a class, and init_args"),
    "class is a number": ("model: {class_path: 3}", "; give class_path, the name of a class, and init_args"),
    "knobs are a list": (
        "model: {class_path: torchann.RegressionMLP, init_args: [1]}",
        "; give class_path, the name of a class, and init_args, a mapping of its knobs",
    ),
    "another config in it": ("config: mine.yaml", "Config file loop detected: mine.yaml"),
    "not utf-8": (
        b"\xff\xfemodel",
        r"the config is no text in UTF-8 \(invalid start byte at byte 0\); give a YAML file",
    ),
    "no integer": (
        "seed_everything: !!int",
        r"it has a value that is none \(string index out of range\); put it in quot",
    ),
    "question mark": ("?", "it has a value that is none"),
}


@pytest.mark.filterwarnings("ignore")  # a program must be refused, not only warned of
@pytest.mark.parametrize(("config", "told"), CONFIGS.values(), ids=CONFIGS)
def test_config_that_is_not_plain_is_refused_in_a_line(command, tmp_path, config, told):
    (tmp_path / "mine.yaml").write_bytes(config if isinstance(config, bytes) else config.encode())
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    outcome = command("fit", "--config", "mine.yaml", "--trainer.fast_dev_run", "true")
    line, hint = outcome.err.splitlines()
    assert (outcome.status, outcome.out, hint) == (2, "", "Help: torchann fit --help")
    assert line.startswith("torchann fit: error: ") and len(line) < 1_100
    assert re.search(told, line)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - most < 200_000  # kilobytes
    assert {path.name for path in tmp_path.iterdir()} == {"mine.yaml"}


def test_class_is_not_made_where_any_value_would_do():
    parser = Parser()
    parser.add_argument("--options", type=dict[str, Any])
    parser.add_argument("--anything", type=Any)
    spec = {"class_path": "fractions.Fraction", "init_args": {"numerator": 3}}
    given = parser.parse_args(["--anything", json.dumps(spec), "--options", json.dumps({"a": spec})])
    made = parser.instantiate_classes(given)
    assert not isinstance(made.anything, Fraction) and not isinstance(made.options["a"], Fraction)


def test_aliases_that_a_person_uses_are_read():
    assert plain_yaml("a: &a [1, 2]\nb: *a\nc: {d: *a}") == {"a": [1, 2], "b": [1, 2], "c": {"d": [1, 2]}}
    assert plain_yaml("a: &a {b: 1, c: 2}\nd: {<<: *a, c: 3}") == {"a": {"b": 1, "c": 2}, "d": {"b": 1, "c": 3}}


def test_size_counts_what_aliases_stand_for():
    # a list of 1 + 999 values, k times, in a list in a mapping with two keys: 4 + 1000 (k + 1) values
    text = "a: &a [" + "1, " * 998 + "1]\nb: ["
    assert len(plain_yaml(text + "*a, " * 98 + "]")["b"]) == 98
    with pytest.raises(yaml.YAMLError, match=f"more than {LARGEST:,} values"):
        plain_yaml(text + "*a, " * 99 + "]")


@settings(max_examples=400, deadline=None)
@given(st.text(alphabet="ab:-?&*!<>|[]{},'\"#%@`~ \t\n0189.eE\u2028\x00", max_size=60))
def test_any_text_is_plain_values_or_refused(text):
    check(text)


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just(POPEN)
VALUES = st.recursive(
    SCALARS, lambda part: st.lists(part, max_size=3) | st.dictionaries(st.text(max_size=5), part, max_size=3)
)


def places(node: object, place: tuple = ()) -> list[tuple]:
    inner = [places(part, (*place, key)) for key, part in node.items()] if isinstance(node, dict) else []
    return [place, *(found for part in inner for found in part)]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(places(PLAIN)[1:]), st.none() | st.text(min_size=1, max_size=8), VALUES)
def test_config_with_a_strange_key_or_value_is_read_or_refused_in_a_line(tmp_path_factory, place, key, value):
    config = copy.deepcopy(PLAIN)
    node = config
    for name in place[:-1]:
        node = node[name]
    if key is not None:
        node[key] = node.pop(place[-1])
    else:
        node[place[-1]] = value
    file = tmp_path_factory.getbasetemp() / "strange.yaml"
    Path(file).write_text(yaml.safe_dump(config))
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()) as err:
        try:
            status = main(["fit", "--config", str(file), "--print_config"])  # parses all and runs nothing
        except SystemExit as end:
            status = end.code
    assert status in (0, 1, 2)
    assert status == 0 or (err.getvalue().startswith("torchann fit: error: ") and len(err.getvalue().splitlines()) == 2)
