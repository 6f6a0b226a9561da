import lightning.pytorch as pl
import pytest
import torch
from lightning.pytorch import callbacks

from tests.tasks.tables import Table, class_table, fit, regression_table, weights
from torchann import ClassificationMLP, Perceptron, RegressionMLP, Trainer
from torchann.engine.rows.loader import TensorLoader
from torchann.files.predictions import PREDICT_ROWS
from torchann.tasks.task import Task


@pytest.mark.parametrize("task", [RegressionMLP, ClassificationMLP, Perceptron])
def test_task_without_sizes_and_data_module_says_what_to_give(task):
    trainer, loader = Trainer(logger=False, quiet=True, max_epochs=1), TensorLoader(torch.zeros(4, 2), torch.zeros(4))
    told = f"{task.__name__} needs in_features: it was not given and there is no data module; "
    with pytest.raises(ValueError, match=rf"{told}give {task.__name__}\(in_features=...\)"):
        trainer.fit(task(), loader, loader)


def test_task_whose_data_module_lacks_a_size_says_which():
    with pytest.raises(ValueError, match="RegressionMLP needs out_features: it was not given and Table has none"):
        fit(RegressionMLP(), Table(torch.zeros(4, 2), torch.zeros(4)))


@pytest.mark.parametrize(
    ("model", "told"),
    [
        (lambda: RegressionMLP(in_features=4), "RegressionMLP has in_features=4 and Table has in_features=3"),
        (lambda: ClassificationMLP(num_classes=10), "ClassificationMLP has num_classes=10 and Table has num_classes=3"),
    ],
)
def test_size_that_is_not_that_of_the_data_is_refused(model, told):
    with pytest.raises(ValueError, match=f"{told}; leave .* out to take that of the data"):
        fit(model(), regression_table(num_classes=3))


def test_size_that_is_not_given_may_come_from_the_data_beside_one_that_is():
    model = RegressionMLP([4], in_features=3)
    fit(model, regression_table(), max_epochs=1)
    assert model.hparams.out_features == 1


class Freeze(callbacks.BaseFinetuning):
    def freeze_before_training(self, pl_module):
        self.freeze(pl_module.net.linears()[0])

    def finetune_function(self, pl_module, epoch, optimizer):
        pass


@pytest.mark.parametrize("trainer", [Trainer, pl.Trainer], ids=["ours", "lightnings"])
@pytest.mark.parametrize(
    ("make", "holds"),
    [
        (callbacks.EMAWeightAveraging, lambda callback, net: callback._average_model is not None),
        (lambda: callbacks.StochasticWeightAveraging(1e-3), lambda callback, net: callback._average_model is not None),
        (
            lambda: callbacks.ModelPruning("l1_unstructured", amount=0.5, use_lottery_ticket_hypothesis=False),
            lambda callback, net: float((net.linears()[0].weight == 0).float().mean()) >= 0.5,
        ),
        (Freeze, lambda callback, net: not net.linears()[0].weight.requires_grad),
    ],
    ids=["averaging", "swa", "pruning", "fine-tuning"],
)
def test_net_sized_by_the_data_is_there_when_callbacks_are_set_up(trainer, make, holds):
    model, callback, seen = RegressionMLP([4]), make(), []
    watch = pl.Callback()
    watch.setup = lambda trainer, pl_module, stage: seen.append(len(list(pl_module.net.parameters())))
    quiet = {"quiet": True} if trainer is Trainer else {"enable_progress_bar": False, "enable_model_summary": False}
    options = {"logger": False, "max_epochs": 2, "enable_checkpointing": False, **quiet}
    trainer(callbacks=[watch, callback], **options).fit(model, datamodule=regression_table())
    assert seen == [4] and holds(callback, model.net)


def test_task_with_sizes_needs_no_data_module():
    model = RegressionMLP([], in_features=2, out_features=1)
    loader = TensorLoader(torch.ones(4, 2), torch.ones(4))
    Trainer(logger=False, quiet=True, max_epochs=1).fit(model, loader, loader)
    assert model.net.linears()[0].weight.shape == (1, 2)


@pytest.mark.parametrize("task", [RegressionMLP, ClassificationMLP, Perceptron])
def test_task_that_does_not_know_its_sizes_cannot_predict(task):
    with pytest.raises(RuntimeError, match=f"{task.__name__} does not know its sizes yet; .*give in_features"):
        task().predict(torch.zeros(1, 2))


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int64])
def test_integer_inputs_are_refused(dtype):
    model = RegressionMLP([], in_features=2, out_features=1)
    with pytest.raises(TypeError, match=f"inputs are {dtype}; scale them to floats"):
        model.predict(torch.zeros(3, 2, dtype=dtype))


def test_same_seed_trains_the_same_weights():
    trained = []
    for seed in (1, 1, 2):
        model = RegressionMLP([4])
        fit(model, regression_table(), seed=seed)
        trained.append(weights(model))
    assert torch.equal(trained[0], trained[1])
    assert not torch.equal(trained[0], trained[2])


def test_weights_depend_on_the_seed_and_not_on_who_says_the_sizes():
    torch.manual_seed(1)
    given = RegressionMLP([4], in_features=3, out_features=1)
    taken = RegressionMLP([4], lr=0.0)
    fit(taken, regression_table(), max_epochs=1, seed=1)
    assert torch.equal(weights(given), weights(taken))


def test_prediction_changes_neither_the_mode_nor_the_generator():
    model = RegressionMLP([4], in_features=3, out_features=1)
    for training in (True, False):
        model.train(training)
        state = torch.get_rng_state()
        model.predict(torch.zeros(2, 3))
        assert model.training is training
        assert torch.equal(state, torch.get_rng_state())


