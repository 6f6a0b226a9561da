"""What the command line refuses, what it suggests, and what its help says."""

import inspect
import re
import subprocess
import sys
from typing import get_args

import pytest

from tests.conftest import EXPERIMENTS
from torchann.commands.short_help import PAGES, short_help
from torchann.commands.table_shortcut import DEFAULTS, MAX_EPOCHS, SHORT
from torchann.engine.optimizers import OptimizerName
from torchann.nets.mlp import ACTIVATIONS
from torchann.tasks.regression import RegressionMLP

HOUSING = EXPERIMENTS / "housing_mlp.yaml"
FRAMEWORKS = {"torch", "lightning", "torchmetrics", "sklearn", "matplotlib", "tensorboard", "jsonargparse", "numpy"}
OPTIONS = {
    "--model.lrr": "'--model.lr'",
    "--model.learning_rate": "'--model.lr'",
    "--learning-rate": "'--lr'",
    "--model.hidden_size": "'--model.hidden_sizes'",
    "--data.bath_size": "'--data.batch_size'",
    "--data.batchsize": "'--data.batch_size'",
    "--trainer.max_epoch": "'--trainer.max_epochs'",
    "--trainer.max-epochs": "'--trainer.max_epochs'",
    "--max_epochs": "'--epochs'",
    "--epoch": "'--epochs'",
    "--batch_size": "'--batch-size'",
    "--quite": "'--quiet'",
    "--resum": "'--resume'",
}
ELSEWHERE = {
    "--early_stopping": "give --trainer.callbacks null to train without it",
    "--patience": "give --trainer.callbacks+=torchann.EarlyStopping before --trainer.callbacks.patience",
    "--trainer.callbacks.patience": "give --trainer.callbacks+=torchann.EarlyStopping before",
    "--lr_scheduler.init_args.step_size": "--model.lr_schedule step --model.lr_schedule_options '{step_size: 10}'",
    "--trainer.seed": "the seed of a run is given as --seed",
}
LINES = {
    ("hidden_sizes", "hidden_size"): "'model.hidden_sizes'",
    ("    lr:", "    lrate:"): None,
    ("batch_size", "bath_size"): "'data.batch_size'",
    ("seed_everything", "seed"): "'seed_everything'",
    ("max_epochs", "max_epoch"): "'trainer.max_epochs'",
    ("trainer:", "trianer:"): "'trainer.max_epochs'",
    ("torchann.RegressionMLP", "torchann.RegresionMLP"): "'torchann.RegressionMLP'",
    ("torchann.RegressionMLP", "RegresionMLP"): "'torchann.RegressionMLP'",
    ("torchann.California", "torchann.Californian"): "'torchann.CaliforniaHousingDataModule'",
}
VALUES = {
    ("--model.optimizer", "sgdd"): "model.optimizer is 'sgdd'; give one of sgd, adam, adamw, nadam, adagrad, rmsprop;",
    ("--model.lr", "fast"): "model.lr is 'fast'; give a number",
    ("--model.nesterov", "maybe"): "model.nesterov is 'maybe'; give true or false",
    ("--model.hidden_sizes", "thirty"): "model.hidden_sizes is 'thirty'; give a list, such as [300, 100]",
    ("--model.hidden_sizes", "[30, x]"): "model.hidden_sizes is 'x'; give a whole number",
    ("--model.in_features", "x"): "model.in_features is 'x'; give a whole number or null",
    ("--model.lr_schedule_options", "x"): "model.lr_schedule_options is 'x'; give a mapping, such as {a: 1} or null",
    ("--model.target_names", "x"): "model.target_names is 'x'; give a list, such as [a, b] or null",
    ("--data.batch_size", "1.5"): "data.batch_size is '1.5'; give a whole number",
    ("--trainer.max_epochs", "lots"): "trainer.max_epochs is 'lots'; give a whole number or null",
    ("--seed_everything", "x"): "seed_everything is 'x'; give true or false or a whole number",
    ("--model", "torch.nn.Linear"): "model is 'torch.nn.Linear'; give a subclass of LightningModule",
}


