"""What a Trainer says: metrics in words, for how long it trains, what it cannot take."""

import numpy as np
import pytest
import torch

import torchann
from tests.tasks.tables import class_table, label_table, regression_table


def trainer(**options):
    return torchann.Trainer(logger=False, **({"max_epochs": 1} | options))


def test_test_prints_metrics_in_their_unit_and_not_in_fifteen_digits(capfd):
    data, model, ours = regression_table(target_names=["price"]), torchann.RegressionMLP([4]), trainer()
    ours.fit(model, datamodule=data)
    capfd.readouterr()
    (found,) = ours.test(model, datamodule=data)
    words = [line.split(maxsplit=2) for line in capfd.readouterr().out.splitlines()]
    unit = "in the unit of price"
    assert words == [
        ["test_loss", f"{found['test_loss']:.4g}"],
        ["test_mae", f"{found['test_mae']:.4g}", unit],
        ["test_rmse", f"{found['test_rmse']:.4g}", unit],
    ]
    ours.validate(model, datamodule=data)
    assert capfd.readouterr().out.startswith("val_loss")


def test_nothing_is_printed_where_nothing_was_asked_for(capfd):
    data, model, ours = regression_table(), torchann.RegressionMLP([4]), trainer(verbose=0)
    ours.fit(model, datamodule=data)
    assert ours.test(model, datamodule=data) and trainer().test(model, datamodule=data, verbose=False)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("options", "says"),
    [({"max_epochs": None}, True), ({}, False), ({"max_epochs": None, "max_steps": 2}, False), ({"verbose": 0}, False)],
    ids=str,
)
def test_trainer_that_was_not_told_for_how_long_says_so(capfd, options, says):
    stop = torchann.EarlyStopping(patience=0, min_delta=9.0)
    trainer(callbacks=stop, **options).fit(torchann.RegressionMLP([4]), datamodule=regression_table())
    line = "training for at most 1,000 epochs; give max_epochs for another number\n"
    assert capfd.readouterr().out.startswith(line) is says


X, Y = np.ones((4, 2)), np.ones(4)


@pytest.mark.parametrize(
    ("given", "got"),
    [
        (((X, Y),), r"\(ndarray, ndarray\)"),
        ((X, Y), "ndarray and ndarray"),
        ((torch.ones(4, 2), torch.ones(4)), "Tensor and Tensor"),
        (((X, Y), (X, Y)), r"\(ndarray, ndarray\)"),
    ],
)
def test_rows_as_they_are_are_refused_with_what_to_give(given, got):
    with pytest.raises(TypeError, match=f"fit got {got} and takes loaders .* datamodule=torchann.TabularDataModule"):
        trainer().fit(torchann.RegressionMLP([4]), *given)


@pytest.mark.parametrize(
    ("make", "argument", "told"),
    [
        (torchann.RegressionMLP, "learning_rate", "did you mean 'lr'"),
        (torchann.ClassificationMLP, "epochs", "give the Trainer max_epochs"),
        (torchann.Perceptron, "batch_size", "give the data module batch_size"),
        (torchann.WideAndDeep, "hiden_sizes", "did you mean 'hidden_sizes'"),
        (torchann.Trainer, "epochs", "did you mean 'max_epochs'"),
        (torchann.Trainer, "learning_rate", "give the model lr"),
        (torchann.Trainer, "max_epoch", "did you mean 'max_epochs'"),
    ],
)
def test_argument_that_there_is_not_is_refused_with_the_one_that_was_meant(make, argument, told):
    with pytest.raises(TypeError, match=f"{make.__name__} has no argument '{argument}'; {told}"):
        make(**{argument: 5})


def test_classifier_predicts_names_where_they_are_asked_for():
    for task in (torchann.ClassificationMLP([4]), torchann.Perceptron()):
        data = class_table(num_classes=2, class_names=["no", "yes"])
        trainer(max_epochs=3, quiet=True).fit(task, datamodule=data)
        numbers = task.predict(data.x)
        assert task.class_names == ["no", "yes"]
        assert task.predict(data.x, names=True).tolist() == [["no", "yes"][int(number)] for number in numbers]
    labels = torchann.ClassificationMLP([], 3, 3, task="multilabel", class_names=["a", "b", "c"])
    rows = labels.predict(label_table().x)
    named = [[name for name, there in zip("abc", row, strict=True) if there] for row in rows.tolist()]
    assert labels.predict(label_table().x, names=True) == named


def test_names_that_there_are_not_are_told():
    model = torchann.ClassificationMLP([], 3, 3)
    with pytest.raises(ValueError, match=r"no names of classes; give ClassificationMLP\(class_names="):
        model.predict(torch.ones(2, 3), names=True)
    assert model.class_names is None
