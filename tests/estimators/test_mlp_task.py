"""MLP estimators become Lightning tasks and come back, pipelines with their scaler; predictions stay what they were."""

import numpy as np
import pytest
import torch
from sklearn.datasets import load_iris
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

import torchann
from torchann.estimators import MLPClassifier, MLPRegressor, pipeline_of, task_of

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, Y = load_iris(return_X_y=True)
TARGETS = {
    "numbers": Y,
    "others": Y * 2 + 3,
    "text": np.array(["a", "b", "c"])[Y],
    "two": np.array(["no", "yes"])[(Y == 0).astype(int)],
    "labels": np.stack([Y > 0, Y > 1], 1).astype(int),
    "value": X[:, 3],
    "values": X[:, 2:],
}
OPTIONS = [
    {},
    {"solver": "sgd", "momentum": 0.5, "activation": "logistic", "batch_size": 30},
    {"norm": "batch", "dropout": 0.2, "solver": "adamw", "hidden_layer_sizes": (5, 3)},
    {"norm": "layer", "solver": "rmsprop", "learning_rate": "exponential", "learning_rate_options": {"gamma": 0.9}},
]


def made(target, **options):
    kind = MLPRegressor if target.startswith("value") else MLPClassifier
    return kind(**{"random_state": 0, "max_iter": 6, "hidden_layer_sizes": (6,)} | options).fit(X, TARGETS[target])


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("options", OPTIONS, ids=lambda options: options.get("solver", "default"))
def test_task_predicts_what_the_estimator_does_and_comes_back_without_loss(target, options):
    ours = made(target, **options)
    task = ours.to_task()
    if target.startswith("value"):
        np.testing.assert_allclose(task.predict(X).squeeze(1), ours.predict(X), rtol=1e-12)
    elif target != "labels":
        np.testing.assert_allclose(task.predict_proba(X), ours.predict_proba(X), rtol=1e-9, atol=1e-15)
    classes = {} if target.startswith("value") else {"classes": ours.classes_}
    again = type(ours).from_task(task, random_state=0, max_iter=6, batch_size=ours.batch_size, **classes)
    for mine, its in zip(ours.coefs_ + ours.intercepts_, again.coefs_ + again.intercepts_, strict=True):
        np.testing.assert_array_equal(mine, its, strict=True)
    np.testing.assert_array_equal(again.predict(X), ours.predict(X), strict=True)
    np.testing.assert_allclose(again.loss_curve_, ours.loss_curve_)
    assert (again.n_iter_, again.t_) == (ours.n_iter_, ours.t_)
    lost = {"hidden_layer_sizes", "shuffle", "nesterovs_momentum", "alpha"}  # lists, tuples; rounding
    for name, value in ours.get_params().items():
        assert name in lost or getattr(again, name) == value, name
    assert again.alpha == pytest.approx(ours.alpha, rel=1e-12)


def test_round_trip_through_a_file_of_the_task(tmp_path):
    ours = made("text", early_stopping=True)
    torchann.save(ours.to_task(), tmp_path / "task.safetensors")
    again = MLPClassifier.from_task(torchann.load(tmp_path / "task.safetensors"))
    np.testing.assert_array_equal(again.predict(X), ours.predict(X), strict=True)
    assert again.validation_scores_ == ours.validation_scores_


def test_alpha_is_the_weight_decay_of_the_same_step():
    task = made("value", solver="sgd", alpha=0.6, batch_size=30).to_task()
    assert task.hparams["weight_decay"] == pytest.approx(0.02)  # 0.6 / 30


def test_class_weight_goes_along_by_the_order_of_the_classes():
    assert made("text", class_weight={"c": 2.0}).to_task().hparams["class_weight"] == [1.0, 1.0, 2.0]


def test_trained_task_is_an_estimator_whose_classes_are_sorted():
    task = torchann.ClassificationMLP([4], 4, 3, class_names=["setosa", "virginica", "colour"])
    ours = MLPClassifier.from_task(task)
    assert ours.classes_.tolist() == ["colour", "setosa", "virginica"]
    proba = task.predict_proba(X.astype(np.float32)).numpy()
    np.testing.assert_allclose(ours.predict_proba(X.astype(np.float32)), proba[:, [2, 0, 1]], rtol=1e-5)
    swapped = torchann.ClassificationMLP([4], 4, 2, class_names=["yes", "no"])
    proba = swapped.predict_proba(X.astype(np.float32)).numpy()
    np.testing.assert_allclose(
        MLPClassifier.from_task(swapped).predict_proba(X.astype(np.float32)), proba[:, ::-1], rtol=1e-5, atol=2e-7
    )  # one class is 1 less the other, which rounds at 6e-8


def test_class_weight_comes_back():
    ours = made("text", class_weight={"c": 2.0})
    assert MLPClassifier.from_task(ours.to_task()).class_weight == {"c": 2.0}
    assert MLPClassifier.from_task(made("text", class_weight="balanced").to_task()).class_weight == "balanced"
    task = ours.to_task()
    task.hparams["class_weight"] = {"b": 3.0}
    assert MLPClassifier.from_task(task).class_weight == {"b": 3.0}


def test_scaler_that_only_divides_goes_along():
    for scaler in (StandardScaler(with_mean=False), StandardScaler(with_std=False)):
        pipeline = make_pipeline(scaler, made("value")).fit(5 * X + 1, X[:, 3])
        np.testing.assert_allclose(task_of(pipeline).predict(5 * X + 1)[:, 0], pipeline.predict(5 * X + 1), atol=1e-5)


