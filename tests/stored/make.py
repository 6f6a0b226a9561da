"""Writes small model files of the installed version, and what their models predict; see README.md beside this."""

import json
from importlib.metadata import version
from pathlib import Path

import torch

import torchann

HERE = Path(__file__).parent / version("torchann")


def write(name: str, model: torchann.RegressionMLP, x: torch.Tensor) -> None:
    """Saves a model and what it predicts of some raw rows."""
    torchann.save(model, HERE / f"{name}.safetensors")
    told = {"class": type(model).__name__, "x": x.tolist(), "y": model.predict(x.tolist()).tolist()}
    told |= {"data_info": model.data_info, "feature_names": model.feature_names}
    told["history"] = None if model.history is None else model.history.rows
    (HERE / f"{name}.json").write_text(json.dumps(told) + "\n")


def main() -> None:
    """One file for each class that needs no code of one's own."""
    torch.manual_seed(42)
    HERE.mkdir()
    housing = torchann.CaliforniaHousingDataModule(periodic_coordinates=1)
    flowers = torchann.IrisDataModule("species", order="shuffled")
    trained = (
        ("regression", torchann.RegressionMLP([5], lr=1e-3, norm="batch"), housing),
        ("wide_deep", torchann.WideAndDeep([5], aux_weight=0.1, wide_features=[0, 6]), housing),
        ("classification", torchann.ClassificationMLP([5], lr=0.1), flowers),
        ("perceptron", torchann.Perceptron(), torchann.IrisDataModule()),
    )
    for name, model, data in trained:
        torchann.Trainer(logger=False, quiet=True, max_epochs=2).fit(model, datamodule=data)
        write(name, model, data.splits.test.x[:4])
    pixels = torchann.ClassificationMLP([2], 4, 2)
    pixels.preprocessing = torchann.FashionMNISTDataModule().preprocessing
    write("pixels", pixels, torch.tensor([[[0, 51], [255, 7]]], dtype=torch.uint8))


if __name__ == "__main__":
    main()
