"""Nothing from a user's file reaches a terminal, a card or a page of TensorBoard as control characters."""

import csv

import numpy as np
import pytest

from tests.data.own_tables import write_csv

CLEAR = "u\x1b[2J\x1b]0;x\x07"
TURN = "v\u202etxt"
COLUMN = "a\x1b[31m\u2066\x9b"
ROWS = 60


@pytest.fixture
def table(tmp_path):
    """Hostile names of classes, columns and categories."""
    draw = np.random.default_rng(0)
    kind = [CLEAR if flip else TURN for flip in draw.random(ROWS) < 0.5]
    columns = {COLUMN: draw.normal(size=ROWS).round(3).tolist(), "b": [f"c\x1b[3{i % 4}m" for i in range(ROWS)]}
    return write_csv(tmp_path / "t.csv", {**columns, "kind\x1b[1m": kind})


def harmless(outcome, status=0):
    text = outcome.out + outcome.err
    assert outcome.status == status and text, outcome.err
    assert [letter for letter in text if not letter.isprintable() and letter != "\n"] == []
    return text


def test_names_are_harmless_whatever_command_tells_them(command, table, tmp_path):
    words = ["--data", "t.csv", "--target", "kind\x1b[1m"]
    told = harmless(command("fit", *words, "--trainer.max_epochs", 1))
    assert "u?[2J?]0;x? " in told and "v?txt " in told and "a?[31m??" in told
    for name in ("test", "validate"):
        harmless(command(name, *words))
    assert "u?[2J?]0;x?" in harmless(command("info", "runs/t"))
    card = harmless(command("info", "runs/t", "--markdown"))
    assert "`u?[2J?]0;x?`" in card and "`a?[31m??`" in card
    assert f"\n{ROWS} rows in out.csv\n" in harmless(command("predict", "runs/t", "t.csv", "-o", "out.csv"))
    with open("out.csv", newline="") as file:  # data stay what they are
        assert {row["class"] for row in csv.DictReader(file)} <= {CLEAR, TURN}
    for events in tmp_path.glob("runs/**/*tfevents*"):
        content = events.read_bytes()
        assert b"\x1b[2J" not in content and "\u202e".encode() not in content, events


def test_names_are_harmless_in_errors(command, table, tmp_path):
    words = ["--data", "t.csv", "--target", "kind\x1b[1m", "--trainer.max_epochs", 1]
    assert command("fit", *words, "--quiet").status == 0
    assert "a?[31m??" in harmless(command("fit", "--data", "t.csv", "--target", "knd"), 1)
    assert "a?[31m??" in harmless(command("fit", "--data", "t.csv"), 1)
    write_csv(tmp_path / "other.csv", {"c\x1b[2J": [1, 2], "b": ["x", "y"]})
    assert "c?[2J" in harmless(command("predict", "runs/t", "other.csv"), 1)
    lines = (tmp_path / "t.csv").read_text().replace(CLEAR, "w\x1b[2J")
    (tmp_path / "t.csv").write_text(lines)
    harmless(command("test", *words[:4]), 1)
    harmless(command("fit", "--data", "no\x1b[2J.csv", "--target", "x"), 1)
    harmless(command("fit", "--config", "no\x1b[2J.yaml"), 2)
