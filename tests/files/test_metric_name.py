"""The name of a logged metric: its parts make the key, and the key gives the parts back."""

import pytest
import torch
from torch import nn

import torchann
from torchann.files.metric_name import MetricName

TASKS = {
    "regression": lambda: torchann.RegressionMLP([], 2, 1),
    "binary": lambda: torchann.ClassificationMLP([], 2, 2),
    "perceptron": lambda: torchann.Perceptron(2),
    "auxiliary": lambda: torchann.WideAndDeep([4], 2, 1, aux_weight=0.1),
    "one_output": lambda: torchann.NetTask(nn.Linear(2, 1), {"price": {}}),
}


@pytest.mark.parametrize("make", TASKS.values(), ids=TASKS)
def test_each_key_of_each_task_comes_back_with_its_stage(make):
    keys = make().figure_names()
    names = [MetricName.parse(key) for key in keys]
    assert [name.key for name in names] == keys
    assert [name.stage for name in names] == [key.split("_")[0] if "_" in key else "" for key in keys]


@pytest.mark.parametrize(
    ("parts", "key"),
    [
        (("train", "", "loss"), "train_loss"),
        (("val", "main", "rmse"), "val_main_rmse"),
        (("test", "to_sea", "loss"), "test_to_sea_loss"),
        (("val", "val", "loss"), "val_val_loss"),
        (("train", "", "top_5_accuracy"), "train_top_5_accuracy"),
        (("", "", "lr"), "lr"),
    ],
)
def test_parts_are_joined_and_the_stage_is_found_again(parts, key):
    name, parsed = MetricName(*parts), MetricName.parse(key)
    assert (name.key, parsed.key) == (key, key)
    assert (parsed.stage, parsed.tag) == (name.stage, name.tag)


@pytest.mark.parametrize("key", ["valid", "val", "val_", "train", "valid_loss", "predict_loss", "_loss", ""])
def test_key_of_no_stage_is_a_name_as_a_whole(key):
    assert MetricName.parse(key) == ("", "", key) and MetricName.parse(key).key == MetricName.parse(key).tag == key


class Halves(nn.Linear):
    def forward(self, x):
        return super().forward(x).chunk(2, 1)


def test_a_fit_logs_outputs_whose_names_have_underscores_or_are_a_stage(tmp_path):
    task = torchann.NetTask(Halves(2, 2), {"to_sea": {"columns": [0]}, "val": {"columns": [1], "weight": 0.5}})
    rows = torch.utils.data.TensorDataset(torch.ones(4, 2), torch.ones(4, 2))
    trainer = torchann.Trainer(max_epochs=1, logger=False, quiet=True, default_root_dir=tmp_path)
    trainer.fit(task, torch.utils.data.DataLoader(rows), torch.utils.data.DataLoader(rows))
    logged = {key: float(value) for key, value in trainer.callback_metrics.items()}
    tags = ["loss", *(f"{output}_{name}" for output in ("to_sea", "val") for name in ("loss", "rmse", "mae"))]
    assert set(logged) == {"lr", *(f"{stage}_{tag}" for stage in ("train", "val") for tag in tags)}
    assert logged["val_loss"] == pytest.approx(logged["val_to_sea_loss"] + 0.5 * logged["val_val_loss"])
