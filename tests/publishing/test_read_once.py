"""Model files that are replaced while they are read."""

import threading
import warnings

import pytest
import torch

import torchann
from torchann.estimators import MLPRegressor
from torchann.files import safetensors_file


def task(value):
    model = torchann.RegressionMLP([5000], in_features=1, out_features=1, target_names=[f"y{value}"])
    with torch.no_grad():
        model.net[-1].bias.fill_(value)
    return model, lambda found: (found.hparams["target_names"], found.net[-1].bias.tolist())


def estimator(value):
    model = MLPRegressor(hidden_layer_sizes=[2], max_iter=1, random_state=value, tol=value)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit([[0.0], [1.0]], [0.0, 1.0])
    return model, lambda found: (found.tol, found.coefs_[0].tolist())


@pytest.mark.parametrize("make", [task, estimator])
def test_load_gives_one_model_or_the_other_while_a_writer_replaces_the_file(tmp_path, make):
    path, (models, reads) = tmp_path / "model.safetensors", zip(make(1), make(2), strict=True)
    wanted, stop = [reads[0](model) for model in models], threading.Event()

    def write():
        while not stop.is_set():
            for model in models:
                torchann.save(model, path)

    torchann.save(models[0], path)
    writer = threading.Thread(target=write)
    writer.start()
    found = [reads[0](torchann.load(path)) for _ in range(30)]
    stop.set()
    writer.join()
    assert all(each in wanted for each in found)


def test_load_parses_the_bytes_that_it_has_checked(tmp_path, monkeypatch):
    path, other = tmp_path / "a.safetensors", tmp_path / "b.safetensors"
    for value, file in ((1, path), (2, other)):
        torchann.save(task(value)[0], file)
    text = safetensors_file._text

    def replaced_after_the_header(*args):
        found = text(*args)
        other.replace(path)
        return found

    monkeypatch.setattr(safetensors_file, "_text", replaced_after_the_header)
    assert task(1)[1](torchann.load(path)) == (["y1"], [1.0])


def test_file_that_is_written_over_while_it_is_read_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "a.safetensors"
    torchann.save(task(1)[0], path)
    second, text = safetensors_file.pack({"class": "RegressionMLP"}, {}), safetensors_file._text

    def written_over_after_the_header(*args):
        found = text(*args)
        path.write_bytes(second)
        return found

    monkeypatch.setattr(safetensors_file, "_text", written_over_after_the_header)
    with pytest.raises(safetensors_file.ModelFileError, match="is damaged"):
        torchann.load(path)