def refused(outcome, what="torchann fit"):
    """The message of a command line that could not be understood: one line, where the help is, and no traceback."""
    assert (outcome.status, outcome.out) == (2, "")
    message, *rest = outcome.err.splitlines()
    assert rest in ([], [f"Help: {what} --help"])
    assert message.startswith(f"{what}: error: ") and len(message) < 250
    return message


@pytest.mark.parametrize("option", OPTIONS)
def test_mistyped_option_is_refused_with_the_one_that_was_meant(command, option):
    message = refused(command("fit", "--config", HOUSING, option, 3))
    assert option.rpartition(".")[2].lstrip("-") in message
    assert message.endswith(f"; did you mean {OPTIONS[option]}?")


@pytest.mark.parametrize("option", ELSEWHERE)
def test_option_of_another_package_is_answered_with_what_there_is(command, option):
    assert ELSEWHERE[option] in refused(command("fit", "--config", HOUSING, option, 3))


def test_images_of_the_chapter_are_answered_with_their_class(command):
    message = refused(command("fit", "--model", "Perceptron", "--data", "fashion-mnist"))
    assert message.endswith("; did you mean 'torchann.FashionMNISTDataModule'?")


def test_option_of_a_callback_is_refused_with_the_one_that_was_meant(command, tmp_path):
    text = (EXPERIMENTS / "housing_early_stopping.yaml").read_text()
    (tmp_path / "mine.yaml").write_text(text.replace("patience", "pacience"))
    assert refused(command("fit", "mine.yaml")).endswith("'pacience' is not accepted; did you mean 'patience'?")


def test_class_name_that_several_have_is_refused_with_their_whole_names(command, tmp_path):
    text = (EXPERIMENTS / "housing_early_stopping.yaml").read_text()
    (tmp_path / "mine.yaml").write_text(text.replace("torchann.EarlyStopping", "EarlyStopping"))
    message = refused(command("fit", "mine.yaml"))
    assert "there are several classes EarlyStopping; give the whole name, lightning.pytorch.callbacks.Early" in message
    assert message.endswith(" or torchann.EarlyStopping")


ONE_LINE = {
    ("--model.hidden_sizes", "null"): "hidden_sizes is None; give a list",
    ("--activation", "Relu"): "there is no activation 'Relu'; did you mean 'relu'?",
    ("--trainer.logger", "CometLogger"): "Problem with given class_path 'lightning.pytorch.loggers.CometLogger': ",
    ("--trainer.callbacks", "Timer", "--trainer.callbacks.duration", "x"): "`Timer(duration='x')` is not a valid",
}


@pytest.mark.parametrize("words", ONE_LINE)
def test_what_a_class_refuses_is_told_in_one_line(command, words):
    outcome = command("fit", "--config", HOUSING, *words)
    message, *rest = outcome.err.splitlines()
    assert outcome.status == 1 and rest == ["(TORCHANN_TRACEBACK=1 shows where)"]
    assert message.startswith(f"torchann fit: error: {ONE_LINE[words]}")


@pytest.mark.parametrize(("right", "wrong"), LINES)
def test_mistyped_line_of_a_config_is_refused_with_the_one_that_was_meant(command, tmp_path, right, wrong):
    (tmp_path / "mine.yaml").write_text(HOUSING.read_text().replace(right, wrong))
    message = refused(command("fit", "--config", "mine.yaml"))
    assert wrong.strip(" :").removeprefix("torchann.") in message
    meant = LINES[right, wrong]
    assert message.endswith(f"; did you mean {meant}?") if meant else "did you mean" not in message


@pytest.mark.parametrize("subcommand", ["validate", "test", "predict"])
def test_mistyped_option_is_refused_by_every_subcommand(command, subcommand):
    message = refused(command(subcommand, "--config", HOUSING, "--model.lrr", 3), f"torchann {subcommand}")
    assert message.endswith("; did you mean '--model.lr'?")


@pytest.mark.parametrize(("option", "value"), VALUES)
def test_wrong_value_is_refused_with_what_would_do(command, option, value):
    message = refused(command("fit", "--config", HOUSING, option, value))
    assert message.startswith(f"torchann fit: error: {VALUES[option, value]}")


