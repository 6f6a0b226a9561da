"""A Perceptron in the safe file: all of it comes back, and nothing else is let in."""

import json

import numpy as np
import pytest
import sklearn.linear_model
import torch
from sklearn.datasets import load_iris

import torchann
from tests.hostile import written
from torchann.estimators import Perceptron
from torchann.estimators.estimator_file import SafeFile
from torchann.files.safetensors_file import NO_DIGEST, ModelFileError

X, Y = load_iris(return_X_y=True)
NAMES = np.array(["setosa", "versicolor", "virginica"])
GOOD = {
    "sha256": NO_DIGEST,
    "format_version": 1,
    "torchann": "0.1.0",
    "class": "estimators.Perceptron",
    "hyperparameters": {"penalty": "l1", "class_weight": {"dict": [[0, 2.0]]}},
    "fitted": {
        "coef_": {"tensor": "coef_"},
        "intercept_": {"tensor": "intercept_"},
        "classes_": {"array": "int64", "shape": [2], "values": [0, 1]},
        "n_iter_": 7,
        "t_": 701.0,
        "n_features_in_": 2,
    },
}
TENSORS = {
    "coef_": torch.tensor([[1.0, -1.0]], dtype=torch.float64),
    "intercept_": torch.tensor([0.5], dtype=torch.float64),
}


def read(path, tensors=None, fitted=None, **fields):
    """The estimator of the good file with other fields, attributes or tensors (None leaves one out)."""
    attributes = {key: value for key, value in (GOOD["fitted"] | (fitted or {})).items() if value is not None}
    parts = {key: part for key, part in (TENSORS | (tensors or {})).items() if part is not None}
    path.write_bytes(written(json.dumps(GOOD | {"fitted": attributes} | fields), parts))
    return Perceptron.load(path)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "unit.safetensors"


def same(ours, again):
    for name in Perceptron.fitted:
        assert hasattr(ours, name) == hasattr(again, name)
        if hasattr(ours, name):
            np.testing.assert_array_equal(getattr(ours, name), getattr(again, name), strict=True)
            assert type(getattr(ours, name)) is type(getattr(again, name))
    assert repr(ours.get_params()) == repr(again.get_params())


@pytest.mark.parametrize(
    "y", [Y, NAMES[Y], NAMES[Y].astype(object), Y == 0, Y * 2.0, Y.astype(np.int8)], ids=lambda y: str(y.dtype)
)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_estimator_comes_back_from_a_file(path, y, dtype):
    ours = Perceptron(penalty="l2", random_state=3).fit(X.astype(dtype), y)
    ours.save(path)
    again = Perceptron.load(path)
    same(ours, again)
    np.testing.assert_array_equal(again.predict(X), ours.predict(X), strict=True)
    more = X[::9].astype(dtype), y[::9]
    same(ours.partial_fit(*more), again.partial_fit(*more))


def test_public_save_and_load_take_an_estimator(path):
    torchann.save(Perceptron().fit(X, Y), path)
    same(Perceptron().fit(X, Y), torchann.load(path))


@pytest.mark.parametrize(
    "options",
    [
        {"class_weight": {0: 1, 1: np.float64(2.5), np.int64(2): 3}},
        {"class_weight": {"setosa": 2.0}},
        {"alpha": np.float32(0.1), "max_iter": np.int64(5), "tol": None},
        {"tol": float("inf")},
    ],
    ids=str,
)
def test_arguments_come_back_from_a_file_with_their_types(path, options):
    Perceptron(**options).save(path)
    same(Perceptron(**options), Perceptron.load(path))


def test_random_state_comes_back_from_a_file_where_it_was(path):
    Perceptron(random_state=np.random.RandomState(5)).save(path)
    drawn = Perceptron.load(path).random_state.normal(size=9)
    np.testing.assert_array_equal(drawn, np.random.RandomState(5).normal(size=9))


def test_names_of_columns_come_back_from_a_file(path):
    ours = Perceptron().fit(X, Y)
    ours.feature_names_in_ = np.array(list("abcd"), dtype=object)
    ours.save(path)
    same(ours, Perceptron.load(path))


def test_same_estimator_makes_the_same_bytes(path):
    torchann.save(Perceptron().fit(X, Y), path)
    first = path.read_bytes()
    torchann.save(Perceptron().fit(X, Y), path)
    assert path.read_bytes() == first


def test_good_file_is_read(path):
    model = read(path)
    assert model.predict([[2.0, 1.0], [0.0, 1.0]]).tolist() == [1, 0]  # 2 - 1 + 0.5 > 0 and -1 + 0.5 < 0
    assert model.get_params()["class_weight"] == {0: 2.0} and model.penalty == "l1"


class Mine(Perceptron):
    pass


def test_class_of_ones_own_cannot_be_saved(path):
    with pytest.raises(ModelFileError, match=r"a .*Mine cannot be saved, as its code .* Perceptron"):
        Mine().save(path)
    assert not path.exists()


def test_scikit_learns_class_cannot_be_saved(path):
    with pytest.raises(ModelFileError, match=r"sklearn.* cannot be saved"):
        torchann.save(sklearn.linear_model.Perceptron(), path)


