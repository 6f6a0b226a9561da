"""MLP estimators in the safe file: all of them comes back, and nothing else is let in."""

import json

import numpy as np
import pytest
import torch
from sklearn.datasets import load_iris

import torchann
from tests.hostile import written
from torchann.estimators import MLPClassifier, MLPRegressor
from torchann.files.safetensors_file import NO_DIGEST, ModelFileError

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, Y = load_iris(return_X_y=True)
TARGETS = {
    "classes": Y,
    "text": np.array(["a", "b", "c"], dtype=object)[Y],
    "two": Y == 0,
    "labels": np.stack([Y > 0, Y > 1], 1).astype(int),
    "value": X[:, 3],
    "values": X[:, 2:],
}
OPTIONS = [
    {},
    {"solver": "sgd", "learning_rate": "adaptive"},
    {"solver": "nadam", "activation": "gelu"},
    {"solver": "lbfgs"},
    {"norm": "batch", "dropout": 0.1, "hidden_layer_sizes": (5, 4)},
    {"early_stopping": True, "random_state": np.random.RandomState(3)},
    {"hidden_layer_sizes": [], "learning_rate": "step", "learning_rate_options": {"step_size": 2}},
]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "mlp.safetensors"


def made(target, **options):
    kind = MLPRegressor if target.startswith("value") else MLPClassifier
    return kind(**{"random_state": 0, "max_iter": 4, "hidden_layer_sizes": 6} | options)


def same(ours, again):
    mine, its = ({**model.get_params(), "random_state": None} for model in (ours, again))
    assert repr(mine) == repr(its)
    for name in type(ours).fitted:
        assert hasattr(ours, name) == hasattr(again, name), name
        if hasattr(ours, name) and name not in ("_optimizer", "norms_"):
            mine, its = getattr(ours, name), getattr(again, name)
            assert type(mine) is type(its)
            np.testing.assert_equal(its, mine)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("options", OPTIONS, ids=lambda options: "-".join(options) or "default")
def test_estimator_comes_back_from_a_file_and_goes_on_where_it_stood(path, target, options):
    y = TARGETS[target]
    ours = made(target, **options).fit(X, y)
    torchann.save(ours, path)
    again = torchann.load(path)
    same(ours, again)
    np.testing.assert_array_equal(again.predict(X), ours.predict(X), strict=True)
    if not {"learning_rate_options", "early_stopping"} & set(options) and options.get("solver") != "lbfgs":
        same(ours.partial_fit(X, y), again.partial_fit(X, y))


def test_float32_comes_back_as_float32(path):
    made("value").fit(X.astype(np.float32), X[:, 3]).save(path)
    again = MLPRegressor.load(path)
    assert {part.dtype for part in again.coefs_ + again.intercepts_} == {np.dtype(np.float32)}


def test_unfitted_estimator_comes_back_without_its_callbacks(path):
    made("value", callbacks=[print], tol=np.float64(0.5)).save(path)
    again = torchann.load(path)
    assert again.callbacks is None and again.tol == 0.5 and not hasattr(again, "coefs_")


def test_best_weights_are_those_that_a_later_fit_goes_on_from(path):
    ours = made("classes", early_stopping=True, warm_start=True).fit(X, Y)
    ours.save(path)
    same(ours.fit(X, Y), torchann.load(path).fit(X, Y))


@pytest.mark.parametrize(
    "changes",
    [{"solver": "lbfgs"}, {"solver": "sgd"}, {"hidden_layer_sizes": (9,)}, {"norm": "batch"}, {"max_iter": -1}],
    ids=str,
)
def test_arguments_that_have_changed_since_the_fit_are_no_hindrance(path, changes):
    ours = made("value").fit(X, X[:, 3]).set_params(**changes)
    ours.save(path)
    np.testing.assert_array_equal(torchann.load(path).predict(X), ours.predict(X))


def test_solver_of_a_fit_before_lbfgs_is_forgotten(path):
    ours = made("value", warm_start=True).fit(X, X[:, 3]).set_params(solver="lbfgs").fit(X, X[:, 3])
    ours.save(path)
    same(ours, torchann.load(path))


NAMES = {  # those of files that earlier versions wrote
    "sgd": {"velocity"},
    "adam": {"t", "mean", "square"},
    "adamw": {"step", "exp_avg", "exp_avg_sq"},
    "nadam": {"step", "mu_product", "exp_avg", "exp_avg_sq"},
    "adagrad": {"step", "sum"},
    "rmsprop": {"step", "square_avg"},
}


@pytest.mark.parametrize("solver", NAMES)
def test_state_of_a_solver_has_its_names_and_may_have_torchs_float32(path, solver):
    ours = made("value", solver=solver).fit(X, X[:, 3])
    assert set(ours._optimizer) == NAMES[solver] | {"learning_rate"}
    for name in {"step", "mu_product"} & NAMES[solver]:  # a tensor of torch, which a file has as such a number
        ours._optimizer[name] = np.float32(ours._optimizer[name])
    ours.save(path)
    again = torchann.load(path)
    same(ours.partial_fit(X, X[:, 3]), again.partial_fit(X, X[:, 3]))


