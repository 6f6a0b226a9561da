"""`torchann fit --data FILE --target NAME`, `torchann predict MODEL DATA` and `torchann info MODEL`, as a new user."""

import csv
import subprocess
import sys

import numpy as np
import pytest
import yaml

from tests.data.own_tables import homes, write_csv
from torchann.commands.table_shortcut import is_table, name_of, translated, with_model, without_model_knobs

QUICK = ["--trainer.max_epochs", 2]


@pytest.fixture
def table(tmp_path):
    return write_csv(tmp_path / "homes.csv", homes())


def one_line(outcome, command, status=1):
    """The error of a command: one line, and no traceback."""
    message, *rest = outcome.err.splitlines()
    assert outcome.status == status and message.startswith(f"torchann {command}: error: ")
    assert rest in ([], ["(TORCHANN_TRACEBACK=1 shows where)"], [f"Help: torchann {command} --help"])
    return message


def test_table_and_target_are_enough(command, table, tmp_path):
    outcome = command("fit", "--data", "homes.csv", "--target", "price", *QUICK)
    assert (outcome.status, outcome.err) == (0, "")
    lines = outcome.out.splitlines()
    assert lines[0].startswith("homes: regression of 'price', from ") and lines[3].startswith("area ")
    assert lines[-11] == "random split: 72 rows to train on, 24 to validate, 24 to test"
    assert lines[-10] == "with dates, --data.split time --data.split_by sold judges by the latest rows"
    assert [line[:9] for line in lines[-9:-7]] == ["epoch 1/2", "epoch 2/2"]
    assert lines[-7].startswith("2 epochs, best val_loss ") and lines[-7].endswith("run folder runs/homes/001")
    assert lines[-6].split() == ["on", "24", "test", "rows", "net", "mean", "linear"]
    config = yaml.safe_load((tmp_path / "runs/homes/001/config.yaml").read_text())
    assert config["model"]["class_path"] == "torchann.RegressionMLP"
    assert config["model"]["init_args"]["hidden_sizes"] == [128, 64] and config["trainer"]["max_epochs"] == 2
    assert config["trainer"]["callbacks"][0]["class_path"] == "torchann.EarlyStopping"
    assert config["data"]["init_args"]["source"] == "homes.csv" and config["data"]["init_args"]["target"] == "price"


@pytest.mark.parametrize(("name", "told"), [("51.26,x,9.5", True), ("0,1,2", False), ("area,x,9.5", False)])
def test_first_line_that_looks_like_a_row_is_remarked(command, tmp_path, name, told):
    (tmp_path / "t.csv").write_text("\n".join([name, *(f"{i}.5,a,{i * 2}.25" for i in range(40))]))
    out = command("fit", "t.csv", "--target", name.split(",")[2], "--epochs", 1).out
    remark = "the first line, 51.26, x, 9.5, was taken for names; if it is a row, put names above it"
    assert (remark in out) is told and ("was taken for names" in out) is told


def test_split_by_time_needs_no_hint(command, table):
    words = ["--data.split", "time", "--data.split_by", "sold"]
    assert "judges by the latest" not in command("fit", "homes.csv", "--target", "price", *QUICK, *words).out


def test_fit_that_fails_leaves_no_run_folder(command, table, tmp_path):
    fails = ["--trainer.callbacks+=torchann.EarlyStopping", "--trainer.callbacks.monitor", "val_none"]
    words = ["fit", "homes.csv", "--target", "price", *QUICK, "--quiet"]
    assert command(*words, *fails).status == 1 and not (tmp_path / "runs" / "homes").exists()
    assert command(*words).status == 0 and command(*words, *fails).status == 1
    assert [run.name for run in (tmp_path / "runs" / "homes").iterdir()] == ["001"]
    assert command(*words, "--epochs", 3, "--resume").status == 0
    assert [run.name for run in (tmp_path / "runs" / "homes").iterdir()] == ["001"]


def test_fit_that_diverges_says_where_and_ends_with_an_error(command, table):
    words = ["--model.optimizer", "sgd", "--model.lr", "1e12"]
    outcome = command("fit", "--data", "homes.csv", "--target", "price", *QUICK, *words)
    lines = outcome.err.splitlines()
    assert (
        outcome.status == 1 and lines[0].startswith("stopped: the loss of step ") and "lower the learning" in lines[0]
    )
    assert lines[1].startswith("torchann fit: error: the fit has diverged before an epoch ended")


