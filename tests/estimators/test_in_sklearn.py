"""The estimators in the tools that scikit-learn has for estimators."""

import pickle

import joblib
import numpy as np
import pytest
import sklearn.linear_model
import sklearn.neural_network
import torch
from scipy import sparse
from sklearn.base import clone, is_classifier
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor, make_column_transformer
from sklearn.datasets import load_diabetes, load_iris
from sklearn.ensemble import BaggingClassifier, BaggingRegressor, StackingClassifier, VotingRegressor
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.feature_selection import SelectFromModel
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import get_scorer
from sklearn.model_selection import (
    GridSearchCV,
    HalvingRandomSearchCV,
    RandomizedSearchCV,
    cross_val_predict,
    cross_val_score,
    cross_validate,
    learning_curve,
    validation_curve,
)
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import MultiOutputRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler, scale

import torchann.estimators

# scikit-learn's own classes, too, warn after so few epochs.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

MLP = {"hidden_layer_sizes": (8,), "max_iter": 20, "learning_rate_init": 0.02}
OPTIONS = {"Perceptron": {"max_iter": 20}, "MLPClassifier": MLP, "MLPRegressor": MLP}
EXPORTED = {name: getattr(torchann.estimators, name) for name in torchann.estimators.__all__ if name in OPTIONS}
IRIS = load_iris(return_X_y=True)
COLUMNS = ["sepal_length", "sepal_width", "petal_length", "petal_width"]


def made(name, **options):
    return EXPORTED[name](**{"random_state": 0} | OPTIONS[name] | options)


def rows(model):
    """150 rows of four scaled numbers: the species, or the petal's width from the rest and noise."""
    X, y = IRIS
    return (scale(X), y) if is_classifier(model) else (scale(np.roll(X, 1, axis=1) ** 2), scale(X[:, 3]))


def knob(model):
    return "eta0" if isinstance(model, torchann.estimators.Perceptron) else "learning_rate_init"


@pytest.fixture(params=sorted(EXPORTED))
def model(request):
    return made(request.param)


@pytest.fixture(params=sorted(name for name, kind in EXPORTED.items() if is_classifier(kind())))
def classifier(request):
    return made(request.param)


@pytest.fixture
def routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


def same(ours, again, X):
    np.testing.assert_array_equal(ours.predict(X), again.predict(X), strict=True)
    assert repr(ours.get_params()) == repr(again.get_params())


def test_clone_learns_the_same_and_knows_nothing_before(model):
    X, y = rows(model)
    again = clone(model.fit(X, y))
    assert not hasattr(again, "n_iter_") and again.get_params() == model.get_params()
    same(model, again.fit(X, y), X)


@pytest.mark.parametrize("protocol", [2, pickle.HIGHEST_PROTOCOL])
def test_pickle_and_joblib_keep_an_estimator_and_where_it_would_go_on(model, protocol, tmp_path):
    X, y = rows(model)
    model.fit(X, y)
    joblib.dump(model, tmp_path / "model.joblib")
    copies = [model, pickle.loads(pickle.dumps(model, protocol)), joblib.load(tmp_path / "model.joblib")]
    for again in copies[1:]:
        same(model, again, X)
    ahead = [copy.partial_fit(X, y).predict(X[:9]) for copy in copies]
    np.testing.assert_array_equal(ahead[0], ahead[1])
    np.testing.assert_array_equal(ahead[0], ahead[2])


def test_pipeline_is_the_estimator_after_its_steps(model):
    X, y = rows(model)
    wide = X * 5 + 1
    whole = make_pipeline(StandardScaler(), model).fit(wide, y)
    again = clone(model).fit(StandardScaler().fit_transform(wide), y)
    np.testing.assert_array_equal(whole.predict(wide), again.predict(StandardScaler().fit_transform(wide)))
    assert whole.score(wide, y) == again.score(StandardScaler().fit_transform(wide), y)