def test_names_of_columns_go_along():
    ours = made("value")
    ours.feature_names_in_ = np.array(list("abcd"), dtype=object)
    task = ours.to_task()
    assert task.feature_names == list("abcd")
    assert MLPRegressor.from_task(task).feature_names_in_.tolist() == list("abcd")


@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
def test_task_that_prepares_its_rows_is_a_pipeline_and_comes_back():
    data = torchann.CaliforniaHousingDataModule()
    data.setup()
    task = torchann.RegressionMLP([30], 8, 1)
    task.take_inputs(data)
    rows = data.splits.test.x[:50]
    pipeline = pipeline_of(task, random_state=0)
    np.testing.assert_allclose(pipeline.predict(rows.numpy()), task.predict(rows)[:, 0], rtol=1e-4, atol=1e-6)
    again = task_of(pipeline)
    torch.testing.assert_close(again.predict(rows), task.predict(rows), rtol=1e-5, atol=1e-6)
    assert again.feature_names == task.feature_names


def test_pipeline_that_was_fitted_is_a_task_of_raw_rows():
    pipeline = make_pipeline(StandardScaler(), MLPRegressor(max_iter=3)).fit(5 * X + 1, X[:, 3])
    np.testing.assert_allclose(task_of(pipeline).predict(5 * X + 1)[:, 0], pipeline.predict(5 * X + 1), atol=1e-5)


def test_task_of_images_is_a_pipeline_that_divides_by_255():
    from torchann.nets.preprocessing import Pixels, Preprocessing

    task = torchann.ClassificationMLP([5], 4, 2)
    task.preprocessing = Preprocessing(Pixels())
    images = np.random.default_rng(0).integers(0, 256, (9, 4))
    wanted = task.predict_proba(torch.tensor(images, dtype=torch.uint8))
    np.testing.assert_allclose(pipeline_of(task).predict_proba(images), wanted, rtol=1e-5)


def test_task_that_learns_standard_deviations_is_an_estimator_in_the_targets_unit():
    task = torchann.RegressionMLP([3], 4, 2, target_mean=[200.0, -1.0], target_std=[50.0, 0.5])
    rows = torch.tensor(X, dtype=torch.float32)
    np.testing.assert_allclose(MLPRegressor.from_task(task).predict(X), task.predict(rows), rtol=1e-4)


def of_a_table():
    task, table = torchann.RegressionMLP([3]), {"a": X[:, 0], "c": np.array(["x", "y", "z"])[Y], "y": X[:, 3]}
    trainer = torchann.Trainer(max_epochs=1, logger=False, quiet=True)
    trainer.fit(task, datamodule=torchann.TabularDataModule(table, "y"))
    return task


def waves():
    from torchann.nets.preprocessing import Preprocessing, Standardize
    from torchann.nets.waves import Waves

    task = torchann.RegressionMLP([3], 4, 1)
    task.preprocessing = Preprocessing(Standardize(torch.zeros(2), torch.ones(2)), Waves([0], 1))
    return task


@pytest.mark.parametrize(
    ("act", "error", "message"),
    [
        (lambda: MLPClassifier().to_task(), NotFittedError, "is not fitted yet"),
        (lambda: made("value", loss="poisson").to_task(), ValueError, "loss is 'poisson' and no task has it"),
        (lambda: MLPClassifier.from_task(torchann.RegressionMLP([3], 4, 1)), TypeError, "is no MLPClassifier's"),
        (lambda: MLPRegressor.from_task(torchann.Perceptron(2)), TypeError, "give a torchann.RegressionMLP"),
        (lambda: MLPRegressor.from_task(torchann.RegressionMLP([3])), ValueError, "has no net yet"),
        (
            lambda: MLPRegressor.from_task(torchann.RegressionMLP([3], 4, 1, output="positive")),
            ValueError,
            "output is positive and an estimator's is unbounded",
        ),
        (
            lambda: MLPClassifier.from_task(torchann.ClassificationMLP([3], 4, 3), classes=[1, 1, 2]),
            ValueError,
            r"classes are \[1, 1, 2\]; give 3 that differ",
        ),
        (
            lambda: MLPRegressor.from_task(torchann.RegressionMLP([3], 4, 1, lr_schedule="plateau")),
            ValueError,
            "an estimator knows betas and eps, and no plateau",
        ),
        (lambda: MLPClassifier().fit(X, 0 * Y).to_task(), ValueError, "there is one class, 0, and a task tells two"),
        (lambda: MLPRegressor.from_task(waves()), ValueError, r"prepares its rows \(standardize, waves\)"),
        (lambda: pipeline_of(waves()), ValueError, "prepares its rows by standardize, waves"),
        (
            lambda: pipeline_of(of_a_table()),
            ValueError,
            "prepares the columns of a table by their kinds, which no scaler",
        ),
        (
            lambda: MLPRegressor.from_task(torchann.RegressionMLP([3], 4, 1, embeddings=[[9, 2]])),
            ValueError,
            "the task learns vectors for categories and an estimator does not",
        ),
        (
            lambda: MLPRegressor.from_task(
                torchann.RegressionMLP([3], 4, 1, members=[{"hidden_sizes": [], "weight": 1}])
            ),
            ValueError,
            "the task averages its members and an estimator is one net",
        ),
        (
            lambda: task_of(make_pipeline(MinMaxScaler(), made("value")).fit(X, X[:, 3])),
            ValueError,
            "the pipeline is of MinMaxScaler, MLPRegressor; give a StandardScaler",
        ),
        (lambda: MLPRegressor.from_task(torchann.RegressionMLP([3], 4, 1), colour=1), TypeError, "colour"),
    ],
    ids=lambda part: part if isinstance(part, str) else "",
)
def test_what_has_no_counterpart_is_refused(act, error, message):
    with pytest.raises(error, match=message):
        act()
