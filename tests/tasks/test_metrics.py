import pytest
import torch
from torchmetrics import MeanSquaredError

from torchann.tasks.metrics import UPDATE_EVERY, RowMetrics


def rmse_metrics() -> RowMetrics:
    return RowMetrics({"rmse": MeanSquaredError(squared=False)}, activation=lambda y_hat: y_hat)


def add_errors(metrics: RowMetrics, *errors: float) -> None:
    error = torch.tensor(errors)
    metrics.add(error**2, error, torch.zeros(len(errors)))


def test_figures_are_accumulated_over_rows_not_averaged_over_batches():
    metrics = rmse_metrics()
    add_errors(metrics, *[1.0] * 32)
    add_errors(metrics, *[3.0] * 4)
    figures = metrics.compute()
    # (32 * 1 + 4 * 9) / 36 = 68 / 36, whose root is 1.374; a mean over the batches would be (1 + 9) / 2 = 5
    assert figures["loss"].item() == pytest.approx(68 / 36)
    assert figures["rmse"].item() == pytest.approx((68 / 36) ** 0.5)


@pytest.mark.parametrize("num_batches", [UPDATE_EVERY - 1, UPDATE_EVERY, 2 * UPDATE_EVERY + 1])
def test_figures_hold_all_batches_however_many(num_batches):
    metrics = rmse_metrics()
    for number in range(num_batches):
        add_errors(metrics, float(number))
    # the mean of 0, 1, 4, ..., (n - 1)**2 is (n - 1)(2n - 1) / 6
    assert metrics.compute()["loss"].item() == pytest.approx((num_batches - 1) * (2 * num_batches - 1) / 6)


def test_figures_start_anew_after_each_computation():
    metrics = rmse_metrics()
    add_errors(metrics, 5.0)
    metrics.compute()
    add_errors(metrics, 1.0)
    assert {name: value.item() for name, value in metrics.compute().items()} == {
        "loss": 1.0,
        "rmse": 1.0,
    }


def test_figures_of_a_diverged_run_are_not_numbers():
    metrics = rmse_metrics()
    add_errors(metrics, 1.0, float("nan"))
    assert metrics.compute()["loss"].isnan()


def test_metrics_see_the_activated_outputs():
    metrics = RowMetrics({"mse": MeanSquaredError()}, activation=torch.exp)
    metrics.add(torch.zeros(1), torch.tensor([0.0]), torch.tensor([3.0]))
    assert metrics.compute()["mse"].item() == 4.0  # (exp(0) - 3)**2


def test_waiting_batches_hold_no_graph():
    metrics = rmse_metrics()
    outputs = torch.ones(2, requires_grad=True) * 2
    metrics.add(outputs, outputs, torch.zeros(2))
    assert not any(tensor.requires_grad for batch in metrics._waiting for tensor in batch)
