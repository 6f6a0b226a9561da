"""What a fit says at its end: metrics of the net, of a trivial and of a linear model, through every door."""

import json

import numpy as np
import pytest
import torch
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    log_loss,
    mean_absolute_error,
    r2_score,
    roc_auc_score,
    root_mean_squared_error,
)
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torchmetrics.functional.classification import binary_calibration_error, multiclass_calibration_error

import torchann
from tests.data.own_tables import homes, write_csv
from tests.tasks.tables import fit
from torchann.publishing.judged import Judged
from torchann.publishing.judging import judge


def judged_fit(target, table=None, model=None, **options):
    data = torchann.TabularDataModule(table or homes(300), target, **options)
    model = model or (torchann.RegressionMLP if data.settings.task == "regression" else torchann.ClassificationMLP)([8])
    fit(model, data, max_epochs=2)
    return model, data, judge(model, data)


def test_regression_is_judged_as_scikit_learn_does_in_the_targets_unit():
    model, data, judged = judged_fit("price", task="regression")
    train, _, test = data.prepared()
    linear = LinearRegression().fit(train.x.double().numpy(), train.y.double().numpy())
    y = test.y.numpy()
    found = {
        "net": model.predict(data.splits.test.x)[:, 0].numpy(),
        "mean": np.full(len(y), float(train.y.double().mean())),
        "linear": linear.predict(test.x.double().numpy()),
    }
    assert (judged.part, judged.rows, judged.linear_rows) == ("test", 60, 180) and list(judged.metrics) == list(found)
    for name, y_hat in found.items():
        wanted = [f(y, y_hat) for f in (root_mean_squared_error, mean_absolute_error, r2_score)]
        *metrics, half, within = judged.metrics[name].values()
        assert metrics == pytest.approx(wanted, rel=1e-4, abs=1e-6)
        assert within == (np.abs(y_hat - y) <= half).mean() and within > 0.7


def calibration_error(y, proba):
    y, proba = torch.from_numpy(y), torch.from_numpy(np.float64(proba))
    if proba.shape[1] == 2:
        return float(binary_calibration_error(proba[:, 1].contiguous(), y))
    return float(multiclass_calibration_error(proba.contiguous(), y, proba.shape[1]))


@pytest.mark.parametrize("target", ["city", "garden"])
def test_classification_is_judged_as_scikit_learn_does(target):
    model, data, judged = judged_fit(target)
    train, _, test = data.prepared()
    y, classes = test.y.numpy(), np.arange(data.num_classes)
    linear = LogisticRegression(max_iter=1000).fit(train.x.double().numpy(), train.y.numpy())
    shares = np.bincount(train.y.numpy()) / len(train.y)
    found = {
        "net": model.predict_proba(data.splits.test.x).double().numpy(),
        "commonest": np.tile(shares, (len(y), 1)),
        "linear": linear.predict_proba(test.x.double().numpy()),
    }
    for name, proba in found.items():
        score = proba[:, 1] if len(classes) == 2 else proba / proba.sum(1, keepdims=True)
        wanted = {
            "accuracy": accuracy_score(y, proba.argmax(1)),
            "balanced_accuracy": np.mean([(proba.argmax(1)[y == c] == c).mean() for c in np.unique(y)]),
            "log_loss": log_loss(y, proba / proba.sum(1, keepdims=True), labels=classes),
            "calibration_error": calibration_error(y, proba / proba.sum(1, keepdims=True)),
            "roc_auc": roc_auc_score(y, score, multi_class="ovr", labels=classes),
        }
        assert judged.metrics[name] == pytest.approx(wanted, rel=1e-5, abs=1e-6)
    assert wanted["balanced_accuracy"] == pytest.approx(balanced_accuracy_score(y, proba.argmax(1)))


def test_several_targets_are_judged_one_by_one():
    _, _, judged = judged_fit(["price", "area"], homes(300) | {"area": list(range(300))}, torchann.RegressionMLP([8]))
    metrics = ("rmse", "mae", "r2", "interval_90", "within_90")
    assert list(judged.metrics["net"]) == [f"{m} {t}" for t in ("price", "area") for m in metrics]


def test_validation_rows_judge_where_there_are_no_others():
    _, _, judged = judged_fit("price", task="regression", test_size=0)
    assert (judged.part, judged.rows, judged.linear_rows) == ("validation", 60, 240)
    assert list(judged.metrics["net"]) == [
        "rmse",
        "mae",
        "r2",
    ]  # a share of the rows calibrated by says nothing
    assert judged.calibration["rows"] == 60


