"""Names of columns and files are text, on the command line and in files, whatever YAML would make of them."""

import csv
import random

import pytest
import yaml

NAMES = ["yes", "no", "on", "true", "null", "~", "1.5", "1e3", "007", "0x10", "#rooms", "&x", "[x]", "{x}", "*x"]
NAMES += ["price: net", "-x", "x=y", 'a "q"', "!x", "%x", "@x", "`x", "|", ">", "2020-01-01", "12:30:00", ".inf", " x"]
PARSE = ["--model", "RegressionMLP", "--print_config"]
QUICK = ["--trainer.max_epochs", 1, "--trainer.callbacks", "null"]


def write(path, delimiter=","):
    """A table whose columns are called like YAML's own words, 40 rows of numbers."""
    draw = random.Random(0)
    with path.open("w", newline="") as file:
        writer = csv.writer(file, delimiter=delimiter)
        writer.writerows([NAMES, *([round(draw.gauss(0, 1), 3) for _ in NAMES] for _ in range(40))])


@pytest.fixture
def table(tmp_path):
    write(tmp_path / "t.csv")


@pytest.fixture
def parsed(command, tmp_path):
    """Options of the data as the parser understands words; the config that it prints must read back to the same."""

    def parse(*words):
        outcome = command("fit", *words, *PARSE)
        assert outcome.status == 0, outcome.err
        (tmp_path / "again.yaml").write_text(outcome.out)
        assert command("fit", "--config", "again.yaml", "--print_config").out == outcome.out
        return yaml.safe_load(outcome.out)["data"]["init_args"]

    return parse


@pytest.mark.parametrize("name", NAMES)
def test_target_is_the_text_that_was_typed(parsed, table, name):
    assert parsed("--data", "t.csv", f"--target={name}")["target"] == name
    if not name.startswith("-"):
        assert parsed("--data", "t.csv", "--data.target", name)["target"] == name


@pytest.mark.parametrize("name", ["#1.csv", "yes", "1e3", "null", "[a].csv"])
@pytest.mark.parametrize("option", ["source", "val_source", "test_source"])
def test_file_is_the_text_that_was_typed(parsed, tmp_path, name, option):
    write(tmp_path / "t.csv")
    write(tmp_path / name)
    words = ["--data", name] if option == "source" else ["--data", "t.csv", f"--data.{option}", name]
    assert parsed(*words, "--target", "yes")[option] == name


def test_several_files_and_targets_are_a_list(parsed, table, tmp_path):
    write(tmp_path / "null")
    for words in (["yes", "null"], ["yes", "--target", "null"], ['["yes", "null"]']):
        found = parsed("--data", "t.csv", "null", "--target", *words)
        assert (found["source"], found["target"]) == (["t.csv", "null"], ["yes", "null"])


def test_kinds_and_missing_values_are_texts(parsed, table):
    kinds = "{1.5: number, yes: ignore, 007: category, '~': ignore, 1e3: date}"
    found = parsed("--data", "t.csv", "--target", "no", "--data.kinds", kinds, "--data.missing_values", "[-999, null]")
    wanted = {"1.5": "number", "yes": "ignore", "007": "category", "~": "ignore", "1e3": "date"}
    assert (found["kinds"], found["missing_values"]) == (wanted, ["-999", "null"])
    found = parsed("--data", "t.csv", "--target", "no", "--data.missing_values=-999", "--data.split_by", "null")
    assert (found["missing_values"], found["split_by"]) == (["-999"], "null")


def test_names_in_a_config_need_no_quotes(parsed, table, tmp_path):
    options = "source: t.csv, target: 1e3, kinds: {yes: ignore, 007: number}, split_by: no, missing_values: [-999, ~]"
    data = f"data: {{class_path: torchann.TabularDataModule, init_args: {{{options}, val_source: null}}}}\n"
    (tmp_path / "mine.yaml").write_text(data)
    found = parsed("--config", "mine.yaml")
    assert (found["target"], found["split_by"], found["val_source"]) == ("1e3", "no", None)
    assert (found["kinds"], found["missing_values"]) == ({"yes": "ignore", "007": "number"}, ["-999", "~"])


def test_run_keeps_its_names_in_every_command(command, table, tmp_path):
    write(tmp_path / "#v.csv")
    words = ["--data", "t.csv", "--target", "null", "--data.val_source", "#v.csv", "--data.kinds", "{yes: category}"]
    outcome = command("fit", *words, *QUICK)
    assert outcome.status == 0 and "regression of 'null'" in outcome.out
    assert "32 rows to train on, 40 to validate, 8 to test" in outcome.out
    config = tmp_path / "runs/t/001/config.yaml"
    for name in ("fit", "test", "validate", "predict"):
        more = QUICK if name == "fit" else []
        assert command(name, "--config", config, *more).status == 0
    assert command("predict", "runs/t/001", "t.csv").status == 0
    with open("predictions.csv") as file:
        assert next(csv.reader(file)) == ["null"]


