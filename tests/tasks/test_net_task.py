"""A net of one's own: named inputs and outputs, each output with its task, loss, weight and figures."""

import pytest
import torch
from torch import nn

import torchann
from tests.tasks.tables import fit, regression_table
from torchann.chapter.two_inputs import Dynamic, TwoInputs
from torchann.engine.rows.loader import TensorLoader
from torchann.tasks.net_task import NetTask
from torchann.tasks.outputs import Output, make_outputs

BOTH = {"main": Output(weight=0.9), "aux": Output(weight=0.1)}
COLUMNS = {"wide": [0, 1], "deep": [1, 2]}


class Returns(nn.Module):
    """A linear net whose outputs come as they are told to."""

    def __init__(self, form):
        super().__init__()
        self.layer, self.form = nn.Linear(3, 2), form

    def forward(self, x):
        first, second = self.layer(x).split(1, 1)
        return {"dict": {"b": second, "a": first}, "tuple": (first, second), "one": first}[self.form]


def test_tuple_and_dictionary_of_outputs_are_taken_by_position_and_by_name():
    outputs = {"a": Output(), "b": Output(weight=2.0)}
    torch.manual_seed(0)
    by_name = NetTask(Returns("dict"), outputs)
    by_position = NetTask(Returns("tuple"), outputs)
    by_position.load_state_dict(by_name.state_dict())
    x = torch.randn(4, 3)
    assert all(torch.equal(by_name(x)[name], by_position(x)[name]) for name in "ab")
    assert list(by_name(x)) == ["a", "b"]


def test_outputs_that_were_not_named_are_refused():
    with pytest.raises(ValueError, match=r"Returns gives the outputs 2 of them and NetTask has \['a'\]"):
        NetTask(Returns("tuple"), {"a": Output()})(torch.zeros(1, 3))
    with pytest.raises(ValueError, match=r"gives the outputs \['a', 'b'\] and NetTask has \['a', 'c'\]"):
        NetTask(Returns("dict"), {"a": Output(), "c": Output()})(torch.zeros(1, 3))


def test_one_output_is_logged_without_its_name():
    task = NetTask(Returns("one"), {"price": Output()})
    trainer = fit(task, regression_table())
    assert {"val_loss", "val_rmse", "val_mae"} <= set(trainer.callback_metrics)


def test_columns_reach_the_arguments_that_they_are_named_for():
    net = TwoInputs(2, 2, neurons=4)
    task = NetTask(net, BOTH, inputs=COLUMNS)
    x = torch.randn(5, 3)
    main, aux = net(wide=x[:, :2], deep=x[:, 1:])
    assert torch.equal(task(x)["main"], main) and torch.equal(task(x)["aux"], aux)


def test_inputs_and_targets_by_name_train_like_columns_of_one_tensor():
    data = regression_table()
    x = {"wide": data.x[:, :2], "deep": data.x[:, 1:]}
    y = {"main": data.y, "aux": data.y}
    trained = []
    for named in (True, False):
        torch.manual_seed(0)
        task = NetTask(TwoInputs(2, 2, neurons=4), BOTH, inputs=None if named else COLUMNS, lr=0.01)
        loader = TensorLoader(x, y, 16, shuffle=True) if named else TensorLoader(data.x, data.y, 16, shuffle=True)
        trainer = torchann.Trainer(logger=False, quiet=True, max_epochs=3)
        trainer.fit(task, loader)
        trained.append(torch.nn.utils.parameters_to_vector(task.parameters()))
        assert trainer.global_step == 3 * 5  # 70 rows in batches of 16
    assert torch.equal(*trained)


@pytest.mark.parametrize("knobs", [{}, {"optimizer": "adam"}, {"lr_schedule": "one_cycle"}], ids=str)
def test_blocks_by_autograd_train_as_lightning_step_by_step(tmp_path, knobs):
    ends = []
    for options in ({}, {"gradient_clip_val": 1e9}):  # clips nothing, and leaves the steps to Lightning
        torch.manual_seed(0)
        columns = {"wide": [0, 1, 2, 3, 4], "deep": [2, 3, 4, 5, 6, 7]}
        task = NetTask(TwoInputs(neurons=6), BOTH, inputs=columns, **{"lr": 1e-3, **knobs})
        trainer = torchann.Trainer(runs=str(tmp_path), max_epochs=2, quiet=True, precision="64-true", **options)
        trainer.fit(task, datamodule=torchann.CaliforniaHousingDataModule(batch_size=128))
        assert task.automatic_optimization is bool(options)
        assert trainer.global_step == 2 * 91  # 11,610 rows in batches of 128
        ends.append((trainer.history, torch.nn.utils.parameters_to_vector(task.parameters())))
    for row, its_row in zip(ends[0][0], ends[1][0], strict=True):
        assert {**row, "seconds": 0} == pytest.approx({**its_row, "seconds": 0}, rel=1e-6)
    torch.testing.assert_close(ends[0][1], ends[1][1], rtol=1e-9, atol=1e-12)


