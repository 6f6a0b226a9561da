import json

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, log_loss
from sklearn.utils.class_weight import compute_class_weight

import torchann
from tests.tasks.tables import Table, class_table, fit, label_table, regression_table, weights
from torchann import ClassificationMLP
from torchann.tasks.classification import balanced_class_weight

TABLES = {
    "binary": lambda **options: class_table(num_classes=2, **options),
    "multiclass": lambda **options: class_table(num_classes=4, **options),
    "multilabel": label_table,
}


def model_of(task: str | None = None, **options) -> ClassificationMLP:
    torch.manual_seed(0)
    return ClassificationMLP(**{"hidden_sizes": [8], "task": task, "optimizer": "adam", "lr": 0.03} | options)


@pytest.mark.parametrize("task", TABLES)
def test_separable_classes_are_learnt(task):
    data, model = TABLES[task](), model_of(task)
    untrained = fit(model_of(task, lr=0.0), data, max_epochs=1).callback_metrics["val_loss"]
    figures = fit(model, data, max_epochs=20).callback_metrics
    assert figures["val_loss"] < 0.3 * untrained
    assert figures["val_accuracy"] > 0.98
    assert (model.predict(data.x) == data.y).float().mean() > 0.98


@pytest.mark.parametrize("batch_size", [1, 32])  # 70 batches, more than wait for one update; and a ragged last one
@pytest.mark.parametrize("task", TABLES)
def test_figures_are_sklearns_over_all_rows(task, batch_size):
    data = TABLES[task](batch_size=batch_size)
    data.y = data.y[torch.randperm(70, generator=torch.Generator().manual_seed(1))]  # mistakes to count
    model = model_of(task, lr=0.0)  # the weights stay, so that training figures are those of one model
    trainer = fit(model, data, max_epochs=1)
    figures = dict(trainer.callback_metrics) | trainer.test(model, datamodule=data, verbose=False)[0]
    classes, proba, y = model.predict(data.x), model.predict_proba(data.x).double(), data.y
    if task == "multilabel":  # each label is a question of its own
        classes, y = classes.flatten(), y.flatten()
        proba = torch.stack([1 - proba.flatten(), proba.flatten()], 1)
    accuracy = accuracy_score(y, classes)
    assert 0 < accuracy < 1
    for stage in ("train", "val", "test"):
        assert float(figures[f"{stage}_accuracy"]) == pytest.approx(accuracy)
        assert float(figures[f"{stage}_loss"]) == pytest.approx(log_loss(y, proba / proba.sum(1, True)), rel=1e-4)


def test_accuracy_is_of_rows_not_of_classes():
    # 9 rows of class 0 and 1 of class 1, all taken for class 0: 0.9, where the mean over the classes is 0.5.
    model = model_of("multiclass", hidden_sizes=[], weight_init="zeros", lr=0.0)
    data = Table(torch.zeros(10, 2), torch.tensor([0] * 9 + [1]), num_classes=3)
    assert fit(model, data, max_epochs=1).callback_metrics["val_accuracy"].item() == pytest.approx(0.9)


@pytest.mark.parametrize(("num_classes", "task", "units"), [(2, "binary", 1), (3, "multiclass", 3)])
def test_task_follows_from_the_number_of_classes(num_classes, task, units):
    model = ClassificationMLP([], in_features=4, num_classes=num_classes)
    assert model.hparams.task == task
    assert model(torch.zeros(5, 4)).shape == (5, units)


def test_two_classes_may_have_two_units():
    assert ClassificationMLP([], in_features=4, num_classes=2, task="multiclass")(torch.zeros(5, 4)).shape == (5, 2)


@pytest.mark.parametrize("task", TABLES)
def test_probabilities_and_classes_agree(task):
    data = TABLES[task]()
    model = model_of(task, in_features=data.in_features, num_classes=data.num_classes)
    proba, classes = model.predict_proba(data.x), model.predict(data.x)
    assert proba.shape == (70, data.num_classes)
    assert classes.dtype == torch.int64
    if task == "multilabel":
        assert torch.equal(classes, (proba > 0.5).long())
    else:
        torch.testing.assert_close(proba.sum(1), torch.ones(70))
        assert torch.equal(classes, proba.argmax(1))


@pytest.mark.parametrize("task", TABLES)
def test_untrained_ties_count_in_the_accuracy_as_they_are_predicted(task):
    # Zero weights: every probability is the same, and the predicted class is 0.
    data = TABLES[task]()
    model = model_of(task, hidden_sizes=[], weight_init="zeros", lr=0.0)
    accuracy = fit(model, data, max_epochs=1).callback_metrics["val_accuracy"].item()
    assert not model.predict(data.x).any()
    assert accuracy == pytest.approx((data.y == 0).float().mean().item())


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int32, torch.float32])
def test_targets_may_be_of_any_number_type(dtype):
    tables = [class_table(), class_table()]
    tables[1].y = tables[1].y.to(dtype)
    models = []
    for data in tables:
        torch.manual_seed(0)
        models.append(model_of())
        torch.manual_seed(0)
        fit(models[-1], data)
    assert torch.equal(weights(models[0]), weights(models[1]))


@pytest.mark.parametrize("task", TABLES)
def test_sizes_and_names_come_from_the_data_and_are_saved_with_the_model(tmp_path, task):
    data = TABLES[task]()
    data.class_names = ["a", "b", "c", "d"][: data.num_classes]
    model = model_of(task)
    fit(model, data).save_checkpoint(tmp_path / "model.ckpt")
    loaded = ClassificationMLP.load_from_checkpoint(tmp_path / "model.ckpt", weights_only=True)
    told = (loaded.hparams.in_features, loaded.hparams.num_classes, loaded.hparams.class_names, loaded.hparams.task)
    assert told == (data.in_features, data.num_classes, data.class_names, task)
    assert json.loads(json.dumps(dict(loaded.hparams))) == dict(model.hparams)
    assert torch.equal(loaded.predict_proba(data.x), model.predict_proba(data.x))


