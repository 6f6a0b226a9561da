import json
import math

import lightning.pytorch as pl
import pytest
import torch
from sklearn.metrics import mean_absolute_error, mean_squared_error
from torch import nn

from tests.tasks.tables import Table, fit, regression_table, weights
from torchann import RegressionMLP
from torchann.engine.rows.shuffling import shuffled_order


def model_of(**options) -> RegressionMLP:
    torch.manual_seed(0)
    return RegressionMLP(**{"hidden_sizes": [5], "activation": "tanh", "lr": 0.05} | options)


def plain_loop(net, data: Table, num_epochs: int, momentum=0.0, max_norm=None, accumulate=1):
    """The same training without Lightning: the book's loop (10.2.3)."""
    optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=momentum)
    for _ in range(num_epochs):
        batches = list(data.train_dataloader())
        for number, (x, y) in enumerate(batches, start=1):
            (nn.functional.mse_loss(net(x), y.unsqueeze(1)) / accumulate).backward()
            if number % accumulate == 0 or number == len(batches):
                if max_norm is not None:
                    nn.utils.clip_grad_norm_(net.parameters(), max_norm)
                optimizer.step()
                optimizer.zero_grad()
    return nn.utils.parameters_to_vector(net.parameters()).detach()


def plain_net(model: RegressionMLP) -> nn.Module:
    net = nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 1))
    nn.utils.vector_to_parameters(weights(model), net.parameters())
    return net


@pytest.mark.parametrize(
    ("knobs", "trainer_options", "loop_options"),
    [
        ({}, {}, {}),
        ({"momentum": 0.9}, {}, {"momentum": 0.9}),
        ({}, {"gradient_clip_val": 0.1}, {"max_norm": 0.1}),
        ({}, {"accumulate_grad_batches": 2}, {"accumulate": 2}),
    ],
    ids=["sgd", "momentum", "clipping", "accumulation"],
)
def test_training_takes_the_steps_of_a_plain_loop(knobs, trainer_options, loop_options):
    # 70 rows in batches of 32 are three steps per epoch, the last of 6 rows.
    data, model = regression_table(), model_of(in_features=3, out_features=1, **knobs)
    before, net = weights(model), plain_net(model)
    fit(model, data, max_epochs=3, **trainer_options)
    torch.testing.assert_close(weights(model), plain_loop(net, data, 3, **loop_options), atol=1e-6, rtol=1e-6)
    assert not torch.allclose(weights(model), before, atol=1e-3)


def test_training_learns_a_plane_to_the_hundredth():
    data = regression_table()
    figures = fit(model_of(hidden_sizes=[], lr=0.2), data, max_epochs=15).callback_metrics
    assert figures["train_loss"] < 1e-2
    assert figures["val_rmse"] < 0.1


@pytest.mark.parametrize("loss", ["mse", "mae", "huber"])
@pytest.mark.parametrize("out_features", [1, 3])
def test_every_loss_falls_for_one_and_for_several_outputs(loss, out_features):
    data = regression_table(out_features=out_features)
    model = model_of(loss=loss, hidden_sizes=[], optimizer="adam", lr=0.2)
    before = model_of(loss=loss, hidden_sizes=[], in_features=3, out_features=out_features, lr=0.0)
    untrained = fit(before, data, max_epochs=1).callback_metrics["val_loss"]
    assert fit(model, data, max_epochs=8).callback_metrics["val_loss"] < 0.5 * untrained
    assert model.predict(data.x).shape == (70, out_features)


@pytest.mark.parametrize("batch_size", [1, 32])  # 70 batches, more than wait for one update; and a ragged last one
@pytest.mark.parametrize("out_features", [1, 2])
def test_figures_are_sklearns_over_all_rows(batch_size, out_features):
    data = regression_table(out_features=out_features, batch_size=batch_size)
    model = model_of(lr=0.0)  # the weights stay, so that training figures are those of one model
    trainer = fit(model, data, max_epochs=1)
    figures = dict(trainer.callback_metrics)
    figures |= trainer.test(model, datamodule=data, verbose=False)[0]
    y_hat, y = model.predict(data.x), data.y.reshape(70, -1)
    # scikit-learn's root_mean_squared_error would average the roots of the outputs; this is the root of the mean
    mse, mae = mean_squared_error(y, y_hat), mean_absolute_error(y, y_hat)
    for stage in ("train", "val", "test"):
        assert float(figures[f"{stage}_loss"]) == pytest.approx(mse, rel=1e-5)
        assert float(figures[f"{stage}_rmse"]) == pytest.approx(math.sqrt(mse), rel=1e-5)
        assert float(figures[f"{stage}_mae"]) == pytest.approx(mae, rel=1e-5)


def test_targets_of_one_output_may_be_a_vector_or_a_column():
    vector, column = regression_table(), regression_table()
    column.y = column.y.unsqueeze(1)
    models = [model_of(), model_of()]
    for model, data in zip(models, (vector, column), strict=True):
        torch.manual_seed(0)
        fit(model, data)
    assert torch.equal(weights(models[0]), weights(models[1]))


