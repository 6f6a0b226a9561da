"""`torchann data`: whether the data sets are whole, missing or damaged."""

import shutil

import pytest


def cells(text, name):
    line = next(line for line in text.splitlines() if line.startswith(f"{name} "))
    return [cell.strip() for cell in line.split("  ") if cell.strip()]


def test_data_that_are_whole_are_listed_with_the_rows_of_their_splits(command, synthetic_fashion_mnist):
    outcome = command("data", "--data-dir", synthetic_fashion_mnist)
    assert (outcome.status, outcome.err) == (0, "")
    # iris: 150 rows, three times over; housing: the book's split; synthetic: 6,000 rows less 5,000, and 1,000
    assert cells(outcome.out, "iris")[1:5] == ["whole", "150", "150", "150"]
    assert cells(outcome.out, "california-housing")[1:5] == ["whole", "11,610", "3,870", "5,160"]
    assert cells(outcome.out, "fashion-mnist")[1:] == ["whole", "1,000", "5,000", "1,000", str(synthetic_fashion_mnist)]


def test_one_data_set_can_be_asked_for(command):
    outcome = command("data", "iris")
    assert outcome.status == 0 and len(outcome.out.splitlines()) == 3


@pytest.mark.parametrize("words", [["--no-download"], []])
def test_data_that_are_missing_are_said_with_the_ways_to_get_them(command, bare_machine, words):
    outcome = command("data", *words)
    assert outcome.status == 1
    assert cells(outcome.out, "fashion-mnist") == ["fashion-mnist", "missing"]
    assert cells(outcome.out, "iris")[1] == "whole"
    assert "torchann data: error: Fashion-MNIST is not on this machine" in outcome.err
    assert "apt-get install dataset-fashion-mnist" in outcome.err and "Traceback" not in outcome.err


def test_data_that_are_damaged_are_said_with_the_file(command, synthetic_fashion_mnist, tmp_path):
    folder = shutil.copytree(synthetic_fashion_mnist, tmp_path / "broken")
    file = folder / "t10k-images-idx3-ubyte.gz"
    file.write_bytes(file.read_bytes()[:1000])
    outcome = command("data", "fashion-mnist", "--data-dir", folder)
    assert outcome.status == 1
    assert cells(outcome.out, "fashion-mnist") == ["fashion-mnist", "damaged"]
    assert f"torchann data: error: {file} " in outcome.err


def test_unknown_data_set_is_refused_with_those_that_there_are(command):
    outcome = command("data", "irsi")
    assert (outcome.status, outcome.out) == (2, "")
    said = "there is no data set 'irsi'; choose iris, california-housing, fashion-mnist"
    assert outcome.err == f"torchann data: error: {said}\n"


def test_two_housings_are_told_apart(command):
    assert "MedHouseVal in 100,000 USD" in (told := command("data", "california-housing").out) and "and USD" in told