def test_second_run_is_numbered_and_the_same_and_its_config_gives_it_again(command, table, tmp_path):
    known = (["--data", "homes.csv", "--target", "city"],) * 2 + (["--config", "runs/homes/001/config.yaml"],)
    for number, words in enumerate(known, 1):
        outcome = command("fit", *words, *QUICK, "--trainer.name", "homes", "--quiet")
        assert outcome == (0, f"runs/homes/{number:03}\n", "")
    histories = []
    for number in ("001", "002", "003"):
        with (tmp_path / "runs/homes" / number / "history.csv").open() as file:
            histories.append([{k: v for k, v in row.items() if k != "seconds"} for row in csv.DictReader(file)])
    assert histories[0] == histories[1] == histories[2] and len(histories[0]) == 2


def test_run_is_resumed_tested_and_predicted_from_with_the_same_words(command, table):
    words = ["--data", "homes.csv", "--target", "garden"]
    assert command("fit", *words, *QUICK, "--quiet").status == 0
    outcome = command("fit", *words, "--trainer.max_epochs", 3, "--resume")
    assert outcome.status == 0 and "checkpoint runs/homes/001/checkpoints/last.ckpt" in outcome.out
    assert "test_accuracy" in command("test", *words).out
    outcome = command("predict", "runs/homes", "homes.csv", "-o", "out.csv", "--keep", "id", "--keep", "price")
    assert outcome == (0, "checkpoint runs/homes/001/checkpoints/best.ckpt\n120 rows in out.csv\n", "")
    with open("out.csv") as file:
        assert next(csv.reader(file)) == ["id", "price", "class", "proba no", "proba yes"]
    told = command("info", "runs/homes")
    assert (
        told.status == 0 and "predicts binary classes: no, yes" in told.out and "measured by torchann test" in told.out
    )


def test_knobs_of_the_model_and_the_data_hold_without_a_model_named(command, table, tmp_path):
    knobs = ["--model.hidden_sizes", "[7]", "--model.lr=0.5", "--data.kinds", "{area: category, sold: ignore}"]
    more = ["--data.val_size", 30, "--data.batch_size", 16, "--data.split_seed", 3, "--trainer.callbacks", "null"]
    assert command("fit", *knobs, "--data=homes.csv", "--target=price", *more, *QUICK, "--quiet").status == 0
    config = yaml.safe_load((tmp_path / "runs/homes/001/config.yaml").read_text())
    options = config["model"]["init_args"]
    assert (options["hidden_sizes"], options["lr"], options["optimizer"]) == ([7], 0.5, "adam")
    assert config["data"]["init_args"]["kinds"] == {"area": "category", "sold": "ignore"}
    assert config["data"]["init_args"]["val_size"] == 30 and config["data"]["init_args"]["batch_size"] == 16


def test_model_can_be_named_and_a_config_may_leave_it_out(command, table, tmp_path):
    words = ["--data", "homes.csv", "--target", "price", *QUICK, "--quiet"]
    assert command("fit", "--model", "torchann.WideAndDeep", *words).status == 0
    section = {"class_path": "torchann.TabularDataModule", "init_args": {"source": "homes.csv", "target": "city"}}
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump({"data": section, "trainer": {"max_epochs": 1}}))
    assert command("fit", "--config", "mine.yaml", "--model.lr", 0.1, "--quiet").status == 0
    config = yaml.safe_load((tmp_path / "runs/mine/001/config.yaml").read_text())
    assert config["model"]["class_path"] == "torchann.ClassificationMLP" and config["model"]["init_args"]["lr"] == 0.1


def test_several_files_and_several_targets_are_taken(command, tmp_path):
    for number in (1, 2):
        write_csv(tmp_path / f"part-{number}.csv", homes(60, seed=number))
    for data in (["part-1.csv", "part-2.csv"], ["part-*.csv"]):
        outcome = command("fit", "--data", *data, "--target", "price", "area", *QUICK, "--data.kinds", "{id: number}")
        assert outcome.status == 0, outcome.err
        assert "regression of 'price' and 1 more" in outcome.out
    assert (tmp_path / "runs" / "part-" / "001").is_dir() and (tmp_path / "runs" / "part-1" / "001").is_dir()


def test_arrays_of_numpy_are_taken(command, tmp_path):
    x = np.random.default_rng(0).normal(size=(60, 3))
    np.save(tmp_path / "x.npy", x)
    np.savez(tmp_path / "t.npz", x=x, y=["a", "b"] * 30)
    assert "regression of '2'" in command("fit", "--data", "x.npy", "--target", 2, *QUICK).out
    assert "binary classification of 'y': a 23, b 23" in command("fit", "--data", "t.npz", "--target", "y", *QUICK).out


def write(text):
    return lambda path: path.write_text(text)