def test_names_come_from_the_data_also_where_the_sizes_are_given():
    data, model = class_table(class_names=["a", "b", "c"]), model_of(in_features=3, num_classes=3)
    fit(model, data, max_epochs=1)
    assert model.hparams.class_names == ["a", "b", "c"]


def test_class_names_of_another_number_are_refused():
    with pytest.raises(ValueError, match="class_names are 2, num_classes is 3; name every class"):
        ClassificationMLP(in_features=2, num_classes=3, class_names=["a", "b"])


def test_targets_of_another_shape_are_refused():
    with pytest.raises(ValueError, match=r"targets \(32, 1\) do not fit logits \(32,\); give \(32,\)"):
        fit(model_of("binary"), regression_table_as_classes())


def regression_table_as_classes() -> Table:
    data = regression_table(num_classes=2)
    data.y = (data.y > 0).long().unsqueeze(1)
    return data


@pytest.mark.parametrize("options", [{}, {"gradient_clip_val": 1e9}], ids=["explicit", "autograd"])
def test_class_weight_counts_rows_as_often_as_it_says(options):
    # a class with weight 2 trains like a table in which its rows come twice, if a step takes all rows: the sums of
    # the gradients are the same, and the means differ by the number of rows
    once = class_table(num_rows=6, num_classes=2, batch_size=100)
    y = torch.cat([once.y, once.y[once.y == 1]])
    twice = Table(torch.cat([once.x, once.x[once.y == 1]]), y, batch_size=100, num_classes=2)
    ends = []
    for data, class_weight, lr in ((once, [1.0, 2.0], 0.1), (twice, None, 0.1 * 9 / 6)):
        torch.manual_seed(0)
        model = ClassificationMLP([4], class_weight=class_weight, lr=lr)
        fit(model, data, max_epochs=5, **options)
        ends.append(weights(model))
    torch.testing.assert_close(*ends)


def test_balanced_class_weight_is_that_of_scikit_learn():
    y = torch.tensor([0, 0, 0, 1, 2, 2])
    expected = compute_class_weight("balanced", classes=np.arange(3), y=y.numpy())
    assert balanced_class_weight(y, 3) == pytest.approx(expected.tolist())
    assert balanced_class_weight(y, 4)[3] == 0


def test_balanced_weights_are_counted_in_the_training_rows():
    table = class_table(num_rows=7, num_classes=3)  # 3, 2 and 2 rows
    named, listed = (ClassificationMLP([4], class_weight=given) for given in ("balanced", [7 / 9, 7 / 6, 7 / 6]))
    for model in (named, listed):
        torch.manual_seed(0)
        fit(model, table)
    torch.testing.assert_close(weights(named), weights(listed))


def test_validation_loss_is_not_weighted():
    table = class_table()
    model = ClassificationMLP([4], class_weight=[5.0, 5.0, 5.0], lr=1e-9)
    figures = fit(model, table, max_epochs=1).callback_metrics
    assert figures["train_loss"].item() == pytest.approx(5 * figures["val_loss"].item(), rel=1e-4)


@pytest.mark.parametrize("given", [{1: 2.0, 2: 3.0}, {"b": 2.0, "c": 3}, {"1": 2, "2": 3.0}], ids=str)
def test_class_weight_may_be_a_mapping_by_index_or_by_name(given, tmp_path):
    losses = []
    for class_weight in (given, [1.0, 2.0, 3.0], None):
        torch.manual_seed(0)
        model = ClassificationMLP([4], 3, 3, class_weight=class_weight, class_names=["a", "b", "c"])
        torchann.save(model, tmp_path / "net.safetensors")
        model = torchann.load(tmp_path / "net.safetensors")  # in which keys are text
        losses.append(fit(model, class_table(), max_epochs=1).callback_metrics["train_loss"].item())
    assert losses[0] == losses[1] != losses[2]


def test_class_weight_of_a_name_that_there_is_not_is_told():
    model = ClassificationMLP([4], 3, 3, class_weight={"sotted": 2.0}, class_names=["spotted", "b", "c"])
    with pytest.raises(ValueError, match="'sotted', which is no class; did you mean 'spotted'"):
        fit(model, class_table())


@pytest.mark.parametrize(
    ("make", "class_weight", "message"),
    [
        (class_table, [1.0, 2.0], "class_weight has 2 numbers for 3 classes"),
        (class_table, {3: 2.0}, "class_weight has a number for '3', which is no class; the classes are 0, 1, 2"),
        (class_table, {0: 0, 1: 0, 2: 0}, r"class_weight is \[0.0, 0.0, 0.0\]; .* and not 0 for each class"),
        (label_table, [1.0, 2.0, 3.0], r"class_weight=\[1.0, 2.0, 3.0\] in a multilabel task"),
    ],
)
def test_wrong_class_weights_are_refused(make, class_weight, message):
    model = ClassificationMLP([4], class_weight=class_weight, task="multilabel" if make is label_table else None)
    with pytest.raises(ValueError, match=message):
        fit(model, make())


def test_balanced_weights_need_a_table_to_count():
    table = class_table()
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(table.x, table.y), batch_size=8)
    model = ClassificationMLP([4], in_features=3, num_classes=3, class_weight="balanced")
    with pytest.raises(ValueError, match="class_weight='balanced' counts the targets of a TensorLoader"):
        torchann.Trainer(logger=False, quiet=True, max_epochs=1).fit(model, loader)