def document(**changes):
    """A good file's text and tensors: two inputs, two neurons, one output, after a step of Adam."""
    tensors = {
        "coefs_.0": torch.ones(2, 2).double(),
        "coefs_.1": torch.ones(2, 1).double(),
        "intercepts_.0": torch.zeros(2).double(),
        "intercepts_.1": torch.ones(1).double(),
        "mean": torch.zeros(9).double(),
        "square": torch.ones(9).double(),
    }
    state = [("learning_rate", 0.001), ("t", 1), ("mean", {"tensor": "mean"}), ("square", {"tensor": "square"})]
    fitted = {
        "coefs_": [{"tensor": "coefs_.0"}, {"tensor": "coefs_.1"}],
        "intercepts_": [{"tensor": "intercepts_.0"}, {"tensor": "intercepts_.1"}],
        "norms_": [],
        "n_iter_": 1,
        "t_": 4,
        "n_layers_": 3,
        "n_outputs_": 1,
        "out_activation_": "identity",
        "n_features_in_": 2,
        "loss_curve_": [0.5],
        "_optimizer": {"dict": state},
    }
    content = {
        "sha256": NO_DIGEST,
        "format_version": 1,
        "torchann": "0.1.0",
        "class": "estimators.MLPRegressor",
        "hyperparameters": {"hidden_layer_sizes": 2},
        "fitted": fitted,
    }
    for name in [name for name in changes if name.startswith("tensor_")]:
        tensors[name.removeprefix("tensor_").replace("__", "_.")] = changes.pop(name)
    fitted |= changes.pop("fitted", {})
    return written(json.dumps(content | changes), tensors)


def test_good_file_is_read(path):
    path.write_bytes(document())
    assert torchann.load(path).predict([[1.0, 2.0]]).tolist() == [7.0]  # 3 + 3 + 1


CLASSIFIER = {"class": "estimators.MLPClassifier"}
SHAPES = {"coefs__0": (2, 2), "coefs__1": (2, 1), "intercepts__0": (2,), "intercepts__1": (1,)}
HALF = {f"tensor_{name}": torch.ones(shape).half() for name, shape in SHAPES.items()}
SORTED = {"array": "int64", "shape": [2], "values": [0, 1]}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"fitted": {"n_features_in_": 3}}, r"have the shapes .* and should have \[\(3, 2\), \(2, 1\)"),
        ({"hyperparameters": {"hidden_layer_sizes": 2, "activation": "os"}}, "activation is 'os' and should be one of"),
        ({"hyperparameters": {"hidden_layer_sizes": 2, "norm": "layer"}}, "solver is 'adam' and norm 'layer'"),
        ({"fitted": {"norms_": [{"dict": [["weight", 1]]}]}}, "norms_ have the shapes|no attribute"),
        ({"fitted": {"t_": -1}}, "t_ is -1 and should be a whole number"),
        ({"fitted": {"loss_curve_": ["a"]}}, "loss_curve_ is .* and should be numbers"),
        ({"hyperparameters": {"random_state": {"RandomState": []}}}, "it makes no"),
        ({"hyperparameters": {"alpha": {"dict": [[]]}}}, "it makes no"),
        ({"fitted": {"coefs_": []}}, "the arrays have the shapes"),
        ({"fitted": {"coefs_": 3}}, "TypeError"),
        ({"fitted": {"n_layers_": 4}}, "the arrays have the shapes"),
        ({"fitted": {"n_outputs_": 2}}, "the arrays have the shapes"),
        ({"fitted": {"out_activation_": "relu"}}, "out_activation_ is 'relu' and should be 'identity' or 'exp'"),
        ({"fitted": {"feature_names_in_": {"array": "object", "shape": [1], "values": ["a"]}}}, "should be 2"),
        ({"fitted": {"_optimizer": {"dict": [["t", 1]]}}}, "the state of adam is"),
        ({"fitted": {"_optimizer": 3}}, "the state of adam is 3"),
        ({"tensor_mean": torch.zeros(8).double()}, "mean of the solver is"),
        ({"tensor_mean": torch.zeros(9)}, "mean of the solver is"),
        ({"tensor_coefs__0": torch.ones(2, 2).int()}, "should be arrays of one dtype"),
        (HALF, "should be float32 or float64"),
        (CLASSIFIER, "no attribute 'classes_'"),
        (CLASSIFIER | {"fitted": {"classes_": SORTED}}, "2 classes and 1 outputs of 'identity'"),
        (CLASSIFIER | {"fitted": {"classes_": SORTED | {"values": [1, 0]}}}, "should be sorted"),
        ({"fitted": {"predict": 1}}, "no attribute"),
    ],
    ids=lambda part: part if isinstance(part, str) else "",
)
def test_file_with_a_true_checksum_and_wrong_content_is_refused(path, changes, message):
    path.write_bytes(document(**changes))
    with pytest.raises(ModelFileError, match=message):
        torchann.load(path)