FILES = {
    "no target": (
        None,
        [],
        "there is no target; give --target and the column to predict, of id, area, city, sold, gard",
    ),
    "mistyped target": (None, ["--targt", "price"], "there is no option --targt; did you mean '--target'\\?"),
    "other target": (None, ["--target", "Price"], "there is no column 'Price'; did you mean it by 'price'"),
    "no such file": (
        None,
        ["--target", "price", "--data", "homs.csv"],
        "there is no file homs.csv; did you mean 'homes",
    ),
    "no such kind": (
        None,
        ["--target", "price", "--data.kinds", "{area: text}"],
        "column 'area' is to be 'text'; give",
    ),
    "no such option": (None, ["--target", "price", "--data.batch_sise", "3"], "did you mean '--data.batch_size'?"),
    "no such knob": (None, ["--target", "price", "--model.hidden_size", "3"], "did you mean '--model.hidden_sizes'?"),
    "wrong model": (None, ["--target", "city", "--model", "RegressionMLP"], "as its target makes a multiclass task"),
    "split alone": (None, ["--target", "price", "--data.split", "time"], "split is 'time' and split_by None; give"),
    "empty": (write(""), ["--target", "price"], "homes.csv is empty; expected a line of names"),
    "header": (write("a,b\n"), ["--target", "b"], "homes.csv has names and no rows"),
    "one row": (write("a,b\n1,2.5\n"), ["--target", "b"], "1 to validate and 1 to test leave none of 1 to train on"),
    "ragged": (write("a,b\n1,2\n1,2,3\n"), ["--target", "b"], "homes.csv has 3 values in line 3; expected 2"),
    "twice": (write("a,b,a\n1,2,3\n"), ["--target", "b"], "homes.csv has the column 'a' twice, as number 1 and 3"),
    "excel": (
        lambda path: path.write_bytes(b"PK\x03\x04xl"),
        ["--target", "b"],
        "is an Excel or zip file; .* save the sheet",
    ),
}


