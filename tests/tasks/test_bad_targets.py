"""Targets that are no classes, or none that could be told apart, at each door."""

import pytest
import torch

from tests.tasks.doors import (
    CLASSES,
    CLASSIFIERS,
    INF,
    LABELS,
    LOADERS,
    NAN,
    TASKS,
    TWO,
    X,
    batch_by_batch,
    data_loader,
    fit,
    tensor_loader,
    weights,
    with_value,
)
from torchann import ClassificationMLP

WRONG = {
    "plus and minus one": (lambda y: 2 * (y > 0) - 1, "there is a target -1; give whole numbers from 0 to"),
    "between classes": (lambda y: with_value(y, 0.5, 3), "there is a target 0.5; give whole numbers from 0 to"),
    "a class too high": (lambda y: with_value(y, 3, 3), "there is a target 3; give whole numbers from 0 to"),
    "ignored by torch": (lambda y: with_value(y, -100, 3), "there is a target -100; give whole numbers from 0 to"),
}


@pytest.mark.parametrize("loader", LOADERS)
@pytest.mark.parametrize("case", WRONG)
@pytest.mark.parametrize("name", CLASSIFIERS)
def test_targets_that_are_no_classes_are_refused_in_training_and_validation(name, case, loader):
    (make, y), (change, told) = TASKS[name], WRONG[case]
    with pytest.raises(ValueError, match=f"training targets: .*{told}"):
        fit(make(), (X, change(y)), loader=loader)
    with pytest.raises(ValueError, match=f"validation targets: .*{told}"):
        fit(make(), (X, y), (X, change(y)), loader)


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_words_for_classes_are_refused(name):
    make, _ = TASKS[name]
    words = ["cat" if k % 2 else "dog" for k in range(70)]
    with pytest.raises(
        TypeError, match="training targets are a (tuple|list) of str; give a tensor, with classes numbered"
    ):
        fit(make(), (X, words), loader=batch_by_batch)


@pytest.mark.parametrize("name", ["binary", "multiclass", "perceptron", "own classifier"])
def test_one_hot_targets_are_refused(name):
    make, _ = TASKS[name]
    with pytest.raises(ValueError, match=r"targets \(\d+, 3\) (do not fit logits|have more than one)"):
        fit(make(), (X, torch.eye(3)[CLASSES]))


@pytest.mark.parametrize("name", ["regression", "wide and deep", "own net", "own classifier"])
def test_column_of_targets_is_that_of_a_vector(name):
    make, y = TASKS[name]
    ends = []
    for shaped in (y, y.unsqueeze(1)):
        torch.manual_seed(0)
        task = make()
        fit(task, (X, shaped), (X, y))
        ends.append(weights(task))
    assert torch.equal(*ends)


@pytest.mark.parametrize("name", ["binary", "multiclass", "perceptron"])
def test_column_of_classes_is_refused_with_the_way_out(name):
    make, y = TASKS[name]
    with pytest.raises(ValueError, match=r"targets \(\d+, 1\) .*; give \(.*,\): y.squeeze\(1\)"):
        fit(make(), (X, y.unsqueeze(1)))


@pytest.mark.parametrize("loader", [tensor_loader, data_loader])
@pytest.mark.parametrize("name", CLASSIFIERS)
def test_one_class_is_nothing_to_tell_apart(name, loader):
    make, y = TASKS[name]
    with pytest.raises(
        ValueError, match="are all of class 1 and a classifier needs two or more; give rows of every class"
    ):
        fit(make(), (X, torch.ones_like(y)), (X, y), loader)


def test_one_class_in_the_validation_rows_or_in_the_first_batch_is_no_fault():
    sorted_rows = X, CLASSES.sort().values
    fit(ClassificationMLP([4], 3, 3), sorted_rows, (X, torch.ones_like(CLASSES)))
    fit(ClassificationMLP([4], 3, 3), sorted_rows, loader=batch_by_batch)
    fit(ClassificationMLP([4], 3, 9), (X, CLASSES))  # classes that are not there


def test_one_label_that_never_changes_is_no_fault():
    fit(ClassificationMLP([4], 3, 3, "multilabel"), (X, torch.zeros_like(LABELS)))


@pytest.mark.parametrize("loader", [tensor_loader, data_loader])
@pytest.mark.parametrize("name", ["multiclass", "own classifier"])
def test_class_that_only_the_validation_rows_have_is_told(name, loader):
    make, _ = TASKS[name]
    with pytest.warns(
        UserWarning, match="validation targets.* have the class 2, which no training row has; shuffle the rows"
    ):
        fit(make(), (X, TWO), (X, CLASSES), loader)


@pytest.mark.parametrize("class_weight", [[1.0, NAN], [1.0, -1.0], [INF, 1.0]])
def test_class_weight_that_is_no_weight_is_refused(class_weight):
    with pytest.raises(ValueError, match=r"class_weight is \[.*\]; give finite numbers, 0 or more"):
        fit(ClassificationMLP([4], 3, 2, class_weight=class_weight), (X, TWO))
