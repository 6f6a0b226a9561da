"""A history: rows and columns, the table, the CSV and the picture."""

import csv
import sys

import pytest

from torchann.files.history import History

ROWS = [
    {"epoch": 0, "train_loss": 0.5, "seconds": 0.1},
    {"epoch": 1, "train_loss": 0.25, "val_loss": 0.75, "seconds": 0.2},
    {"epoch": 2, "train_loss": 0.125, "val_loss": 0.5, "seconds": 0.1},
]
NAN = float("nan")


def test_history_is_the_sequence_of_its_rows():
    history = History(ROWS)
    assert list(history) == history.rows == ROWS
    assert (len(history), history[-1], history[1:].rows) == (3, ROWS[2], ROWS[1:])


def test_column_has_the_epochs_that_have_the_figure():  # Keras: val_loss has one value per validation
    history = History(ROWS)
    assert history["val_loss"] == [0.75, 0.5] and history["train_loss"] == [0.5, 0.25, 0.125]
    assert history.history == {"train_loss": [0.5, 0.25, 0.125], "val_loss": [0.75, 0.5], "seconds": [0.1, 0.2, 0.1]}


def test_rows_given_are_not_changed():
    given = [{"epoch": 0, "train_loss": 1.0}]
    History(given)[0]["train_loss"] = 2.0
    assert given == [{"epoch": 0, "train_loss": 1.0}]


def test_unknown_figure_is_an_error_with_the_one_that_was_meant():
    for ask in (lambda history: history["val_los"], lambda history: history.best("val_los")):
        with pytest.raises(
            KeyError, match=r"no figure 'val_los'; did you mean 'val_loss'\? There are epoch, train_loss"
        ):
            ask(History(ROWS))
    with pytest.raises(KeyError, match="no figure 'accuracy'; there are epoch"):
        History(ROWS)["accuracy"]


@pytest.mark.parametrize(
    ("name", "mode", "epoch"), [("val_loss", "min", 2), ("val_loss", "max", 1), ("train_loss", "max", 0)]
)
def test_best_row_is_that_of_the_lowest_or_highest_figure(name, mode, epoch):
    assert History(ROWS).best(name, mode) == ROWS[epoch]


def test_nan_is_never_the_best():
    rows = [{"epoch": 0, "val_loss": NAN}, {"epoch": 1, "val_loss": 2.0}]
    assert History(rows).best("val_loss") == History(rows).best("val_loss", "max") == rows[1]
    with pytest.raises(ValueError, match="val_loss is nan in all of 1 epochs"):
        History(rows[:1]).best("val_loss")


def test_csv_read_again_is_the_same_history(tmp_path):
    rows = [*ROWS, {"epoch": 3, "train_loss": 1.1754944e-38, "val_loss": float("inf"), "a, b": 0.3}]
    text = History(rows).to_csv(tmp_path / "history.csv")
    assert History.from_csv(tmp_path / "history.csv").rows == rows == History.from_text(text).rows
    assert (tmp_path / "history.csv").read_text() == text


def test_csv_is_one_that_others_read(tmp_path):
    History(ROWS).to_csv(tmp_path / "history.csv")
    with (tmp_path / "history.csv").open(newline="") as file:
        table = list(csv.reader(file))
    assert table[:2] == [["epoch", "train_loss", "val_loss", "seconds"], ["0", "0.5", "", "0.1"]]


def test_nan_comes_back_from_a_csv_as_nan():
    (row,) = History.from_text(History([{"epoch": 0, "train_loss": NAN}]).to_csv())
    assert row["train_loss"] != row["train_loss"]


def test_empty_history_is_one_too():
    assert History.from_text(History().to_csv()).rows == [] == History().columns
    assert repr(History()) and str(History()) == "" and History().plot().axes == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a,b\n1,2\n", r"history.csv has the columns \['a', 'b'\] and no epoch; give a run's history.csv"),
        ("epoch,train_loss\n0,0.5\n1,low\n", "line 3 of .*history.csv: could not convert string to float: 'low'"),
        ("epoch,train_loss\n0,0.5,7\n", "line 2 of .*history.csv"),
        ("epoch\n0.5\n", "line 2 of .*history.csv: invalid literal"),
    ],
)
def test_file_that_is_no_history_is_refused(text, told, tmp_path):
    (tmp_path / "history.csv").write_text(text)
    with pytest.raises(ValueError, match=told):
        History.from_csv(tmp_path / "history.csv")


def test_table_has_a_line_per_epoch_and_gaps_where_nothing_was_validated():
    lines = str(History(ROWS)).splitlines()
    assert lines[0].split() == ["epoch", "train_loss", "val_loss", "seconds"]
    assert [line.split() for line in lines[2:4]] == [["1", "0.5", "0.1"], ["2", "0.25", "0.75", "0.2"]]
    assert "<table>" in History(ROWS)._repr_html_() and "3 epochs" in repr(History(ROWS))


def test_picture_shows_each_figure_and_marks_the_best_epoch():
    rows = [{**row, "lr": rate, "train_mae": 1.0} for row, rate in zip(ROWS, (0.1, 0.1, 0.05), strict=True)]
    loss, mae, rate = History(rows).plot().axes
    assert [panel.get_ylabel() for panel in (loss, mae, rate)] == ["loss", "MAE (unit of the target)", "learning rate"]
    training, validation, best = loss.lines
    assert list(training.get_xdata()) == [1, 2, 3] and list(training.get_ydata()) == [0.5, 0.25, 0.125]
    assert list(validation.get_xdata()) == [2, 3] and best.get_label() == "lowest validation loss: epoch 3"
    assert list(rate.lines[0].get_ydata()) == [0.1, 0.1, 0.05]


def test_rate_that_never_moved_is_not_drawn():
    (panel,) = History({**row, "lr": 0.1} for row in ROWS).plot().axes
    assert panel.get_ylabel() == "loss"


def test_run_that_only_diverged_can_be_drawn():
    (panel,) = History([{"epoch": 0, "train_loss": NAN, "val_loss": NAN}]).plot().axes
    assert "no longer a number from epoch 1 on" in panel.get_legend_handles_labels()[1]


def test_history_needs_no_framework():
    frameworks = ("torch", "lightning", "matplotlib")
    code = f"import sys, torchann.files.history; print([n for n in {frameworks} if n in sys.modules])"
    import subprocess

    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