@pytest.mark.parametrize(("make", "words", "told"), FILES.values(), ids=FILES)
def test_what_a_new_user_may_do_wrong_is_told_in_one_line(command, table, make, words, told):
    if make is not None:
        make(table)
    data = [] if "--data" in words else ["--data", "homes.csv"]
    outcome = command("fit", *data, *words, *QUICK)
    message = one_line(outcome, "fit", outcome.status)
    assert outcome.status in (1, 2) and __import__("re").search(told, message), message


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A model file of prices."""
    import torchann
    from tests.tasks.tables import fit

    model = torchann.RegressionMLP([4])
    fit(model, torchann.TabularDataModule(homes(), "price"), max_epochs=1)
    path = tmp_path_factory.mktemp("saved") / "homes.safetensors"
    torchann.save(model, path)
    return path


PREDICTIONS = {
    "renamed": (
        lambda t: {"City" if n == "city" else n: c for n, c in t.items()},
        [],
        "there is no column 'city'; did you",
    ),
    "missing": (lambda t: {n: c for n, c in t.items() if n != "sold"}, [], "there is no column 'sold'; give a table"),
    "ending": (dict, ["-o", "out.xlsx"], "predictions cannot be written to out.xlsx; give a file that ends in .csv"),
    "itself": (dict, ["-o", "homes.csv"], "homes.csv is the table itself; name another file for the predictions"),
    "kept": (dict, ["--keep", "idd"], "there is no column 'idd'"),
}


@pytest.mark.parametrize(("change", "words", "told"), PREDICTIONS.values(), ids=PREDICTIONS)
def test_what_cannot_be_predicted_is_told_in_one_line(command, tmp_path, saved, change, words, told):
    write_csv(tmp_path / "homes.csv", change(homes()))
    assert told in one_line(command("predict", saved, "homes.csv", *words), "predict")
    assert [path.name for path in tmp_path.iterdir()] == ["homes.csv"]


def test_columns_in_another_order_and_beside_others_give_the_same_predictions(command, table, tmp_path, saved):
    turned = {"new": [1] * 120, **dict(reversed(homes().items()))}
    write_csv(tmp_path / "turned.csv", turned, ";")
    for name in ("homes", "turned"):
        assert command("predict", saved, f"{name}.csv", "-o", f"{name}.out.csv", "--quiet") == (0, "", "")
    assert (tmp_path / "homes.out.csv").read_bytes() == (tmp_path / "turned.out.csv").read_bytes()


def test_categories_that_are_unseen_are_told_in_one_line_and_predictions_written(command, tmp_path, saved):
    write_csv(tmp_path / "new.csv", homes() | {"city": ["Ys"] * 100 + ["Rome"] * 20})
    outcome = command("predict", saved, "new.csv")
    assert (outcome.status, outcome.out) == (0, "120 rows in predictions.csv\n")
    assert outcome.err == (
        "torchann predict: column 'city': 100 values are of no category of the training rows ('Ys' 100); "
        "taken as none of them\n"
    )


def test_models_that_are_none_are_told_in_one_line(command, table):
    for name in ("predict", "info"):
        words = ["homes.csv", "homes.csv"] if name == "predict" else ["homes.csv"]
        assert (
            "homes.csv looks like a table and not like a model; give a run folder or a model file, or train on it"
            in one_line(command(name, *words), name)
        )
        assert "there is no file no.safetensors" in one_line(command(name, "no.safetensors", *words[1:]), name)


def test_traceback_is_shown_where_it_is_asked_for(command, monkeypatch):
    monkeypatch.setenv("TORCHANN_TRACEBACK", "1")
    with pytest.raises(FileNotFoundError):
        command("info", "no.safetensors")


def test_help_of_predict_tells_both_ways(command):
    text = " ".join(command("predict", "--help").out.split())
    assert text.startswith("usage: torchann predict [-h] [-o OUT]") and "MODEL a model file, a checkpoint" in text
    assert "`torchann predict CONFIG.yaml [--output OUT]` predicts the rows of a config's data" in text
    assert "the following arguments are required: DATA" in command("predict", "model.safetensors").err


def test_help_of_fit_explains_the_table(command):
    text = " ".join(command("fit", "--help-all").out.split())
    for knob, meaning in {
        "--data.source": "a CSV, TSV, Parquet, NPY or NPZ file, several of one table, or a pattern",
        "--data.kinds": "number, category, boolean, date, dd/mm/yyyy, mm/dd/yyyy, hh:mm or ignore",
        "--data.max_memory": "half of what is free if not given",
    }.items():
        assert meaning in text[text.index(knob) :][:500]


def test_new_commands_need_no_framework_for_their_errors():
    program = (
        "import sys\nfrom torchann.__main__ import main\ntry: main(['predict', 'm', '--otput', 'x'])\n"
        "except SystemExit: pass\nprint('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n" and "did you mean '--output'?" in done.stderr


def test_words_for_a_table_are_told_from_those_for_a_class(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "plain").write_text("a\n1\n")
    for word in ("a.csv", "b/c", "d.tsv.gz", "part-*", "plain", "california-housing", "typo.cvs"):
        assert is_table(word)
    for word in ("IrisDataModule", "torchann.IrisDataModule", "my_package.data.MyData", "nothing"):
        assert not is_table(word)
    words = ["--data", "IrisDataModule", "--data.target=x"]
    assert translated(["--data", "IrisDataModule", "--target=x"]) == words


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        (["homes.csv", "--target", "price"], ["--data", "homes.csv", "--target", "price"]),
        (["a.csv", "b.csv", "--target", "y"], ["--data", "a.csv", "b.csv", "--target", "y"]),
        (["experiments/housing_mlp.yaml"], ["--config", "experiments/housing_mlp.yaml"]),
        (["--epochs", "5", "--lr=0.1"], ["--trainer.max_epochs", "5", "--model.lr=0.1"]),
        (["--batch-size", "64", "--seed", "1"], ["--data.batch_size", "64", "--seed_everything", "1"]),
        (["--hidden", "128", "64", "--dropout", "0.1"], ["--model.hidden_sizes=[128, 64]", "--model.dropout", "0.1"]),
        (["--model.hidden_sizes", "128", "64"], ["--model.hidden_sizes=[128, 64]"]),
        (["--task", "binary"], ["--data.task", "binary"]),
        (["--hidden=30,20"], ["--model.hidden_sizes=[30,20]"]),
        (["--hidden", "[30, 20]"], ["--model.hidden_sizes=[30, 20]"]),
    ],
)
def test_short_words_stand_for_long_ones(typed, meant):
    assert translated(typed) == translated(meant)


def test_words_are_put_in_before_those_of_the_user():
    words = with_model(["--model.lr", "1"], "regression", epochs_given=False, callbacks_given=False)
    assert words[:2] == ["--model", "torchann.RegressionMLP"] and words[-2:] == ["--model.lr", "1"]
    assert "--trainer.max_epochs" in words and "--trainer.callbacks+=torchann.EarlyStopping" in words
    assert without_model_knobs(["--model.a", "--model.b", "-1", "--c"]) == ["--c"]


def test_runs_are_named_after_the_table():
    assert [name_of(source) for source in ("a/homes.csv.gz", ["x.parquet", "y"], "part-*.csv", "*.csv")] == [
        "homes", "x", "part-", "table",
    ]  # fmt: skip


def test_several_targets_may_be_given_one_by_one():
    words = translated(["--data", "a.csv", "--target", "x", "--target", "y"])
    assert words == translated(["--data", "a.csv", "--target", "x", "y"])
    assert words[-1] == '--data.target=["x", "y"]'