def test_sparse_weights_cannot_be_saved(path):
    with pytest.raises(ModelFileError, match=r"(?s)coef_ has .*; call densify\(\) first"):
        Perceptron(penalty="l1").fit(X, Y).sparsify().save(path)


def test_argument_that_is_no_plain_value_cannot_be_saved(path):
    with pytest.raises(ModelFileError, match="penalty has .*, a type; give None, numbers, text"):
        Perceptron(penalty=int).save(path)


class Other(SafeFile):
    pass


def test_file_of_another_class_is_refused(path):
    read(path)
    with pytest.raises(ModelFileError, match=r"holds a Perceptron and no Other; call Perceptron.load"):
        Other.load(path)


def test_file_of_a_task_is_refused(path):
    torchann.save(torchann.Perceptron(2), path)
    with pytest.raises(ModelFileError, match=r"'Perceptron' in it, and no estimator; call torchann.load"):
        Perceptron.load(path)


def test_estimator_takes_no_net(path):
    read(path)
    with pytest.raises(ModelFileError, match="needs no net"):
        torchann.load(path, net=torch.nn.Linear(1, 1))


def test_damaged_file_is_refused(path):
    read(path)
    path.write_bytes(path.read_bytes()[:-1] + b"\x07")
    with pytest.raises(ModelFileError, match="is damaged"):
        Perceptron.load(path)


def array(**parts):
    return {"classes_": {"array": "int64", "shape": [2], "values": [0, 1]} | parts}


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"class": "estimators.os"}, r"'estimators.os' in it, and no estimator"),
        ({"class": ["estimators."]}, r"\['estimators.'\] in it"),
        ({"more": 1}, "the fields are"),
        ({"hyperparameters": []}, "the fields are"),
        ({"hyperparameters": {"penalti": "l1"}}, "penalti"),
        ({"hyperparameters": {"alpha": {"tensor": "x"}}}, "alpha should be the tensor 'x', and there is none"),
        ({"hyperparameters": {"alpha": {"code": "x"}}}, "alpha is .*, which is no value that is known"),
        ({"hyperparameters": {"alpha": {}}}, "alpha is {}, which"),
        ({"hyperparameters": {"alpha": {"float": "one"}}}, "could not convert"),
        ({"hyperparameters": {"alpha": {"dict": [1]}}}, "TypeError"),
        ({"hyperparameters": {"alpha": {"tuple": 3}}}, "TypeError"),
        ({"hyperparameters": {"alpha": [[[[[[[[[[]]]]]]]]]]}}, "more than 8 deep"),
        ({"hyperparameters": {"random_state": {"RandomState": {"tuple": [1, 2, 3]}}}}, "it makes no"),
        ({"fitted": {"__class__": 1}}, r"no attribute \['__class__'\]"),
        ({"fitted": {"predict": 1}}, r"no attribute \['predict'\]"),
        ({"fitted": {"coef_": None}, "tensors": {"coef_": None}}, "no attribute 'coef_'"),
        ({"fitted": {"n_features_in_": 3}}, r"coef_ has the shape \(1, 2\) and should have \(1, 3\)"),
        ({"tensors": {"intercept_": torch.zeros(2).double()}}, r"intercept_ has the shape \(2,\)"),
        ({"tensors": {"coef_": torch.zeros(1, 2, dtype=torch.int64)}}, "coef_ or intercept_ is int64"),
        ({"tensors": {"more": torch.zeros(1)}}, r"has the tensors \['more'\]"),
        ({"fitted": array(values=[1, 0])}, "should be two or more, sorted"),
        ({"fitted": array(values=[0, 0])}, "should be two or more, sorted"),
        ({"fitted": array(values=[0])}, "reshape"),
        ({"fitted": array(values=[[0], [1]])}, "values that are no int64"),
        ({"fitted": array(values=["a", "b"])}, "values that are no int64"),
        ({"fitted": array(values=[0, 2**70])}, "OverflowError"),
        ({"fitted": array(array="S9999999999")}, "no array of 'S9999999999'"),
        ({"fitted": array(array="object", values=[0, "a"])}, "TypeError"),
        ({"fitted": {"classes_": 2}}, "TypeError"),
        (
            {"fitted": {"feature_names_in_": {"array": "object", "shape": [1], "values": ["a"]}}},
            "feature_names_in_ has",
        ),
    ],
    ids=str,
)
def test_file_with_a_true_checksum_and_wrong_content_is_refused(path, changes, what):
    with pytest.raises(ModelFileError, match=what):
        read(path, **changes)


def test_random_state_that_would_read_behind_its_memory_is_refused(path):
    Perceptron(random_state=np.random.RandomState(5)).save(path)
    state = json.loads(json.dumps(list(np.random.RandomState(5).get_state()), default=lambda part: part.tolist()))
    key = {"array": "uint32", "shape": [624], "values": state[1]}
    state = {"RandomState": {"tuple": [state[0], key, 10**6, *state[3:]]}}
    with pytest.raises(ModelFileError, match="RandomState at 1000000 of 624"):
        read(path, hyperparameters={"random_state": state})