@pytest.mark.parametrize("num_rows", [0, 1, PREDICT_ROWS, PREDICT_ROWS + 1])
def test_prediction_has_a_row_for_each_row(num_rows):
    model = RegressionMLP([4], in_features=3, out_features=1)
    x = torch.randn(num_rows, 3)
    torch.testing.assert_close(model.predict(x), model.net(x).detach())
    torch.testing.assert_close(model.predict(x.double().numpy()), model.predict(x))


def test_trainer_predicts_what_the_model_predicts():
    data = class_table()
    model = ClassificationMLP([4])
    batches = fit(model, data).predict(model, datamodule=data)
    assert torch.equal(torch.cat([batch["class"] for batch in batches]), model.predict(data.x))
    torch.testing.assert_close(torch.cat([batch["proba"] for batch in batches]), model.predict_proba(data.x))


def test_prediction_takes_inputs_without_targets():
    model = RegressionMLP([], in_features=2, out_features=1)
    x = torch.ones(3, 2)
    assert torch.equal(model.predict_step(x, 0)["value"], model.predict_step((x, torch.ones(3)), 0)["value"])


def test_figures_of_an_epoch_that_was_broken_off_do_not_reach_the_next_fit():
    class Interrupted(RegressionMLP):
        def on_train_batch_end(self, outputs, batch, batch_idx):
            raise RuntimeError("broken off")

    data = Table(torch.zeros(4, 1), torch.tensor([1.0, 1.0, 3.0, 3.0]), batch_size=2, out_features=1)
    model = Interrupted([], weight_init="zeros", lr=0.0)
    with pytest.raises(RuntimeError, match="broken off"):
        fit(model, data, max_epochs=1)
    model.on_train_batch_end = lambda *_: None
    # The model predicts 0: (1 + 1 + 9 + 9) / 4
    assert fit(model, data, max_epochs=1).callback_metrics["train_loss"].item() == 5.0


@pytest.mark.parametrize("num_epochs", [1, 3])
def test_logged_rate_is_the_one_that_the_last_epoch_began_with(num_epochs):
    model = RegressionMLP([], lr=0.5, lr_schedule="exponential", lr_schedule_options={"gamma": 0.1})
    figures = fit(model, regression_table(), num_epochs).callback_metrics
    assert figures["lr"].item() == pytest.approx(0.5 * 0.1 ** (num_epochs - 1))


@pytest.mark.parametrize("call", ["build", "make_metrics", "predictions"])
def test_task_alone_is_abstract(call):
    with pytest.raises(NotImplementedError):
        getattr(Task(), call)(*([torch.zeros(1)] if call == "predictions" else []))


class Ratio(pl.Callback):
    """The chapter's example: validation over training loss, after each epoch."""

    def __init__(self):
        self.ratios = []

    def on_train_epoch_end(self, trainer, pl_module):
        figures = trainer.callback_metrics
        self.ratios.append((figures["val_loss"] / figures["train_loss"]).item())


@pytest.mark.parametrize("options", [{}, {"gradient_clip_val": 1e9}, {"limit_train_batches": 2}], ids=str)
def test_callbacks_find_the_figures_of_the_epoch_that_has_just_ended(tmp_path, options):
    ratio = Ratio()
    trainer = Trainer(runs=str(tmp_path), quiet=True, max_epochs=3, callbacks=[ratio], **options)
    trainer.fit(RegressionMLP([4], lr=0.01), datamodule=regression_table())
    rows = [row["val_loss"] / row["train_loss"] for row in trainer.history]
    assert ratio.ratios == pytest.approx(rows, rel=1e-6)


def test_fit_after_one_that_was_broken_off_logs_its_figures(tmp_path):
    class Break(pl.Callback):
        def on_train_epoch_end(self, trainer, pl_module):
            raise OSError("disk is full")

    model, data = RegressionMLP([4], lr=0.01), regression_table()
    with pytest.raises(OSError, match="disk is full"):
        Trainer(runs=str(tmp_path), quiet=True, max_epochs=1, callbacks=[Break()]).fit(model, datamodule=data)
    trainer = Trainer(logger=False, quiet=True, max_steps=1, max_epochs=1)  # ends before the last batch of its epoch
    trainer.fit(model, datamodule=data)
    assert "train_loss" in trainer.callback_metrics


@pytest.mark.parametrize("task", [RegressionMLP, ClassificationMLP])
@pytest.mark.parametrize(
    ("options", "told"),
    [
        (
            {"hidden_sizes": 30},
            r"hidden_sizes is 30; give a list with the size of each hidden layer, such as \[30, 20\]",
        ),
        ({"hidden_sizes": "30"}, "hidden_sizes is '30'; give a list"),
        ({"hidden_sizes": [30, -3]}, r"hidden_sizes is \[30, -3\]; give a list"),
        ({"hidden_sizes": [2.5]}, r"hidden_sizes is \[2.5\]; give a list"),
        ({"activation": "Relu"}, "there is no activation 'Relu'; did you mean 'relu'"),
        ({"activation": len}, "activation is <built-in function len>; give its name"),
        ({"optimizer": "Adam"}, "there is no optimizer 'Adam'; did you mean 'adam'"),
        ({"lr": -1}, "lr is -1; give a finite number, 0 or more"),
        ({"lr": "0.1"}, "lr is '0.1'; give a finite number"),
        ({"momentum": float("inf")}, "momentum is inf; give a finite number"),
    ],
    ids=str,
)
def test_constructor_refuses_what_no_fit_could_use(task, options, told):
    with pytest.raises(ValueError, match=told):
        task(**options)


def test_constructor_of_a_regression_refuses_a_loss_that_there_is_not():
    with pytest.raises(ValueError, match="there is no regression loss 'l1'; choose one of mse, mae, huber"):
        RegressionMLP(loss="l1")
