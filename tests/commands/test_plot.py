"""`torchann plot`: a PNG for each experiment and each run folder that is named."""

from pathlib import Path

import pytest

from torchann.files.history import History

PNG = b"\x89PNG\r\n\x1a\n"


def test_pictures_are_written_and_named(command, tmp_path):
    outcome = command("plot", "logic_neurons", "linear_stack", "--output", "pictures")
    assert (outcome.status, outcome.err) == (0, "")
    for name, path in zip(("logic_neurons", "linear_stack"), outcome.out.splitlines(), strict=True):
        assert Path(path) == Path("pictures", f"{name}.png")
        assert (tmp_path / path).read_bytes()[:8] == PNG


def test_unknown_experiment_is_refused_with_the_one_that_was_meant(command):
    said = "torchann plot: error: there is no experiment 'xor_mpl'; did you mean 'xor_mlp'?\n"
    assert command("plot", "xor_mpl") == (2, "", said)


def test_picture_without_its_data_is_told(command, bare_machine):
    outcome = command("plot", "fashion_mnist_mlp")
    assert outcome.status == 1 and "fashion_mnist_mlp was not drawn: Fashion-MNIST is not on" in outcome.err


def write_history(folder):
    folder.mkdir(parents=True)
    rows = [{"epoch": epoch, "train_loss": 2.0**-epoch, "val_loss": 1.0} for epoch in range(3)]
    History(rows).to_csv(folder / "history.csv")


def test_run_folder_gets_a_picture_of_its_history(command, tmp_path):
    write_history(tmp_path / "runs" / "housing" / "001")
    outcome = command("plot", "runs/housing/001", "linear_stack", "--output", "pictures")
    drawn = ["pictures/housing-001.png", "pictures/linear_stack.png"]
    assert (outcome.status, outcome.out.splitlines(), outcome.err) == (0, drawn, "")
    for path in drawn:
        assert (tmp_path / path).read_bytes()[:8] == PNG


@pytest.mark.parametrize("named", ["runs/housing", "housing", "runs/housing/002"])
def test_runs_of_a_name_stand_for_the_latest(command, tmp_path, named):
    for number in ("001", "002"):
        write_history(tmp_path / "runs" / "housing" / number)
    (tmp_path / "runs" / "housing" / "003").mkdir()  # which has not finished an epoch
    assert command("plot", named) == (0, "runs/housing/002/history.png\n", "")


def test_folder_that_is_no_run_is_refused(command, tmp_path):
    (tmp_path / "notes").mkdir()
    said = "torchann plot: error: notes is no folder of a run; give one such as runs/NAME, or a model file\n"
    assert command("plot", "notes") == (2, "", said)


def test_path_that_is_not_there_is_refused_with_the_one_that_was_meant(command, tmp_path):
    told = "torchann plot: error: there is no run runs/one/009; name one such as runs/housing_mlp\n"
    assert command("plot", "runs/one/009") == (2, "", told)
    write_history(tmp_path / "runs" / "homes" / "001")
    told = "torchann plot: error: there is no runs/home/001; did you mean 'runs/homes/001'?\n"
    assert command("plot", "runs/home/001") == (2, "", told)


def test_history_that_cannot_be_read_is_an_error_and_no_traceback(command, tmp_path):
    write_history(tmp_path / "run")
    (tmp_path / "run" / "history.csv").write_text("epoch,train_loss\n0,low\n")
    outcome = command("plot", "run")
    assert outcome.status == 2 and outcome.err.startswith("torchann plot: error: line 2 of run/history.csv")