def test_categories_that_the_net_embeds_are_one_hot_to_the_linear_model():
    draw = np.random.default_rng(0)
    zips = draw.integers(0, 40, 800)
    table = {"zip": [f"z{z}" for z in zips], "y": 5.0 * zips % 37 + draw.normal(0, 0.1, 800)}
    _, data, judged = judged_fit("y", table, task="regression", max_one_hot=5)
    assert data.embeddings and judged.metrics["linear"]["r2"] > 0.99


def test_metric_that_is_not_finite_is_none():
    model, data, _ = judged_fit("price", task="regression")
    model.net.linears()[-1].bias.data.fill_(float("nan"))
    judged = judge(model, data)
    assert set(judged.metrics["net"].values()) == {None} and judged.metrics["linear"]["r2"] > 0
    assert str(judged).splitlines()[1].split()[:2] == ["RMSE", "-"]


def test_task_without_probabilities_is_not_judged():
    assert judged_fit("garden", model=torchann.Perceptron())[2] is None


def test_command_says_keeps_and_shows_them(command, tmp_path):
    write_csv(tmp_path / "homes.csv", homes())
    outcome = command("fit", "--data", "homes.csv", "--target", "price", "--trainer.max_epochs", 2)
    table = outcome.out.partition("run folder runs/homes/001\n")[2]
    lines = [line.split() for line in table.splitlines()]
    assert lines[0] == ["on", "24", "test", "rows", "net", "mean", "linear"]
    assert [line[0] for line in lines[1:]] == ["RMSE", "MAE", "R2", "90", "share"]
    assert table in command("info", "runs/homes").out
    card = command("info", "runs/homes", "--markdown").out
    assert "| on 24 test rows | net | mean | linear |" in card and f"| `RMSE` | {' | '.join(lines[1][1:])} |" in card
    kept = json.loads((tmp_path / "runs/homes/001/fit.json").read_text())
    tested = command("test", "--data", "homes.csv", "--target", "price").out
    assert float(tested.split()[-1]) == pytest.approx(kept["metrics"]["net"]["rmse"], rel=1e-6)
    events = EventAccumulator(str(tmp_path / "runs/homes/001")).Reload()
    (text,) = events.Tensors("metrics/text_summary")
    assert b"| on 24 test rows |" in text.tensor_proto.string_val[0]
    model = torchann.publishing.model_paths.model_from("runs/homes")
    torchann.save(model, tmp_path / "m.safetensors")
    assert torchann.load(tmp_path / "m.safetensors").judged == model.judged
    assert table in command("info", "m.safetensors").out


def test_quiet_and_fast_runs_say_nothing_of_it(command, tmp_path):
    write_csv(tmp_path / "homes.csv", homes())
    words = ["fit", "--data", "homes.csv", "--target", "price", "--trainer.max_epochs", 1]
    assert command(*words, "--quiet") == (0, "runs/homes/001\n", "")
    assert (tmp_path / "runs/homes/001/fit.json").is_file()
    assert "RMSE" not in command(*words, "--trainer.fast_dev_run", "true").out


def test_metrics_of_another_epoch_are_not_shown(command, tmp_path):
    write_csv(tmp_path / "homes.csv", homes())
    assert command("fit", "--data", "homes.csv", "--target", "price", "--trainer.max_epochs", 1, "--quiet").status == 0
    file = tmp_path / "runs/homes/001/fit.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"epoch": 7}))
    assert "on 24 test rows" not in command("info", "runs/homes").out


GOOD = {"part": "test", "rows": 3, "linear_rows": 4, "metrics": {"net": {"rmse": 1.0}}}
WRONG = [None, [], {}, GOOD | {"more": 1}, GOOD | {"part": "x"}, GOOD | {"rows": -1}, GOOD | {"rows": "3"}]
WRONG += [GOOD | {"classes": value} for value in ([], {"a": [1.0]}, {"a": [1.0, 1.0, 1.0, "3"]}, {3: [1.0] * 4})]
WRONG += [GOOD | {"metrics": value} for value in ({}, {"net": 3}, {"x\x1b": {}}, {"net": {"rmse": "1"}}, [1])]


@pytest.mark.parametrize("told", WRONG, ids=str)
def test_metrics_of_a_file_that_was_tampered_with_are_refused(told):
    assert Judged.from_plain(GOOD).describe() == GOOD
    with pytest.raises(ValueError, match="the metrics (of classes )?are"):
        Judged.from_plain(told)
