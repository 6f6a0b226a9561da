"""The pages of docs/ keep their word: blocks run, commands and links name what there is; the notebook runs."""

import json
import re
import shlex
import sys
from itertools import takewhile
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from torchann.chapter.experiments import EXPERIMENTS

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.glob("*.md"))
NOTEBOOK = DOCS / "chapter10.ipynb"
each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)


def blocks(page: Path, language: str) -> list[str]:
    """The blocks of a language, each after as many empty lines as come before it on the page."""
    text = page.read_text()
    found = re.finditer(rf"^```{language}\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE)
    return ["\n" * text.count("\n", 0, block.start(1)) + block[1] for block in found]


def commands(page: Path) -> list[list[str]]:
    """The words of each `torchann` command, after that word."""
    lines = [line for block in blocks(page, "bash") for line in block.replace("\\\n", " ").splitlines()]
    return [shlex.split(line, comments=True)[1:] for line in lines if line.startswith("torchann ")]


def targets(page: Path, of: str = "") -> list[str]:
    """Where the links of a page lead to that stay in the repository; of="!" for pictures alone."""
    found = re.findall(rf"{of}\[[^]]*\]\(([^)#\s]+)[^)]*\)", page.read_text())
    return [target for target in found if not target.startswith("http")]


@pytest.fixture
def reader(tmp_path, monkeypatch, fashion_mnist_folder):
    """An empty folder to run things in, on a machine that has Fashion-MNIST or something like it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TORCHANN_DATA", str(fashion_mnist_folder))
    return tmp_path


@each_page
def test_python_blocks_of_a_page_run_and_print_what_they_promise(page, reader, capsys):
    namespace = {"__name__": "__main__"}
    code = blocks(page, "python")
    for block in code:
        exec(compile(block, str(page), "exec"), namespace)
    printed = "".join(capsys.readouterr().out.split())
    # Numbers or a list in the comment behind a print are what it prints.
    for promise in re.findall(r"^ *print\(.*\) +# (.*[\d\[].*)$", "\n".join(code), flags=re.MULTILINE):
        assert "".join(promise.split()) in printed, promise


@each_page
def test_commands_of_a_page_name_experiments_and_files_that_there_are(page):
    for words in commands(page):
        at = words.index("--only") if "--only" in words else 0
        if at or words[0] == "plot":
            names = list(takewhile(lambda word: not word.startswith("--"), words[at + 1 :]))
            assert names and set(names) <= set(EXPERIMENTS), words
        configs = [words[at + 1] for at, word in enumerate(words) if word == "--config"]
        assert all((ROOT / config).is_file() for config in configs if config.startswith("experiments/")), words


@each_page
def test_yaml_of_a_page_is_that_of_an_experiment(page):
    files = [file.read_text() for file in (ROOT / "experiments").glob("*.yaml")]
    for block in blocks(page, "yaml"):
        assert any(block.strip() in file for file in files), block


@each_page
def test_links_of_a_page_lead_to_files(page):
    for target in targets(page):
        assert (DOCS / target).exists(), target


@each_page
def test_pictures_of_a_page_are_small(page):
    for target in targets(page, of="!"):
        limit = 200_000 if target == "tensorboard.png" else 150_000
        assert (DOCS / target).stat().st_size < limit, target


def test_every_picture_is_shown_on_a_page():
    shown = {target for page in PAGES for target in targets(page, of="!")}
    assert {f"images/{file.name}" for file in (DOCS / "images").iterdir()} <= shown


def test_index_links_every_page_and_the_notebook():
    wanted = {page.name for page in PAGES} - {"README.md"} | {NOTEBOOK.name}
    assert wanted <= set(targets(DOCS / "README.md"))


def test_notebook_runs_from_top_to_bottom(tmp_path, monkeypatch):
    kernel = tmp_path / "kernels" / "this" / "kernel.json"
    kernel.parent.mkdir(parents=True)
    argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    kernel.write_text(json.dumps({"argv": argv, "display_name": "this Python", "language": "python"}))
    for name in ("JUPYTER_PATH", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    NotebookClient(notebook, timeout=60, kernel_name="this").execute()  # raises if a cell does
    assert sum(len(cell.outputs) for cell in notebook.cells if cell.cell_type == "code") >= 20


def test_notebook_is_small_and_tells_nothing_of_the_machine_that_ran_it():
    text = NOTEBOOK.read_text()
    assert len(text) < 500_000
    assert not re.search(r"/home/|/root/|/work/|/tmp/|site-packages", text)
