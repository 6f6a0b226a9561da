"""What a command imports, and that what it leaves out works as ever when it is used."""

import json
import subprocess
import sys

import pytest

LEFT_OUT = ("torch._dynamo", "sympy", "matplotlib.axes", "scipy.signal", "scipy.stats", "sklearn", "pandas")
LIGHT = "from torchann.commands.light_imports import STAND_INS, import_lightning\n"


def after(code: str) -> object:
    """Return what the code leaves as `found`, run in a process of its own."""
    code += "\nimport json, sys\nprint(json.dumps(found))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize(
    "words", [["info", "{best}"], ["predict", "{best}", "none.csv"], ["fit", "--config", "none.yaml"]], ids=str
)
def test_command_imports_no_compiler_and_no_library_that_it_does_not_use(words, housing_run):
    words = [word.format(best=housing_run / "checkpoints" / "best.ckpt") for word in words]
    code = f"from torchann.__main__ import main\ntry: main({words})\nexcept SystemExit: pass\nimport sys\n"
    assert after(code + f"found = [name for name in {LEFT_OUT} if name in sys.modules]") == []


@pytest.mark.parametrize(
    ("code", "wanted"),
    [
        (
            "solver = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))])\nsolver.zero_grad()\n"
            "found = ['torch._dynamo' in sys.modules]\nimport torch._dynamo\nsolver.zero_grad()\n"
            "found += [torch._dynamo.__file__ is not None, len(solver.state_dict()['param_groups'])]",
            [False, True, 1],
        ),
        (
            "from lightning.fabric.wrappers import OptimizedModule\n"
            "net = torch.nn.Linear(1, 1)\nfound = [isinstance(net, OptimizedModule)]\n"
            "found += [isinstance(torch.compile(net), OptimizedModule), isinstance(net, OptimizedModule)]",
            [False, True, False],
        ),
        (
            "from torchmetrics.classification import BinaryAccuracy\n"
            "metric = BinaryAccuracy()\nmetric.update(torch.tensor([1, 0]), torch.tensor([1, 1]))\n"
            "found = type(metric.plot()[1]).__name__",
            "Axes",
        ),
    ],
    ids=["optimisers before and after the compiler", "a compiled model", "a picture of a metric"],
)
def test_what_is_left_out_works_when_it_is_used(code, wanted):
    assert after(f"{LIGHT}import_lightning()\nimport sys, torch\n{code}") == wanted


def test_release_that_needs_more_is_imported_in_full():
    code = LIGHT + (
        "import sys\nSTAND_INS['torch._dynamo'] = {}.__getitem__\nimport_lightning()\n"
        "found = ['lightning' in sys.modules]\nimport lightning.pytorch, torch._dynamo\n"
        "found += [hasattr(torch._dynamo, 'optimize'), hasattr(lightning.pytorch, 'Trainer')]"
    )
    assert after(code) == [False, True, True]
