import numpy as np
import pytest
import torch
from sklearn.datasets import load_iris
from sklearn.linear_model import Perceptron

from torchann.data import IrisDataModule


def all_rows(loader):
    batches = list(loader)
    return torch.cat([x for x, _ in batches]), torch.cat([y for _, y in batches])


def iris(**arguments):
    module = IrisDataModule(**arguments)
    module.setup()
    return module


def test_iris_says_what_it_is_before_it_is_read():
    module = IrisDataModule()
    assert (module.name, module.in_features, module.num_classes) == ("iris", 2, 2)
    assert module.feature_names == load_iris().feature_names[2:]
    assert module.class_names == ["not setosa", "setosa"]


def test_iris_species_have_the_names_of_scikit_learn():
    module = IrisDataModule(target="species")
    assert module.num_classes == 3
    assert module.class_names == load_iris().target_names.tolist()


@pytest.mark.parametrize("loader", ["train_dataloader", "val_dataloader", "test_dataloader", "predict_dataloader"])
def test_iris_serves_the_150_rows_of_scikit_learn(loader):
    x, y = all_rows(getattr(iris(), loader)())
    assert x.dtype == torch.float64 and y.dtype == torch.int64
    np.testing.assert_array_equal(x, load_iris().data[:, (2, 3)])  # the book: X = iris.data[:, (2, 3)]
    np.testing.assert_array_equal(y, load_iris().target == 0)  # the book: y = (iris.target == 0)


def test_iris_species_are_the_target_of_scikit_learn():
    np.testing.assert_array_equal(iris(target="species").splits.train.y, load_iris().target)


def test_iris_shuffled_serves_every_row_once_in_an_order_that_the_seed_decides():
    x, _ = all_rows(iris(order="shuffled", seed=1).train_dataloader())
    again, _ = all_rows(iris(order="shuffled", seed=1).train_dataloader())
    other, _ = all_rows(iris(order="shuffled", seed=2).train_dataloader())
    assert torch.equal(x, again) and not torch.equal(x, other)
    np.testing.assert_array_equal(np.sort(x, axis=0), np.sort(load_iris().data[:, 2:], axis=0))


def test_iris_shuffled_still_validates_in_stored_order():
    _, y = all_rows(iris(order="shuffled").val_dataloader())
    assert torch.equal(y, iris().splits.val.y)


@pytest.mark.parametrize("seed", [0, 42])
def test_iris_in_the_order_of_scikit_learn_teaches_the_perceptron_the_same_weights(seed):
    w, b = np.zeros(2), 0.0
    loader = iris(order="scikit-learn", seed=seed).train_dataloader()
    model = Perceptron(random_state=seed).fit(load_iris().data[:, 2:], load_iris().target == 0)
    for epoch in range(model.n_iter_):
        loader.set_epoch(epoch)
        for x, y in zip(*map(np.asarray, all_rows(loader)), strict=True):
            sign = 2 * y - 1
            if sign * (x @ w + b) <= 0:  # the Perceptron rule with a learning rate of 1
                w, b = w + sign * x, b + sign
    np.testing.assert_allclose(w, model.coef_[0], atol=1e-12)
    assert b == model.intercept_[0]


def test_iris_refuses_an_unknown_target_and_suggests_the_nearest():
    with pytest.raises(
        ValueError, match="target is 'specie'; give one of 'setosa', 'species'; did you mean 'species'?"
    ):
        IrisDataModule(target="specie")


def test_iris_refuses_an_unknown_order_without_a_far_fetched_suggestion():
    with pytest.raises(ValueError, match="order is 'x'; give one of 'stored', 'shuffled', 'scikit-learn'$"):
        IrisDataModule(order="x")
