import gzip
import os
import shutil
import time
from pathlib import Path

import pytest

from torchann.data import DataNotFoundError, fetch_fashion_mnist, find_fashion_mnist
from torchann.data import fashion_mnist_files as files

LABELS = "t10k-labels-idx1-ubyte"


@pytest.fixture
def copy(synthetic_fashion_mnist):
    """Copies the synthetic files to a folder."""
    return lambda folder: Path(shutil.copytree(synthetic_fashion_mnist, folder))


def test_find_looks_in_the_given_folder_then_torchann_data_then_the_system_then_the_cache(
    bare_machine, copy, tmp_path, monkeypatch
):
    assert find_fashion_mnist() is None
    cache = copy(bare_machine)
    assert find_fashion_mnist() == cache
    system = copy(tmp_path / "system")
    assert find_fashion_mnist() == system
    named = copy(tmp_path / "named")
    monkeypatch.setenv("TORCHANN_DATA", str(named))
    assert find_fashion_mnist() == named
    given = copy(tmp_path / "given")
    assert find_fashion_mnist(str(given)) == given


def test_find_takes_the_subfolder_fashion_mnist_of_a_named_folder(bare_machine, copy, tmp_path, monkeypatch):
    folder = copy(tmp_path / "data" / "fashion-mnist")
    assert find_fashion_mnist(tmp_path / "data") == folder
    monkeypatch.setenv("TORCHANN_DATA", str(tmp_path / "data"))
    assert find_fashion_mnist() == folder


def test_find_takes_an_empty_torchann_data_for_none(bare_machine, monkeypatch):
    monkeypatch.setenv("TORCHANN_DATA", "")
    assert find_fashion_mnist() is None


def test_find_expands_the_home_folder(bare_machine, copy, tmp_path, monkeypatch):
    folder = copy(tmp_path / "data")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert find_fashion_mnist("~/data") == folder


def test_find_accepts_decompressed_files(bare_machine, copy, tmp_path):
    folder = copy(tmp_path / "data")
    packed = folder / f"{LABELS}.gz"
    (folder / LABELS).write_bytes(gzip.decompress(packed.read_bytes()))
    packed.unlink()
    assert find_fashion_mnist(folder) == folder


def test_find_does_not_pass_over_a_given_folder_that_lacks_a_file(bare_machine, copy, tmp_path):
    copy(bare_machine)
    folder = copy(tmp_path / "given")
    (folder / f"{LABELS}.gz").unlink()
    lacks = rf"{folder}, named by data_dir, lacks {LABELS}\.gz; put the four files there"
    message = rf"{lacks}(?s:.)*apt-get install dataset-fashion-mnist"
    with pytest.raises(DataNotFoundError, match=message):
        find_fashion_mnist(folder)


def test_find_does_not_pass_over_torchann_data_that_does_not_exist(bare_machine, copy, monkeypatch):
    copy(bare_machine)
    monkeypatch.setenv("TORCHANN_DATA", "/no/such/folder")
    with pytest.raises(DataNotFoundError, match="/no/such/folder, named by TORCHANN_DATA, does not exist"):
        find_fashion_mnist()


def test_fetch_without_download_names_where_it_looked_and_the_ways_to_get_the_files(bare_machine, tmp_path):
    with pytest.raises(DataNotFoundError, match="a download was not asked for") as caught:
        fetch_fashion_mnist(download_missing=False)
    message = str(caught.value)
    for said in (
        f"{tmp_path / 'system'} does not exist",
        f"{bare_machine} does not exist",
        "TORCHANN_DATA",
        "data_dir",
        "apt-get install dataset-fashion-mnist",
        "torchann data fashion-mnist",
        f"{LABELS}.gz",
    ):
        assert said in message


def test_fetch_downloads_all_four_files_into_the_cache(bare_machine, synthetic_fashion_mnist, mirror, monkeypatch):
    monkeypatch.setattr(files, "MIRRORS", [mirror.url("good")])
    assert fetch_fashion_mnist(progress=False) == bare_machine == find_fashion_mnist()
    assert sorted(os.listdir(bare_machine)) == sorted(f"{name}.gz" for name in files.FILES)
    for path in bare_machine.iterdir():
        assert path.read_bytes() == (synthetic_fashion_mnist / path.name).read_bytes()


def test_fetch_downloads_only_what_the_cache_lacks(bare_machine, copy, mirror, monkeypatch):
    (copy(bare_machine) / f"{LABELS}.gz").unlink()
    monkeypatch.setattr(files, "MIRRORS", [mirror.url("good")])
    fetch_fashion_mnist(progress=False)
    assert mirror.served == [f"/good/{LABELS}.gz"]


def test_fetch_does_not_ask_the_network_for_files_that_are_there(bare_machine, copy, mirror, monkeypatch):
    copy(bare_machine)
    monkeypatch.setattr(files, "MIRRORS", [mirror.url("good")])
    fetch_fashion_mnist()
    assert mirror.served == []


def test_fetch_goes_on_to_the_next_mirror_after_a_refusal_and_a_damaged_file(
    bare_machine, synthetic_fashion_mnist, mirror, monkeypatch
):
    monkeypatch.setattr(files, "MIRRORS", [mirror.url("forbidden"), mirror.url("damaged"), mirror.url("good")])
    fetch_fashion_mnist(progress=False)
    path = bare_machine / f"{LABELS}.gz"
    assert path.read_bytes() == (synthetic_fashion_mnist / path.name).read_bytes()


def test_fetch_reports_what_each_mirror_did_and_leaves_nothing_behind(
    bare_machine, synthetic_table, mirror, monkeypatch
):
    monkeypatch.setattr(files, "MIRRORS", [mirror.url("forbidden"), mirror.url("damaged")])
    with pytest.raises(DataNotFoundError, match="403 Client Error: Forbidden") as caught:
        fetch_fashion_mnist(progress=False)
    message = str(caught.value)
    assert f"{mirror.url('damaged')}train-images-idx3-ubyte.gz is a damaged gzip file" in message
    assert "apt-get install dataset-fashion-mnist" in message
    assert os.listdir(bare_machine) == []


def test_fetch_on_a_machine_without_network_fails_within_seconds(bare_machine, mirror, monkeypatch):
    monkeypatch.setattr(files, "MIRRORS", ["http://127.0.0.1:1/", "https://no-such-host.invalid/"])
    start = time.monotonic()
    with pytest.raises(DataNotFoundError, match=r"127\.0\.0\.1.*(?s:.)*no-such-host\.invalid"):
        fetch_fashion_mnist()
    assert time.monotonic() - start < 20


def test_fetch_says_that_the_cache_cannot_be_written(bare_machine, synthetic_table, mirror, monkeypatch):
    bare_machine.parent.parent.mkdir()
    bare_machine.parent.write_text("a file where the folder should be")
    monkeypatch.setattr(files, "MIRRORS", [mirror.url("good")])
    with pytest.raises(DataNotFoundError, match=f"{bare_machine.parent}"):
        fetch_fashion_mnist(progress=False)
