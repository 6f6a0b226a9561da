"""A Perceptron goes from scikit-learn's side to Lightning's and back, and nothing is lost."""

import numpy as np
import pytest
import torch
from sklearn.datasets import load_iris, make_classification
from sklearn.exceptions import NotFittedError

import torchann
from torchann.estimators import Perceptron
from torchann.nets.preprocessing import Pixels, Preprocessing

X, Y = make_classification(100, 6, random_state=1)
NAMES = np.array(["no", "yes"])


def fitted(y=Y, **options):
    return Perceptron(**options).fit(X, y)


def equal(ours, again):
    assert set(vars(ours)) - {"_expanded_class_weight", "_loss_function_"} <= set(vars(again))
    for name in Perceptron.fitted[:-1]:
        np.testing.assert_array_equal(getattr(ours, name), getattr(again, name), strict=True)


@pytest.mark.parametrize("y", [Y, NAMES[Y], Y.astype(bool), 4 * Y - 2, Y.astype(float)], ids=lambda y: str(y.dtype))
def test_estimator_comes_back_from_a_task_as_it_was(y):
    ours = fitted(y, eta0=0.5, tol=None, max_iter=12, n_iter_no_change=3)
    task = ours.to_task()
    again = Perceptron.from_task(task, classes=ours.classes_, max_iter=12)
    equal(ours, again)
    assert again.get_params() == ours.get_params()
    np.testing.assert_array_equal(again.predict(X), ours.predict(X), strict=True)


@pytest.mark.parametrize("y", [Y, NAMES[Y]], ids=["numbers", "text"])
def test_classes_that_are_text_or_0_and_1_need_not_be_told(y):
    ours = fitted(y)
    equal(ours, Perceptron.from_task(ours.to_task()))


def test_task_predicts_the_same_classes_and_has_the_same_numbers():
    ours = fitted(NAMES[Y], eta0=0.5)
    task = ours.to_task()
    assert task.net.weight.tolist() == ours.coef_.tolist() and task.net.bias.tolist() == ours.intercept_.tolist()
    assert NAMES[task.predict(X)].tolist() == ours.predict(X).tolist()
    assert task.hparams["lr"] == 0.5 and task.hparams["class_names"] == ["no", "yes"] and not task.training
    assert len(task.history) == ours.n_iter_ and task.data_info["rows"] == 100


def test_task_of_float32_weights_has_the_same_numbers():
    ours = Perceptron().fit(X.astype(np.float32), Y)
    assert ours.to_task().net.weight.tolist() == ours.coef_.tolist()


def test_task_of_sparse_weights_has_the_same_numbers():
    ours = fitted(penalty="l1", alpha=0.01)
    dense = ours.coef_.tolist()
    assert ours.sparsify().to_task().net.weight.tolist() == dense


def test_task_of_an_estimator_is_saved_and_comes_back(tmp_path):
    ours = fitted(NAMES[Y])
    torchann.save(ours.to_task(), tmp_path / "task.safetensors")
    equal(ours, Perceptron.from_task(torchann.load(tmp_path / "task.safetensors")))


def test_task_that_was_fitted_becomes_the_estimator_that_scikit_learn_would_fit():
    data = torchann.IrisDataModule()
    task, trainer = torchann.Perceptron(), torchann.Trainer(max_epochs=1000, logger=False, quiet=True)
    trainer.fit(task, datamodule=data)
    iris = load_iris()
    theirs = Perceptron(shuffle=False).fit(iris.data[:, 2:], np.where(iris.target == 0, "setosa", "not setosa"))
    ours = Perceptron.from_task(task, shuffle=False)
    equal(theirs, ours)
    assert ours.get_params() == theirs.get_params()
    assert ours.feature_names_in_.tolist() == ["petal length (cm)", "petal width (cm)"]


def test_task_comes_back_from_an_estimator_as_it_was():
    task = torchann.Perceptron(3, lr=0.1, tol=None, n_iter_no_change=9, class_names=["a", "b"])
    task.net.weight.data += torch.tensor([[0.1, -0.2, 0.3]])
    task.feature_names = ["x", "y", "z"]
    again = Perceptron.from_task(task).to_task()
    assert dict(again.hparams) == dict(task.hparams) and again.feature_names == task.feature_names
    assert again.net.weight.tolist() == task.net.weight.tolist()
    assert again.history is task.history is None and again.data_info is task.data_info is None


def test_estimator_of_a_task_goes_on_where_the_task_ended():
    ours = fitted()
    again = Perceptron.from_task(ours.to_task())
    equal(ours.partial_fit(X[:50], Y[:50]), again.partial_fit(X[:50], Y[:50]))


def test_task_of_an_estimator_trains_on():
    task = fitted().to_task()
    before = task.net.weight.clone()
    loader = torch.utils.data.DataLoader(
        torch.utils.data.TensorDataset(torch.from_numpy(X), torch.from_numpy(1 - Y)), batch_size=50
    )
    torchann.Trainer(max_epochs=1, logger=False, quiet=True).fit(task, loader)
    assert not torch.equal(task.net.weight, before)


def test_estimator_that_is_not_fitted_has_no_task():
    with pytest.raises(NotFittedError, match="not fitted yet"):
        Perceptron().to_task()


def test_three_classes_have_no_task():
    with pytest.raises(ValueError, match=r"3 classes .* y == 0, or train a ClassificationMLP"):
        Perceptron().fit(X, Y + (X[:, 0] > 1)).to_task()


def test_other_task_is_refused():
    with pytest.raises(TypeError, match="a ClassificationMLP has no Perceptron's weights"):
        Perceptron.from_task(torchann.ClassificationMLP([3], in_features=6, num_classes=2))


def test_task_without_a_net_is_refused():
    with pytest.raises(ValueError, match="no net yet; fit it"):
        Perceptron.from_task(torchann.Perceptron())


def test_task_that_prepares_its_rows_is_refused():
    task = fitted().to_task()
    task.preprocessing = Preprocessing(Pixels())
    with pytest.raises(ValueError, match=r"prepares its rows \(pixels\)"):
        Perceptron.from_task(task)


@pytest.mark.parametrize("classes", [["yes", "no"], ["no"], ["no", "no"], [["no", "yes"]]], ids=str)
def test_classes_that_are_not_two_in_order_are_refused(classes):
    with pytest.raises(ValueError, match="classes are .* sorted; give two"):
        Perceptron.from_task(fitted().to_task(), classes=classes)


def test_classes_that_the_task_calls_otherwise_are_refused():
    with pytest.raises(ValueError, match=r"classes are \['a', 'b'\] and the task calls them \['no', 'yes'\]"):
        Perceptron.from_task(fitted(NAMES[Y]).to_task(), classes=["a", "b"])


def test_argument_that_there_is_not_is_refused():
    with pytest.raises(TypeError, match="penalti"):
        Perceptron.from_task(fitted().to_task(), penalti="l1")