def test_grid_search_refits_the_best(model):
    X, y = rows(model)
    given = {f"{type(model).__name__.lower()}__{knob(model)}": [1e-9, 0.02]}
    search = GridSearchCV(make_pipeline(StandardScaler(), model), given, cv=3).fit(X, y)
    assert search.score(X, y) == search.best_estimator_.score(X, y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_random_search_is_the_same_in_two_processes(model):
    X, y = rows(model)
    given = {knob(model): np.geomspace(1e-3, 0.1, 9)}
    one, two = (RandomizedSearchCV(model, given, n_iter=3, cv=2, random_state=0, n_jobs=jobs) for jobs in (1, 2))
    scores = [search.fit(X, y).cv_results_["mean_test_score"] for search in (one, two)]
    np.testing.assert_array_equal(*scores)


@pytest.mark.parametrize("resource", ["n_samples", "max_iter"])
def test_halving_search_gives_more_to_fewer(model, resource):
    X, y = rows(model)
    search = HalvingRandomSearchCV(
        model,
        {knob(model): np.geomspace(1e-3, 0.1, 9)},
        resource=resource,
        max_resources=100 if resource == "n_samples" else 20,
        min_resources=30 if resource == "n_samples" else 5,
        factor=2,
        cv=2,
        random_state=0,
    ).fit(X, y)
    assert search.n_resources_ == ([30, 60] if resource == "n_samples" else [5, 10, 20])
    assert len(search.predict(X)) == len(X)


def test_cross_validation_is_the_same_in_two_processes(model):
    X, y = rows(model)
    scores = [cross_val_score(model, X, y, cv=3, n_jobs=jobs) for jobs in (1, 2)]
    np.testing.assert_array_equal(*scores)
    assert np.isfinite(scores).all()


def test_cross_validated_predictions_are_those_of_the_folds(model):
    X, y = rows(model)
    told = cross_val_predict(model, X, y, cv=3)
    runs = cross_validate(model, X, y, cv=3, return_estimator=True, return_indices=True)
    for fold, test in zip(runs["estimator"], runs["indices"]["test"], strict=True):
        np.testing.assert_array_equal(told[test], fold.predict(X[test]))


def test_calibration_makes_probabilities(classifier):
    X, y = rows(classifier)
    proba = CalibratedClassifierCV(classifier, cv=3).fit(X, y).predict_proba(X)
    np.testing.assert_allclose(proba.sum(1), 1)
    assert (proba.argmax(1) == y).mean() > 0.7


def test_bagging_fits_on_weights_or_rows_of_its_own(model):
    X, y = rows(model)
    kind = BaggingClassifier if is_classifier(model) else BaggingRegressor
    bag = kind(model, n_estimators=4, random_state=0, n_jobs=2).fit(X, y)
    alone = kind(model, n_estimators=4, random_state=0).fit(X, y)
    np.testing.assert_allclose(bag.predict(X), alone.predict(X))  # two processes add up in another order
    assert len({part.predict(X).tobytes() for part in bag.estimators_}) > 1


def test_estimators_are_parts_of_others(model):
    X, y = rows(model)
    if is_classifier(model):
        assert StackingClassifier([("ours", model)], LogisticRegression(), cv=2).fit(X, y).score(X, y) > 0.7
        assert OneVsRestClassifier(model).fit(X, y).score(X, y) > 0.6
        return
    assert len(VotingRegressor([("ours", model)]).fit(X, y).predict(X)) == 150
    assert TransformedTargetRegressor(model, transformer=StandardScaler()).fit(X, 9 * y).predict(X).shape == y.shape
    assert MultiOutputRegressor(model).fit(X, np.stack([y, -y], 1)).predict(X).shape == (150, 2)


def test_features_are_selected_by_a_perceptrons_weights():
    X, y = rows(made("Perceptron"))
    kept = SelectFromModel(made("Perceptron", penalty="l1"), max_features=2, threshold=-np.inf).fit(X, y)
    largest = np.abs(kept.estimator_.coef_).sum(0).argsort()[-2:]
    assert set(np.flatnonzero(kept.get_support())) == set(largest)


def test_column_of_noise_has_less_importance_than_the_best(model):
    X, y = rows(model)
    X = np.column_stack([X, np.random.default_rng(0).normal(size=150)])
    importance = permutation_importance(model.fit(X, y), X, y, n_repeats=3, random_state=0).importances_mean
    assert importance.shape == (5,) and importance[:4].max() > importance[4]


def test_learning_and_validation_curves_have_a_score_for_each_fold(model):
    X, y = rows(model)
    sizes, train, val = learning_curve(model, X, y, train_sizes=[0.5, 1.0], cv=3, shuffle=True, random_state=0)
    assert sizes.tolist() == [50, 100] and train.shape == val.shape == (2, 3)
    train, val = validation_curve(model, X, y, param_name="max_iter", param_range=[1, 5, 20], cv=2)
    assert train.shape == val.shape == (3, 2) and np.isfinite(train).all()


def test_scorers_take_an_estimator(classifier):
    X, y = rows(classifier)
    binary = classifier.fit(X, y == 0)
    assert get_scorer("roc_auc")(binary, X, y == 0) > 0.9


def test_float32_rows_give_float32_weights(model):
    X, y = rows(model)
    model.fit(X.astype(np.float32), y)
    weights = [model.coef_] if hasattr(model, "coef_") else [*model.coefs_, *model.intercepts_]
    assert {part.dtype for part in weights} == {np.dtype(np.float32)}
    if not is_classifier(model):
        assert model.predict(X.astype(np.float32)).dtype == np.float32


@pytest.mark.parametrize(
    "container", [sparse.csr_matrix, sparse.csc_matrix, sparse.coo_array], ids=lambda c: c.__name__
)
def test_sparse_rows_are_rows(model, container):
    X, y = rows(model)
    sparse_fit, dense_fit = clone(model).fit(container(X), y), model.fit(X, y)
    assert sparse_fit.predict(container(X)).shape == y.shape
    np.testing.assert_allclose(dense_fit.predict(container(X)), dense_fit.predict(X))
    if is_classifier(model):
        assert sparse_fit.score(X, y) > 0.8


def test_tensors_and_lists_are_rows(model):
    X, y = rows(model)
    same(clone(model).fit(X, y), model.fit(torch.from_numpy(X), torch.from_numpy(y)), X)
    np.testing.assert_array_equal(model.predict(X.tolist()), model.predict(torch.from_numpy(X)))


def test_set_output_of_a_pipeline_names_the_columns_an_estimator_sees(model):
    pandas = pytest.importorskip("pandas")
    X, y = rows(model)
    frame = pandas.DataFrame(X, columns=COLUMNS)
    steps = make_column_transformer((StandardScaler(), COLUMNS[:2]), remainder="drop", verbose_feature_names_out=False)
    whole = make_pipeline(steps, model).set_output(transform="pandas").fit(frame, y)
    assert whole[-1].feature_names_in_.tolist() == COLUMNS[:2]
    assert whole[:-1].get_feature_names_out().tolist() == COLUMNS[:2]


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_data_frame_is_rows_with_names(model, library):
    frames = pytest.importorskip(library)
    X, y = rows(model)
    frame = frames.DataFrame(dict(zip(COLUMNS, X.T, strict=True)))
    given = clone(model).fit(frame, frames.Series(y))
    assert given.feature_names_in_.tolist() == COLUMNS
    np.testing.assert_array_equal(given.predict(frame), model.fit(X, y).predict(X))
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        given.predict(X)
    with pytest.raises(ValueError, match="feature names should match"):
        given.predict(frame[COLUMNS[::-1]])


def test_weights_of_rows_are_routed_to_fit_and_score(model, routing):
    X, y = rows(model)
    counts = np.random.default_rng(0).integers(1, 5, len(y)).astype(float)
    asked = clone(model).set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
    alone = clone(model).fit(X, y, sample_weight=counts)
    unchanged = StandardScaler(with_mean=False, with_std=False).set_fit_request(sample_weight=False)
    whole = make_pipeline(unchanged, asked).fit(X, y, sample_weight=counts)
    np.testing.assert_array_equal(whole.predict(X), alone.predict(X))
    assert whole.score(X, y, sample_weight=counts) == alone.score(X, y, sample_weight=counts)
    weighted = cross_val_score(asked, X, y, cv=3, params={"sample_weight": counts})
    assert not np.array_equal(weighted, cross_val_score(model, X, y, cv=3))
    with pytest.raises(ValueError, match="sample_weight.* are passed but are not explicitly set"):
        cross_val_score(model, X, y, cv=3, params={"sample_weight": counts})


def test_validation_rows_are_asked_for_by_name(model, routing):
    requests = model.set_fit_request(X_val=True, y_val=True).get_metadata_routing().fit.requests
    assert requests["X_val"] is True and requests["y_val"] is True and requests["sample_weight"] is None


def test_representation_in_a_notebook_is_that_of_an_estimator(model):
    assert type(model).__name__ in model._repr_html_()


def test_real_rows_are_learnt_as_by_scikit_learns_class(model):
    X, y = rows(model) if is_classifier(model) else load_diabetes(return_X_y=True)
    name = type(model).__name__
    theirs = getattr(sklearn.linear_model if name == "Perceptron" else sklearn.neural_network, name)
    X, y = scale(X), y if is_classifier(model) else scale(y)
    args = {name: value for name, value in model.get_params().items() if name in theirs().get_params()}
    assert model.fit(X, y).score(X, y) == pytest.approx(theirs(**args).fit(X, y).score(X, y), abs=1e-6)
