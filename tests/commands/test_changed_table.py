"""Runs whose table, split or settings have changed: each command goes by the model, or says what differs."""

import shutil

import pytest

from tests.data.own_tables import homes, write_csv

CONFIG = ["--config", "runs/homes/001/config.yaml"]


@pytest.fixture
def run(command, tmp_path):
    """The files of a run of two epochs that classifies cities, but for TensorBoard's empty ones."""
    write_csv(tmp_path / "homes.csv", homes())
    fit = ["--data", "homes.csv", "--target", "city", "--data.kinds", "{id: ignore}", "--trainer.max_epochs", 2]
    assert command("fit", *fit, "--quiet").status == 0

    def files():
        found = [path for path in (tmp_path / "runs").rglob("*") if path.is_file() and "tfevents" not in path.name]
        return {path: path.read_bytes() for path in found}

    return files


def changed(name, function):
    return {**homes(), name: [function(value) for value in homes()[name]]}


def test_columns_in_another_order_give_the_same_figures_and_go_on(command, tmp_path, run):
    before = command("test", *CONFIG).out
    write_csv(tmp_path / "homes.csv", dict(reversed(homes().items())))
    assert command("test", *CONFIG) == (0, before, "")
    assert command("fit", *CONFIG, "--resume", "--trainer.max_epochs", 3).status == 0
    assert command("test", *CONFIG).err == ""


TABLES = {
    "appended": (homes(130), "78 others now"),
    "rescaled": (changed("area", lambda area: area and area * 2), "72 others now"),
    "another gap": (changed("area", lambda area: None if area == homes()["area"][0] else area), "72 others now"),
}


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize(("table", "told"), TABLES.values(), ids=TABLES)
def test_other_rows_are_told_in_a_line_and_not_trained_on(command, tmp_path, run, table, told):
    write_csv(tmp_path / "homes.csv", table)
    for name in ("test", "validate", "predict"):
        outcome = command(name, *CONFIG)
        assert outcome.status == 0 and len(outcome.err.splitlines()) == 1
        assert outcome.err.startswith(
            f"torchann {name}: the table 'homes' or its split has changed since the model was"
        )
        assert f"72 training rows then, {told}" in outcome.err
    before = run()
    outcome = command("fit", *CONFIG, "--resume", "--trainer.max_epochs", 3)
    assert outcome.status == 1 and "the run to go on with had 72 (sha256:" in outcome.err and run() == before


WRONG = {
    "renamed": ({"Area" if n == "area" else n: c for n, c in homes().items()}, "no column 'area'; did you mean it by"),
    "missing": ({n: c for n, c in homes().items() if n != "sold"}, "there is no column 'sold'; give a table that has"),
    "class": (changed("city", lambda city: {"Rome": "Ys"}.get(city, city)), "has the class 'Ys', and training rows"),
}


@pytest.mark.parametrize(("table", "told"), WRONG.values(), ids=WRONG)
def test_what_the_model_cannot_find_is_refused_by_every_command(command, tmp_path, run, table, told):
    write_csv(tmp_path / "homes.csv", table)
    before = run()
    for name in ("test", "validate", "predict", "fit"):
        outcome = command(name, *CONFIG, *(["--resume", "--trainer.max_epochs", 3] if name == "fit" else []))
        assert outcome.status == 1 and told in outcome.err and len(outcome.err.splitlines()) == 2
    assert run() == before


SETTINGS = {
    "--data.split_seed": (7, "had split_seed=42 and this fit has 7"),
    "--data.val_size": (0.3, "had val_size=None and this fit has 0.3"),
    "--data.test_size": (9, "had test_size=None and this fit has 9"),
    "--data.split": ("random", "had split=None and this fit has 'random'"),
    "--data.missing_values": ("[-999]", "had missing_values=[] and this fit has ['-999']"),
    "--data.kinds": ("{area: category}", "had kinds={'id': 'ignore'} and this fit has {'area': 'category'}"),
    "--data.target": ("garden", "the model predicts 'city' and the target is 'garden'; give the same"),
    "--trainer.gradient_clip_val": (1, "had gradient_clip_val=None and this fit has 1"),
    "--trainer.gradient_clip_algorithm": ("norm", "had gradient_clip_algorithm=None and this fit has 'norm'"),
    "--trainer.accumulate_grad_batches": (2, "had accumulate_grad_batches=1 and this fit has 2"),
    "--trainer.precision": ("64", "had precision='32-true' and this fit has '64-true'"),
    "--trainer.limit_train_batches": (2, "had limit_train_batches=1.0 and this fit has 2"),
    "--trainer.limit_val_batches": (0, "had limit_val_batches=1.0 and this fit has"),
    "--trainer.overfit_batches": (1, "had overfit_batches=0.0 and this fit has 1"),
    "--trainer.val_check_interval": (0.5, "had val_check_interval=1.0 and this fit has 0.5"),
    "--trainer.check_val_every_n_epoch": (2, "had check_val_every_n_epoch=1 and this fit has 2"),
}


@pytest.mark.parametrize(("option", "given"), SETTINGS.items(), ids=SETTINGS)
def test_resume_with_another_setting_names_both_and_writes_nothing(command, run, option, given):
    before, (value, told) = run(), given
    outcome = command("fit", *CONFIG, "--resume", "--trainer.max_epochs", 3, option, value)
    assert outcome.status == 1 and told in outcome.err, outcome.err
    assert run() == before


def test_resume_of_another_file_of_the_same_name_is_refused(command, tmp_path, run):
    (tmp_path / "other").mkdir()
    write_csv(tmp_path / "other" / "homes.csv", homes(seed=9))
    before = run()
    words = ["--data", "other/homes.csv", "--target", "city", "--data.kinds", "{id: ignore}", "--resume"]
    outcome = command("fit", *words, "--trainer.max_epochs", 3)
    assert outcome.status == 1 and "give the table and the split as they were" in outcome.err and run() == before


def test_copy_of_a_run_goes_on_where_it_lies(command, tmp_path, run):
    shutil.copytree(tmp_path / "runs/homes/001", tmp_path / "backup/001")
    before = run()
    assert command("fit", "--config", "backup/001/config.yaml", "--resume", "--trainer.max_epochs", 3).status == 0
    assert run() == before
    assert len((tmp_path / "backup/001/history.csv").read_text().splitlines()) == 1 + 3
