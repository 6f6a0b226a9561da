"""Metrics by name against scikit-learn's functions, in each kind of task, and what monitors make of them."""

import numpy as np
import pytest
import sklearn.metrics as sk
import torch
from torchmetrics import FBetaScore, MeanAbsoluteError

import torchann
from torchann.engine.rows.loader import TensorLoader
from torchann.tasks.metrics import RowMetrics
from torchann.tasks.monitor import direction
from torchann.tasks.named_metrics import by_name, named_metrics, rises, snake
from torchann.tasks.outputs import Output


def measured(names, task, size, proba, y):
    metrics = RowMetrics(named_metrics(by_name(names), task, size), activation=lambda outputs: outputs)
    for start in range(0, len(y), 7):
        metrics.add(torch.zeros(len(y[start : start + 7])), proba[start : start + 7], y[start : start + 7])
    return {name: value.item() for name, value in metrics.compute().items() if name != "loss"}


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(3)


def test_metrics_of_two_classes_are_scikit_learns(generator):
    proba, y = torch.rand(200, generator=generator), (torch.rand(200, generator=generator) < 0.2).long()
    p, t, said = proba.double().numpy(), y.numpy(), (proba > 0.5).long().numpy()
    expected = {
        "accuracy": sk.accuracy_score(t, said),
        "BalancedAccuracy": sk.balanced_accuracy_score(t, said),
        "F1": sk.f1_score(t, said),
        "precision": sk.precision_score(t, said),
        "recall": sk.recall_score(t, said),
        "AUC": sk.roc_auc_score(t, p),
        "average_precision": sk.average_precision_score(t, p),
        "log_loss": sk.log_loss(t, p),
        "MCC": sk.matthews_corrcoef(t, said),
        "cohen_kappa_score": sk.cohen_kappa_score(t, said),
    }
    found = measured(list(expected), "binary", 2, proba, y)
    assert found == pytest.approx({snake(name): value for name, value in expected.items()}, abs=1e-6)


def test_metrics_of_several_classes_are_scikit_learns_also_where_a_class_has_no_rows(generator):
    proba = torch.rand(150, 5, generator=generator, dtype=torch.float64).softmax(1)
    y = torch.randint(0, 4, (150,), generator=generator)  # none of the fifth, which is predicted
    p, t, said = proba.numpy(), y.numpy(), proba.argmax(1).numpy()
    areas = [sk.roc_auc_score(t == c, p[:, c]) for c in range(4)]
    expected = {
        "accuracy": sk.accuracy_score(t, said),
        "f1": sk.f1_score(t, said, average="macro"),
        "f1_weighted": sk.f1_score(t, said, average="weighted"),
        "recall_micro": sk.recall_score(t, said, average="micro"),
        "log_loss": sk.log_loss(t, p, labels=range(5)),
        "roc_auc": np.mean(areas),
    }
    with pytest.warns(UserWarning, match="y_pred contains classes not in y_true"):
        expected["balanced_accuracy"] = sk.balanced_accuracy_score(t, said)
    assert measured(list(expected), "multiclass", 5, proba, y) == pytest.approx(expected, abs=1e-6)


def test_metrics_of_labels_are_scikit_learns(generator):
    proba, y = torch.rand(90, 3, generator=generator), (torch.rand(90, 3, generator=generator) < 0.3).long()
    said = (proba > 0.5).long().numpy()
    expected = {
        "f1": sk.f1_score(y, said, average="macro"),
        "roc_auc": sk.roc_auc_score(y, proba),
        "log_loss": np.mean([sk.log_loss(y[:, c], proba[:, c].double()) for c in range(3)]),
    }
    assert measured(list(expected), "multilabel", 3, proba, y) == pytest.approx(expected, abs=1e-6)