def test_mistyped_choice_is_refused_with_the_one_that_was_meant(command):
    assert refused(command("fit", "--config", HOUSING, "--model.optimizer", "sgdd")).endswith("; did you mean 'sgd'?")
    iris = EXPERIMENTS / "iris_perceptron.yaml"
    assert refused(command("fit", "--config", iris, "--data.order", "sotred")).endswith("; did you mean 'stored'?")


def test_mistyped_class_on_the_command_line_is_refused_with_the_one_that_was_meant(command):
    message = refused(command("fit", "--model", "torchann.ClassificationMPL", "--data", "IrisDataModule"))
    assert message.endswith("there is no class torchann.ClassificationMPL; did you mean 'torchann.ClassificationMLP'?")


def test_abbreviation_is_refused_as_it_would_hide_a_mistake(command):
    assert "'--trainer.max_ep" not in refused(command("fit", "--config", HOUSING, "--trainer.max_ep", 3))


def test_word_that_stands_for_nothing_is_refused(command):
    assert "unrecognized arguments: extra" in refused(command("fit", "--config", HOUSING, "extra"))


def test_fit_without_model_and_data_asks_for_a_table(command):
    assert refused(command("fit")).endswith("; type `torchann fit FILE --target COLUMN`")
    assert refused(command("test"), "torchann test").endswith("; type `torchann test RUN`")
    told = "there is no data and no model; give FILE --target COLUMN, CONFIG.yaml, or --model CLASS and --data CLASS"
    assert refused(command("fit", "--quiet")).endswith(told)


def test_config_that_is_not_there_is_refused(command):
    message = refused(command("fit", "--config", "nowhere.yaml"))
    assert "File does not exist" in message and "nowhere.yaml" in message


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("model: [unclosed", "Problems parsing config"),
        ("\x00\x01", "unacceptable character #x0000"),
        ("just words", "the config is no YAML mapping; give a file with model, data and trainer"),
        ("", "the config is no YAML mapping"),
    ],
)
def test_config_that_is_no_yaml_is_refused(command, tmp_path, text, told):
    (tmp_path / "mine.yaml").write_text(text)
    assert told in refused(command("fit", "--config", "mine.yaml"))


@pytest.mark.parametrize("name", PAGES)
def test_help_is_one_screen_of_options_that_there_are(command, name):
    outcome = command(name, "--help")
    lines = outcome.out.splitlines()
    assert (outcome.status, outcome.err) == (0, "") and len(lines) <= 32 and max(map(len, lines)) <= 80
    assert sum(line.startswith(f"  torchann {name} ") for line in lines) >= 2
    words = [line.split()[0] for line in lines if line.startswith("  --")]
    full = command(name, "--help-all").out
    for word in words:
        assert word == "--target" or re.search(rf"[ ,]{SHORT.get(word, word)}\b", full), word


def test_help_of_fit_shows_defaults_and_choices_as_they_are(command):
    text = " ".join(short_help("fit").split())
    given = dict(zip(DEFAULTS[::2], DEFAULTS[1::2], strict=True))
    assert f"at most (default: {MAX_EPOCHS})" in text and f"rate (default: {given['--model.lr']})" in text
    assert f"hidden layer (default: {given['--model.hidden_sizes'].strip('[]').replace(',', '')})" in text
    choices = re.search(r"--optimizer NAME (.*?) --", text)[1].replace(" (default)", "").split(", ")
    assert choices == list(get_args(OptimizerName)) and f"{given['--model.optimizer']} (default)" in text
    names = re.search(r"--activation NAME (.*?), \.\.\.", text)[1].replace(" (default)", "").split(", ")
    assert (
        set(names) <= set(ACTIVATIONS) and names[0] == inspect.signature(RegressionMLP).parameters["activation"].default
    )


@pytest.mark.parametrize("name", ["fit", "tune", "lr-range"])
def test_whole_help_fits_the_screen_and_has_no_markup(command, name):
    text = command(name, "--help-all").out
    assert max(map(len, text.splitlines())) <= 80 and not re.search(r"``|:\w+:`|ARG:", text)


