"""``torchann.fit``: the command's fit of a table, from Python."""

import numpy as np
import pytest
import torch

import torchann
from torchann.files.run import Run


def table(rows=120):
    generator = np.random.default_rng(0)
    area, city = generator.uniform(20, 200, rows), generator.choice(["Oslo", "Rome"], rows)
    return {"area": area, "city": city, "price": area * 1000 + (city == "Rome") * 5e4}


@pytest.fixture
def homes(tmp_path):
    columns = table()
    lines = [",".join(columns), *(f"{a},{c},{p}" for a, c, p in zip(*columns.values(), strict=True))]
    (tmp_path / "homes.csv").write_text("\n".join(lines) + "\n")
    return tmp_path / "homes.csv"


def test_python_and_the_command_leave_the_same_model(homes, tmp_path, command):
    options = ["--epochs", 2, "--lr", 0.01, "--hidden", 8, "--seed", 3, "--batch-size", 16]
    assert command("fit", "--data", homes, "--target", "price", *options).status == 0
    theirs = torchann.load(save(Run(tmp_path / "runs" / "homes" / "001").best, tmp_path))
    ours = torchann.fit(homes, "price", epochs=2, lr=0.01, hidden=[8], seed=3, batch_size=16, verbose=0)
    assert ours.trainer.run_folder.parts[-2:] == ("homes", "002")
    assert all(torch.equal(a, b) for a, b in zip(ours.parameters(), theirs.parameters(), strict=True))
    assert ours.judged == theirs.judged and (ours.trainer.run_folder / "fit.json").is_file()


def save(checkpoint, tmp_path):
    from torchann.publishing.model_paths import model_from

    torchann.save(model_from(checkpoint), tmp_path / "theirs.safetensors")
    return tmp_path / "theirs.safetensors"


def test_model_has_its_report_and_says_what_was_found(capfd):
    model = torchann.fit(table(), target="city", epochs=2, logger=False)
    told = capfd.readouterr().out
    assert told.startswith("table: binary classification of 'city': ") and told.endswith(f"{model.report}\n")
    assert type(model) is torchann.ClassificationMLP and model.class_names == ["Oslo", "Rome"]
    assert set(model.report.metrics["net"]) >= {"accuracy", "log_loss"}
    assert str(model.report) in repr(torchann.info(model))


def test_fit_without_words_says_nothing(capfd):
    torchann.fit(table(), "price", epochs=1, logger=False, verbose=0)
    assert capfd.readouterr() == ("", "")


def test_early_stopping_ends_it_unless_other_callbacks_are_given():
    def stops(**options):
        trainer = torchann.fit(table(), "price", max_epochs=1, logger=False, verbose=0, **options).trainer
        return [callback.patience for callback in trainer.callbacks if isinstance(callback, torchann.EarlyStopping)]

    assert stops() == [10] and stops(callbacks=torchann.EarlyStopping(patience=3)) == [3]
    assert stops(callbacks=[torchann.TerminateOnNaN()]) == []


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"learning_rate": 0.1}, "fit has no argument 'learning_rate'; did you mean 'lr'"),
        ({"epoch": 1}, "fit has no argument 'epoch'; did you mean"),
        ({"class_weight": "balanced"}, "RegressionMLP has no argument 'class_weight'"),
    ],
)
def test_option_that_there_is_not_is_refused_with_the_one_that_was_meant(options, told):
    with pytest.raises(TypeError, match=told):
        torchann.fit(table(), "price", **options)


def test_tables_that_come_along_are_known_by_name():
    iris = torchann.TabularDataModule("iris", "species")
    iris.setup()
    assert sum(map(iris.num_rows, ("train", "val", "test"))) == 150
    assert iris.class_names == ["setosa", "versicolor", "virginica"] and iris.in_features == 4