def test_metrics_of_values_are_scikit_learns(generator):
    y = torch.rand(80, 1, generator=generator, dtype=torch.float64) + 5
    y_hat = y + torch.randn(80, 1, generator=generator, dtype=torch.float64)
    expected = {
        "rmse": sk.root_mean_squared_error(y, y_hat),
        "MAE": sk.mean_absolute_error(y, y_hat),
        "mape": sk.mean_absolute_percentage_error(y, y_hat),
        "R2": sk.r2_score(y, y_hat),
        "quantile_loss_0.9": sk.mean_pinball_loss(y, y_hat, alpha=0.9),
        "explained_variance": sk.explained_variance_score(y, y_hat),
    }
    found = measured(list(expected), "regression", 1, y_hat, y)
    assert found == pytest.approx({snake(name): value for name, value in expected.items()}, rel=1e-6)


def test_r2_of_targets_far_from_zero_is_right():
    y = torch.arange(50.0, dtype=torch.float64)[:, None] / 10 + 1e9
    y_hat = y + 0.1
    metrics = RowMetrics(named_metrics({"r2": "r2"}, "regression", 1), lambda outputs: outputs, center=[1e9])
    metrics.add(torch.zeros(50), y_hat, y)
    # 1 - 0.01 / var of 0, 0.1, ..., 4.9, which is (50 ** 2 - 1) / 12 / 100 = 2.0825
    assert metrics.compute()["r2"].item() == pytest.approx(1 - 0.01 / 2.0825, rel=1e-5)


@pytest.mark.parametrize(
    ("metrics", "error", "match"),
    [
        (["recal"], ValueError, "there is no metric 'recal'; did you mean 'recall'"),
        (["quantile_loss"], ValueError, "metric 'quantile_loss' has no quantile; give one from 0 to 1"),
        (["f1", "F1"], ValueError, "two metrics are called 'f1'"),
        ([3], TypeError, "a metric is 3; give a name"),
        (["mae"], ValueError, "metric 'mae' does not measure what ClassificationMLP predicts"),
        ([MeanAbsoluteError()], ValueError, "metric 'mean_absolute_error' does not measure"),
    ],
)
def test_metrics_that_mean_nothing_are_refused_by_the_constructor(metrics, error, match):
    with pytest.raises(error, match=match):
        torchann.ClassificationMLP([], 2, 2, metrics=metrics)


def test_a_metric_of_several_numbers_is_refused():
    metric = FBetaScore("multiclass", beta=1.0, num_classes=3, average=None)
    metrics = RowMetrics({"f": metric}, activation=lambda outputs: outputs)
    metrics.add(torch.zeros(3), torch.eye(3), torch.arange(3))
    with pytest.raises(ValueError, match="metric 'f' gives tensor.* and not one number; give it an average"):
        metrics.compute()


@pytest.mark.parametrize(
    ("metric", "mode"),
    [("f1", "max"), ("AUC", "max"), ("log_loss", "min"), ("balanced_accuracy", "max"), ("mcc", "max")],
)
def test_a_monitor_knows_where_a_metric_should_go(metric, mode):
    model = torchann.ClassificationMLP([], 2, 2, metrics=[metric])
    assert direction(f"val_{metric.lower()}", model) == mode
    assert rises(f"val_main_{metric.lower()}") is (mode == "max")


def test_the_metric_of_a_target_that_is_called_like_another_metric_keeps_its_direction():
    model = torchann.RegressionMLP([], 2, 2, target_names=["mae", "b"], metrics=["r2"])
    assert direction("val_r2_mae", model) == "max"


def unequal_table(rows=300):
    x = np.random.default_rng(0).normal(size=(rows, 2))
    y = (x[:, 0] + np.random.default_rng(1).normal(size=rows) > 1.2).astype(int)
    return {"a": x[:, 0], "b": x[:, 1], "y": np.where(y, "yes", "no")}