def test_each_output_has_its_task():
    # the third feature's sign as a class, two of the features as values
    x = torch.randn(200, 3, generator=torch.Generator().manual_seed(0))
    y = {"value": x[:, :2], "kind": (x[:, 2] > 0).long()}

    class Both(nn.Module):
        def __init__(self):
            super().__init__()
            self.value, self.kind = nn.Linear(3, 2), nn.Linear(3, 1)

        def forward(self, x):
            return self.value(x), self.kind(x)

    task = NetTask(Both(), {"value": Output(size=2), "kind": Output("binary")}, lr=0.1)
    loaders = TensorLoader(x, y, 20, shuffle=True), TensorLoader(x, y, 100)
    trainer = torchann.Trainer(logger=False, quiet=True, max_epochs=20)
    trainer.fit(task, *loaders)
    figures = trainer.callback_metrics
    assert figures["val_kind_accuracy"] > 0.95 and figures["val_value_rmse"] < 0.05
    found = task.predict(x[:7])
    assert found["value_value"].shape == (7, 2) and found["kind_proba"].shape == (7, 2)
    assert torch.equal(found["kind_class"], found["kind_proba"].argmax(1))


def test_dynamic_net_that_never_changes_trains_like_the_plain_one():
    data, ends = regression_table(), []
    for net in (TwoInputs, Dynamic):
        torch.manual_seed(0)
        task = NetTask(net(wide_features=2, deep_features=2, neurons=4), BOTH, inputs=COLUMNS, lr=0.01)
        fit(task, data)
        ends.append(torch.nn.utils.parameters_to_vector(task.parameters()))
    assert torch.equal(*ends)


def test_dynamic_net_changes_while_it_trains_and_not_afterwards():
    net = Dynamic(repeats=[0, 3], wide_features=2, deep_features=2, neurons=4)
    x = torch.randn(6, 2)
    torch.manual_seed(0)
    assert len({net(x, x)[0].sum().item() for _ in range(20)}) == 2  # the two depths
    net.eval()
    assert len({net(x, x)[0].sum().item() for _ in range(20)}) == 1
    net.train()
    task = NetTask(net, BOTH, inputs=COLUMNS, lr=0.01)
    assert fit(task, regression_table()).global_step > 0


def test_checkpoint_needs_the_net_and_keeps_the_rest(tmp_path):
    task = NetTask(TwoInputs(2, 2, 4), BOTH, inputs=COLUMNS)
    trainer = fit(task, regression_table())
    trainer.save_checkpoint(tmp_path / "net.ckpt")
    again = NetTask.load_from_checkpoint(tmp_path / "net.ckpt", net=TwoInputs(2, 2, 4), weights_only=True)
    x = regression_table().x
    assert torch.equal(again.predict(x)["main_value"], task.predict(x)["main_value"])
    assert again.outputs == BOTH and again.hparams["inputs"] == COLUMNS


@pytest.mark.parametrize(
    ("outputs", "message"),
    [
        ({}, "outputs is empty; name the net's outputs"),
        ({"main": {"wieght": 1.0}}, "output 'main' has no 'wieght'; it takes task, size, loss, weight, columns"),
        ({"main": {"task": "regresion"}}, "there is no task 'regresion'; choose one of regression, binary"),
    ],
)
def test_wrong_outputs_are_refused(outputs, message):
    with pytest.raises(ValueError, match=message):
        NetTask(TwoInputs(), outputs)


def test_outputs_of_plain_values_are_those_of_the_class():
    assert make_outputs({"main": {"weight": 0.9, "columns": [1]}}) == {"main": Output(weight=0.9, columns=[1])}


def test_targets_take_the_columns_of_their_output():
    task = NetTask(Returns("tuple"), {"a": Output(columns=[0]), "b": Output(columns=[1])})
    y = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    assert task.prepare_target(y)["b"].tolist() == [[2.0], [4.0]]


def test_targets_without_a_name_that_is_wanted_are_refused():
    with pytest.raises(ValueError, match=r"targets are named \['a'\] and outputs \['a', 'b'\]"):
        NetTask(Returns("tuple"), {"a": Output(), "b": Output()}).prepare_target({"a": torch.zeros(2)})


def test_columns_of_inputs_that_come_by_name_are_refused():
    task = NetTask(TwoInputs(2, 2, 4), BOTH, inputs=COLUMNS)
    with pytest.raises(ValueError, match=r"inputs names columns of one tensor and the batch has \['deep', 'wide'\]"):
        task({"wide": torch.zeros(2, 2), "deep": torch.zeros(2, 2)})