@pytest.mark.parametrize("typed", ["\\t", "tab", "\t"])
def test_tab_is_given_as_people_type_it(command, tmp_path, typed):
    write(tmp_path / "t.txt", "\t")
    words = ["--data.delimiter", typed, *QUICK]
    assert command("fit", "--data", "t.txt", "--target", "yes", *words).status == 0
    assert command("predict", "runs/t", "t.txt", "--delimiter", typed).status == 0
    (tmp_path / "t.yaml").write_text((tmp_path / "runs/t/001/config.yaml").read_text())
    assert command("fit", "--config", "t.yaml", *QUICK).status == 0


@pytest.mark.parametrize("typed", ["||", "", "\n", '"', "null"])
def test_delimiter_of_no_character_or_two_is_refused_in_a_line(command, table, typed):
    told = f"the delimiter is {typed!r}; give one character, or tab"
    assert told in command("fit", "--data", "t.csv", "--target", "yes", f"--data.delimiter={typed}", *QUICK).err
    assert command("predict", "nowhere", "t.csv", "--delimiter", typed).status == 1


def test_tune_and_lr_range_take_a_table_as_fit_does(command, table, tmp_path):
    pytest.importorskip("optuna")
    words = ["--data", "t.csv", "--target", "yes", "--trainer.max_epochs", 1]
    assert "steepest descent at" in command("lr-range", *words, "--steps", 10).out
    space = ["--tune.space", "{model.lr: {low: 0.001, high: 0.01}}", "--tune.trials", 1]
    assert command("tune", *words, *space, "--quiet").status == 0
    assert (tmp_path / "studies/t/best.safetensors").is_file()
    assert "there is no space; give what to search, such as --tune.space '{" in command("tune", *words).err
    for name in ("tune", "lr-range"):
        assert (
            "there is no target; give --target" in command(name, "--data", "t.csv", *space[: 2 * (name == "tune")]).err
        )


@pytest.mark.parametrize("place", ["--config", "--trainer", "--tensorboard", "--model", "data: "])
def test_no_message_prints_rows_of_a_table(command, tmp_path, place):
    rows = "\n".join(f"secret {i},{i}" for i in range(9))
    for head in ("who,what", "who: she,what", "- who,what"):
        (tmp_path / "d.csv").write_text(f"{head}\n{rows}\n")
        (tmp_path / "c.yaml").write_text("data: d.csv\n")
        words = ["--config", "c.yaml"] if place == "data: " else [place, "d.csv"]
        for name in ("fit", "test", "tune", "lr-range"):
            outcome = command(name, *words, "--data", "IrisDataModule") if place != "data: " else command(name, *words)
            assert outcome.status == 2 and "secret" not in outcome.out + outcome.err, outcome.err


def test_seed_is_given_as_people_type_it(command, table, tmp_path):
    words = ["fit", "--data", "t.csv", "--target", "yes", *QUICK]
    assert command(*words, "--seed", 7).status == 0
    assert yaml.safe_load((tmp_path / "runs/t/001/config.yaml").read_text())["seed_everything"] == 7
    assert "is given as --seed, or as seed_everything in a config" in command(*words, "--trainer.seed", 7).err
    (tmp_path / "mine.yaml").write_text("seed: 7\ndata: {class_path: torchann.IrisDataModule}\n")
    assert "did you mean 'seed_everything'?" in command("fit", "--config", "mine.yaml").err


def test_config_of_a_run_is_taken_by_tune_and_lr_range(command, table, tmp_path):
    pytest.importorskip("optuna")
    assert command("fit", "--data", "t.csv", "--target", "007", *QUICK, "--quiet").status == 0
    config = ["--config", "runs/t/001/config.yaml"]
    space = ["--tune.space", "{model.lr: {low: 0.001, high: 0.01}}", "--tune.trials", 1, "--quiet"]
    assert command("tune", *config, *space).status == 0 and (tmp_path / "studies/t/best.yaml").is_file()
    assert command("lr-range", *config, "--steps", 10).status == 0
    assert command("fit", "--config", "studies/t/best.yaml", *QUICK, "--quiet").status == 0


def test_table_and_target_without_their_options_are_told_how_to_be_given(command, table):
    assert "there is no target; give --target and the column to predict, of " in command("fit", "t.csv").err
    told = "there is a target and no table; give --data FILE --target yes"
    assert told in command("fit", "--target", "yes").err and told in command("tune", "--target", "yes").err
