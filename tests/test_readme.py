"""The README's blocks run as they stand, and its links lead somewhere."""

import re
import shlex
from pathlib import Path

import pytest

from torchann.__main__ import main

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", README, flags=re.DOTALL)


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A folder of one's own that has the experiments."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "experiments").symlink_to(ROOT / "experiments")


@pytest.mark.parametrize("code", [code for language, code in BLOCKS if language == "python"])
def test_readme_python_blocks_run(code, checkout, capsys):
    exec(compile(code, "README.md", "exec"), {})
    said = capsys.readouterr().out
    ends = ("test_loss", "Total parameters: 1,207", "['setosa']")
    assert any(part in said for part in ends) or said.startswith("[0.9")


def test_readme_commands_run_one_after_the_other(checkout):
    commands = [line for language, block in BLOCKS if language == "bash" for line in block.splitlines()]
    ours = [shlex.split(line)[1:] for line in commands if line.startswith("torchann ")]
    assert len(ours) >= 4
    for command in ours:
        if command[0] == "tensorboard":  # runs until Ctrl-C; tests/dashboard starts it
            continue
        short = ["--trainer.max_epochs", "1"] if command[0] == "fit" else []
        assert main([*command, *short, "--quiet"]) == 0, command
    assert len(Path("predictions.csv").read_text().splitlines()) == 1 + 5160


def test_readme_make_targets_exist():
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"^make (\w+)", README, flags=re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE), target


def test_readme_links_lead_to_files():
    for link in re.findall(r"\]\(([^)#]+)\)", README):
        assert link.startswith("http") or (ROOT / link).exists(), link