def test_early_stopping_and_checkpoints_follow_a_metric_that_rises(tmp_path):
    data = torchann.TabularDataModule(unequal_table(), "y")
    model = torchann.ClassificationMLP([8], metrics=["f1", "roc_auc"], optimizer="adam", lr=0.01)
    stop = torchann.EarlyStopping(monitor="val_f1", patience=3)
    trainer = torchann.Trainer(runs=tmp_path, name="m", max_epochs=12, quiet=True, callbacks=[stop])
    trainer.fit(model, datamodule=data)
    keep = trainer.checkpoint_callback
    scores = list(trainer.history["val_f1"])
    assert stop.best_score == max(scores) == pytest.approx(keep.best_model_score.item())
    assert {"train_f1", "val_f1", "train_roc_auc", "val_roc_auc"} <= set(trainer.history.columns)
    found = trainer.validate(model, datamodule=data, verbose=False)[0]
    assert found["val_f1"] == pytest.approx(max(scores))
    proba, y = [], []
    for inputs, targets in data.val_dataloader():
        proba.append(model.predictions(model(inputs))["proba"][:, 1].detach())
        y.append(targets)
    assert found["val_roc_auc"] == pytest.approx(sk.roc_auc_score(torch.cat(y), torch.cat(proba)))


def test_metrics_are_measured_of_each_output_and_of_each_target(tmp_path):
    x = torch.randn(60, 4, generator=torch.Generator().manual_seed(0))
    y = torch.stack([x[:, 0], 100 * x[:, 1]], 1)
    model = torchann.WideAndDeep([4], 4, 2, aux_weight=0.2, target_names=["a", "b"], metrics=["r2", "mae"])
    trainer = torchann.Trainer(logger=False, max_epochs=1, quiet=True)
    trainer.fit(model, TensorLoader(x, y), TensorLoader(x, y, shuffle=False))
    history = trainer.history
    assert {"val_main_r2", "val_main_r2_a", "val_main_mae_b", "val_aux_r2_b"} <= set(history.columns)
    y_hat = model(x)["main"].detach()
    last = {name: history[name][-1] for name in ("val_main_mae_a", "val_main_mae_b", "val_main_r2_b", "val_main_r2")}
    assert last["val_main_mae_b"] == pytest.approx(sk.mean_absolute_error(y[:, 1], y_hat[:, 1]), rel=1e-5)
    assert last["val_main_r2_b"] == pytest.approx(sk.r2_score(y[:, 1], y_hat[:, 1]), abs=1e-5)
    assert last["val_main_r2"] == pytest.approx(sk.r2_score(y, y_hat), abs=1e-5)


def test_a_test_has_the_metrics_of_each_target_unasked():
    x = torch.randn(30, 2, generator=torch.Generator().manual_seed(0))
    model = torchann.RegressionMLP([], 2, 2, target_names=["small, cm", "large"])
    found = torchann.Trainer(logger=False, quiet=True).test(model, TensorLoader(x, x * 1000), verbose=False)[0]
    assert {"test_rmse_small_cm", "test_mae_large", "test_r2_large", "test_rmse"} <= set(found)


def test_outputs_of_several_kinds_take_the_metrics_that_they_can_have():
    outputs = {"price": Output(), "sold": Output("binary")}
    task = torchann.NetTask(torch.nn.Linear(2, 2), outputs, metrics=["mae", "f1"])
    names = task.figure_names()
    assert {"val_price_mae", "val_sold_f1"} <= set(names) and not {"val_price_f1", "val_sold_mae"} & set(names)


def test_a_checkpoint_holds_the_names_and_forgets_the_objects(tmp_path):
    model = torchann.ClassificationMLP([], 2, 2, metrics=["f1", FBetaScore("binary", beta=2.0)])
    assert model.hparams["metrics"] == ["f1"]
    torchann.save(model, tmp_path / "m.safetensors")
    assert "val_f1" in torchann.load(tmp_path / "m.safetensors").figure_names()
    assert "val_fbeta_score" in model.figure_names()


def test_an_area_under_the_curve_goes_on_within_an_epoch(generator):
    proba, y = torch.rand(40, generator=generator), (torch.rand(40, generator=generator) < 0.5).long()

    def metrics():
        return RowMetrics(named_metrics({"auc": "auc"}, "binary", 2), activation=lambda outputs: outputs)

    first, second = metrics(), metrics()
    first.add(torch.zeros(20), proba[:20], y[:20])
    first._update()
    second.load_state(first.state())
    second.add(torch.zeros(20), proba[20:], y[20:])
    assert second.compute()["auc"].item() == pytest.approx(sk.roc_auc_score(y, proba))