def test_whole_help_of_fit_names_and_explains_the_options(command):
    outcome = command("fit", "--help-all")
    assert (outcome.status, outcome.err) == (0, "")
    text = " ".join(outcome.out.split())
    options = text[text.index("--model torchann.") :]  # after the short names
    for knob, meaning in {
        "--model.hidden_sizes": "neurons in each hidden layer",
        "--model.lr": "learning rate",
        "--model.optimizer {sgd,adam,adamw,nadam,adagrad,rmsprop}": "what moves the weights",
        "--data.batch_size": "batch, at least 1",
        "--data.order {stored,shuffled,scikit-learn}": "the order of the training rows",
        "--trainer.max_epochs": "Stop training once this number of epochs is reached",
        "--trainer.runs": "the folder of all runs",
        "--quiet": "no progress bars",
        "--ckpt_path": "best or last of the latest run, or a .ckpt file",
    }.items():
        assert knob in options
        assert meaning in options[options.index(knob) :][:400]
    assert text.startswith("usage: torchann fit CONFIG.yaml")


def test_help_of_predict_explains_the_output(command):
    text = " ".join(command("predict", "--help").out.split())
    assert "OUT, --output OUT a .csv, .npy or .parquet file" in text  # of a table
    text = " ".join(command("predict", "--help-all").out.split())
    assert "a .csv, .npy or .parquet file; by default in the run's folder" in text  # of a config's rows


def test_config_can_be_printed(command):
    outcome = command("fit", "--config", HOUSING, "--print_config")
    assert outcome.status == 0 and "max_epochs: 20" in outcome.out


@pytest.mark.parametrize(
    "words", ["['--help']", "['fit', '--help']", "['fit']", "['reproduce', '--help']", "['--version']", "['ft']"]
)
def test_help_imports_no_framework(words):
    program = (
        "import sys\nfrom torchann.__main__ import main\n"
        f"try: main({words})\nexcept SystemExit: pass\n"
        f"print(sorted({FRAMEWORKS} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.splitlines()[-1] == "[]"


def test_help_names_every_command(command):
    outcome = command("--help")
    assert outcome.status == 0
    for name in ("fit", "validate", "test", "predict", "lr-range", "tune", "reproduce", "data", "tensorboard"):
        assert f"\n    {name} " in outcome.out or f"\n    {name}\n" in outcome.out


def test_no_command_shows_the_help(command):
    outcome = command()
    assert outcome.status == 0 and outcome.out == command("--help").out


def test_mistyped_command_is_refused_with_the_one_that_was_meant(command):
    assert command("fti") == (2, "", "torchann: error: there is no command 'fti'; did you mean 'fit'?\n")
    assert (
        "'xyz'; choose one of fit, validate, test, predict, lr-range, tune, reproduce, plot, data, tensorboard, info"
        in command("xyz").err
    )


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["reproduce", "--lsit"], "torchann reproduce: error: unrecognized arguments: --lsit; did you mean '--list'?"),
        (["reproduce", "--see", 3], "torchann reproduce: error: unrecognized arguments: --see 3"),
        (["reproduce", "--seeds", "x"], "torchann reproduce: error: argument --seeds: invalid int value: 'x'"),
        (["data", "--no-downlod"], "torchann data: error: unrecognized arguments: --no-downlod; did you mean '--no-d"),
        (["tensorboard", "--prot=1"], "torchann tensorboard: error: unrecognized arguments: --prot=1; did you mean"),
        (["--vresion"], "torchann: error: unrecognized arguments: --vresion; did you mean '--version'?"),
    ],
)
def test_mistyped_option_of_a_plain_command_is_refused_in_one_line(command, words, told):
    outcome = command(*words)
    assert (outcome.status, outcome.out, len(outcome.err.splitlines())) == (2, "", 1)
    assert outcome.err.startswith(told)


def test_command_whose_extra_is_missing_says_which_in_one_line(command, monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    for name in ("torchann.commands.tune", "torchann.tuning.storage"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    outcome = command("tune", "--help-all")
    assert outcome.status == 1
    assert outcome.err.startswith(
        "torchann tune: error: a study needs Optuna; install it with `pip install 'torchann[tune]'`\n"
    )