@pytest.mark.parametrize(
    ("out_features", "targets", "told"),
    [
        (1, (70, 2), r"predictions \(32, 1\) and targets \(32, 2\) must have the same shape"),
        (2, (70,), r"predictions \(32, 2\) and targets \(32,\) must have the same shape"),
    ],
)
def test_targets_of_another_shape_are_refused_with_both_shapes(out_features, targets, told):
    with pytest.raises(ValueError, match=told):
        fit(model_of(out_features=out_features), Table(torch.zeros(70, 3), torch.zeros(targets)))


def test_whole_number_targets_are_taken_as_floats():
    data = Table(torch.ones(4, 1), torch.tensor([1, 2, 3, 4]), out_features=1)
    # From zero weights the mean squared error of 1, 2, 3, 4 is 30 / 4.
    trainer = fit(model_of(hidden_sizes=[], weight_init="zeros"), data, max_epochs=1)
    assert trainer.callback_metrics["train_loss"].item() == 7.5


def test_sizes_and_names_come_from_the_data_and_are_saved_with_the_model(tmp_path):
    data = regression_table(target_names=["value"])
    model = model_of(lr_schedule="step", lr_schedule_options={"step_size": 2}, hidden_sizes=(5, 4))
    fit(model, data).save_checkpoint(tmp_path / "model.ckpt")
    loaded = RegressionMLP.load_from_checkpoint(tmp_path / "model.ckpt", weights_only=True)
    assert {name: loaded.hparams[name] for name in ("hidden_sizes", "in_features", "out_features", "target_names")} == {
        "hidden_sizes": [5, 4],
        "in_features": 3,
        "out_features": 1,
        "target_names": ["value"],
    }
    assert json.loads(json.dumps(dict(loaded.hparams))) == dict(model.hparams)
    assert torch.equal(loaded.predict(data.x), model.predict(data.x))


class SaveEachStep(pl.Callback):
    def __init__(self, folder):
        self.folder = folder

    def on_train_batch_end(self, trainer, *_):
        trainer.save_checkpoint(self.folder / f"{trainer.global_step}.ckpt")


def test_training_resumed_within_an_epoch_or_at_its_end_ends_with_the_same_weights(tmp_path):
    def shuffled() -> Table:
        return regression_table(order=lambda epoch: shuffled_order(70, seed=0, epoch=epoch))

    uninterrupted = model_of(momentum=0.9)
    fit(uninterrupted, shuffled(), max_epochs=2, callbacks=[SaveEachStep(tmp_path)])
    for step in range(1, 6):  # three steps per epoch
        resumed = model_of(momentum=0.9)
        fit(resumed, shuffled(), ckpt_path=tmp_path / f"{step}.ckpt")
        assert torch.equal(weights(resumed), weights(uninterrupted)), step


def test_target_names_must_name_every_value():
    with pytest.raises(ValueError, match=r"target_names are \['a'\] and out_features is 2; name every value"):
        RegressionMLP([5], in_features=3, out_features=2, target_names=["a"])


@pytest.mark.parametrize(
    ("knobs", "low", "high"),
    [({"output": "positive"}, 0.0, float("inf")), ({"output": "bounded", "bounds": (-9, 9)}, -9.0, 9.0)],
    ids=["positive", "bounded"],
)
def test_values_of_a_limited_output_stay_in_its_range_by_both_engines(knobs, low, high):
    data, ends = regression_table(), []
    data.y = data.y.abs()
    for options in ({}, {"gradient_clip_val": 1e9}):
        torch.manual_seed(0)
        model = RegressionMLP([8], lr=0.05, **knobs)
        trainer = fit(model, data, max_epochs=10, **options)
        values = model.predict(100 * data.x)
        assert low <= values.min() and values.max() <= high
        error = (model.predict(data.x)[:, 0] - data.y).square().mean()
        assert trainer.callback_metrics["val_loss"].item() == pytest.approx(error.item(), rel=1e-4)
        ends.append(weights(model))
    torch.testing.assert_close(*ends)


def test_targets_that_the_output_cannot_reach_are_refused():
    with pytest.raises(ValueError, match=r"targets from -.* and an output that is positive, from 0 to inf"):
        fit(RegressionMLP([8], output="positive"), regression_table())


def test_optimizer_options_reach_the_optimizer():
    model = RegressionMLP([8], optimizer="rmsprop", optimizer_options={"alpha": 0.9, "eps": 1e-7})
    trainer = fit(model, regression_table())
    assert (trainer.optimizers[0].defaults["alpha"], trainer.optimizers[0].defaults["eps"]) == (0.9, 1e-7)


@pytest.mark.parametrize(
    ("options", "message"),
    [({"alhpa": 0.9}, "optimizer 'rmsprop' has no option 'alhpa'"), ({"lr": 0.1}, "'lr' is given by its own name and")],
)
def test_wrong_optimizer_options_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        fit(RegressionMLP([8], optimizer="rmsprop", optimizer_options=options), regression_table())


def test_summary_has_the_layers_and_counts_of_the_net():
    # 8 * 30 + 30 and 30 + 1
    table = RegressionMLP([30], in_features=8, out_features=1).summary()
    assert table.parameters == 301 and "(None, 30)" in str(table)
    with pytest.raises(RuntimeError, match="does not know its sizes yet"):
        RegressionMLP([30]).summary()
