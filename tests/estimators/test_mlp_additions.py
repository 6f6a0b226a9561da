"""What our MLPs have beyond scikit-learn's: class weights, losses, solvers, schedules, dropout, norms, callbacks."""

import copy
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_iris
from sklearn.linear_model import HuberRegressor, LinearRegression
from sklearn.metrics import f1_score, log_loss, make_scorer, mean_absolute_error
from sklearn.preprocessing import scale
from sklearn.utils import compute_sample_weight
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch import optim
from torch.optim import lr_scheduler

from torchann.engine.schedules import scheduled_rates
from torchann.estimators import MLPClassifier, MLPRegressor, Perceptron, TensorBoard

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, Y = load_iris(return_X_y=True)
X = scale(X)
COUNTS = np.arange(150.0)
ROWS, VALUES = load_diabetes(return_X_y=True)
ROWS, VALUES = scale(ROWS), scale(VALUES)
SMALL = {"hidden_layer_sizes": (6,), "max_iter": 12, "random_state": 0, "learning_rate_init": 0.01}


def same_weights(one, other):
    for a, b in zip(one.coefs_ + one.intercepts_, other.coefs_ + other.intercepts_, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("y", [Y, Y == 0, np.array(["b", "c", "a"])[Y]], ids=lambda y: str(y.dtype))
@pytest.mark.parametrize("given", ["balanced", "numbers"])
def test_class_weight_is_a_weight_of_rows(y, given):
    rows = np.arange(40, 150)  # 10, 50, 50 of each class
    given = given if given == "balanced" else {name: 1.0 + 2 * i for i, name in enumerate(np.unique(y))}
    weight = compute_sample_weight(given, y[rows])
    ours = MLPClassifier(class_weight=given, **SMALL).fit(X[rows], y[rows])
    same_weights(ours, MLPClassifier(**SMALL).fit(X[rows], y[rows], sample_weight=weight))
    doubled = MLPClassifier(class_weight=given, **SMALL).fit(X[rows], y[rows], sample_weight=np.full(110, 2.0))
    np.testing.assert_allclose(doubled.loss_curve_, ours.loss_curve_, rtol=1e-4)  # the penalty alone counts less


@pytest.mark.parametrize("estimator", [MLPClassifier(**SMALL), Perceptron()], ids=lambda model: type(model).__name__)
@pytest.mark.parametrize("given", [{0: 0, 1: 0, 2: 0}, {0: -1.0}, {1: np.inf}], ids=str)
def test_class_weights_below_0_or_all_0_are_refused(estimator, given):
    with pytest.raises(ValueError, match=r"class_weight is \[.*; give finite numbers, 0 or more"):
        clone(estimator).set_params(class_weight=given).fit(X, Y)


def test_class_weight_has_no_meaning_for_labels_or_parts_of_the_rows():
    with pytest.raises(ValueError, match="class_weight=balanced and rows with several labels; leave it out"):
        MLPClassifier(class_weight="balanced").fit(X, np.stack([Y > 0, Y > 1], 1).astype(int))
    with pytest.raises(ValueError, match="cannot balance the classes; give class_weight numbers"):
        MLPClassifier(class_weight="balanced").partial_fit(X, Y, classes=[0, 1, 2])


def test_batch_whose_rows_do_not_count_takes_no_step():
    weight = np.where(np.arange(442) < 100, 0.0, 1.0)
    options = SMALL | {"batch_size": 50, "shuffle": False, "solver": "sgd", "momentum": 0.0}
    ours = MLPRegressor(**options).fit(ROWS, VALUES, sample_weight=weight)
    same_weights(ours, MLPRegressor(**options).fit(ROWS[100:], VALUES[100:], sample_weight=weight[100:]))


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_absolute_error_is_least_at_the_median(solver):
    y = np.array([0.0, 1.0, 2.0, 30.0, 100.0])  # median 2, mean 26.6
    options = {"hidden_layer_sizes": (), "alpha": 0.0, "learning_rate_init": 0.1, "max_iter": 400, "tol": 0.0}
    ours = MLPRegressor(loss="absolute_error", solver=solver, random_state=0, **options).fit(np.zeros((5, 1)), y)
    assert ours.predict([[0.0]])[0] == pytest.approx(2, abs=0.2)  # of Adam, whose steps are of 0.1
    assert ours.loss_ == pytest.approx(np.abs(y - 2).mean(), rel=1e-2)


def test_huber_loss_of_a_linear_net_finds_scikit_learns_line():
    y = VALUES + np.where(np.arange(442) % 20 == 0, 8.0, 0.0)  # outliers
    theirs = HuberRegressor(epsilon=1.0000001, alpha=0, tol=1e-8, max_iter=1000).fit(ROWS, y)
    y = y / theirs.scale_  # where the loss turns linear: 1 in units of the scale that scikit-learn estimates
    options = {"hidden_layer_sizes": (), "alpha": 0.0, "solver": "lbfgs", "max_iter": 2000, "tol": 1e-8}
    ours = MLPRegressor(loss="huber", **options).fit(ROWS, y)
    found = [line.predict(ROWS) - y for line in (ours, LinearRegression().fit(ROWS, y))]
    found.append((theirs.predict(ROWS) - y * theirs.scale_) / theirs.scale_)
    own, squared, least = (np.where(np.abs(e) < 1, e**2 / 2, np.abs(e) - 0.5).mean() for e in found)
    assert (
        ours.loss_ == pytest.approx(own, rel=1e-9) and own == pytest.approx(least, rel=1e-4) and squared > 1.01 * least
    )


@pytest.mark.parametrize("activation", ["gelu", "selu", "silu", "softplus"])
def test_lbfgs_descends_with_activations_that_scikit_learn_lacks(activation):
    options = SMALL | {"solver": "lbfgs", "max_iter": 60, "activation": activation}
    assert MLPClassifier(**options).fit(X, Y).score(X, Y) > 0.97
    weight = np.random.default_rng(0).uniform(0.5, 2, 442)
    ours = MLPRegressor(loss="huber", **options).fit(ROWS, VALUES, sample_weight=weight)
    assert ours.score(ROWS, VALUES) > 0.5


CLASSES = {"adamw": optim.AdamW, "nadam": optim.NAdam, "adagrad": optim.Adagrad, "rmsprop": optim.RMSprop}


@pytest.mark.parametrize("solver", CLASSES)
def test_solver_takes_the_steps_of_torch(solver):
    start = MLPRegressor(solver=solver, **SMALL | {"hidden_layer_sizes": (), "max_iter": 1}).fit(ROWS, VALUES)
    fresh = MLPRegressor(**SMALL | {"hidden_layer_sizes": ()})
    fresh._random_state = np.random.RandomState(0)
    weight, bias = fresh._init_coef(10, 1, np.float64)
    weight, bias = (torch.tensor(part, requires_grad=True) for part in (weight, bias))
    decay = {"weight_decay": 1e-4} if solver == "adamw" else {}
    optimizer = CLASSES[solver]([weight, bias], lr=0.01, eps=1e-8, **decay)
    order = np.random.RandomState(0)
    fresh._random_state = order
    fresh._init_coef(10, 1, np.float64)
    rows = np.arange(442)
    order.shuffle(rows)
    for part in np.array_split(rows, [200, 400]):
        error = torch.tensor(ROWS[part]) @ weight + bias - torch.tensor(VALUES[part])[:, None]
        penalty = 0 if solver == "adamw" else 0.5 * 1e-4 * (weight**2).sum() / len(part)
        optimizer.zero_grad()
        (0.5 * (error**2).mean() + penalty).backward()
        optimizer.step()
    np.testing.assert_allclose(start.coefs_[0], weight.detach().numpy(), rtol=1e-7)
    np.testing.assert_allclose(start.intercepts_[0], bias.detach().numpy(), rtol=1e-7)


@pytest.mark.parametrize(
    ("name", "options", "make"),
    [
        ("exponential", {"gamma": 0.5}, lambda o: lr_scheduler.ExponentialLR(o, 0.5)),
        ("step", {"step_size": 2}, lambda o: lr_scheduler.StepLR(o, 2)),
        ("cosine", None, lambda o: lr_scheduler.CosineAnnealingLR(o, 6)),
        ("one_cycle", None, lambda o: lr_scheduler.OneCycleLR(o, 0.1, total_steps=18, cycle_momentum=False)),
    ],
)
@pytest.mark.parametrize("solver", ["sgd", "adam", "nadam"])
def test_rates_of_a_schedule_are_those_of_torch(name, options, make, solver):
    rates = []
    MLPRegressor(
        **SMALL | {"max_iter": 6, "learning_rate_init": 0.1, "tol": 0.0},
        solver=solver,
        learning_rate=name,
        learning_rate_options=options,
        callbacks=[lambda model, figures: rates.append(figures["learning_rate"])],
    ).fit(ROWS, VALUES)
    optimizer = optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
    schedule, wanted = make(optimizer), []
    optimizer.step()
    for _ in range(6):  # of three batches
        for _ in range(3 if name == "one_cycle" else 0):
            schedule.step() if schedule.last_epoch < 17 else None
        wanted.append(optimizer.param_groups[0]["lr"])
        if name != "one_cycle":
            schedule.step()
    assert rates == pytest.approx(wanted, rel=1e-6)


def test_dropout_is_decided_by_the_seed_and_leaves_torchs_generator_alone():
    options = SMALL | {"dropout": 0.5}
    torch.manual_seed(1)
    before = torch.random.get_rng_state()
    first = MLPClassifier(**options).fit(X, Y)
    assert torch.equal(before, torch.random.get_rng_state())
    torch.manual_seed(2)
    same_weights(first, MLPClassifier(**options).fit(X, Y))
    other = MLPClassifier(**options | {"random_state": 1}).fit(X, Y)
    assert first.loss_ != other.loss_ != MLPClassifier(**options | {"dropout": 0.0}).fit(X, Y).loss_


def test_autograd_takes_the_steps_of_backpropagation():
    options = SMALL | {"shuffle": False, "batch_size": 50}
    tiny = MLPClassifier(**options | {"dropout": 1e-12}).fit(X, Y)  # no neuron is ever off
    np.testing.assert_allclose(tiny.loss_curve_, MLPClassifier(**options).fit(X, Y).loss_curve_, rtol=1e-9)


def test_batch_norm_uses_the_batch_in_training_and_running_figures_afterwards():
    ours = MLPRegressor(**SMALL | {"norm": "batch", "batch_size": 442, "max_iter": 1, "shuffle": False})
    ours.fit(ROWS, VALUES)
    start = MLPRegressor(**SMALL)
    start._random_state = np.random.RandomState(0)
    weight, bias = start._init_coef(10, 6, np.float64)
    sums = ROWS @ weight + bias
    (norm,) = ours.norms_
    np.testing.assert_allclose(norm["running_mean"], 0.1 * sums.mean(0), atol=1e-12)  # torch's momentum, from 0
    np.testing.assert_allclose(norm["running_var"], 0.9 + 0.1 * sums.var(0, ddof=1), atol=1e-12)  # from 1
    z = (ROWS @ ours.coefs_[0] + ours.intercepts_[0] - norm["running_mean"]) / np.sqrt(norm["running_var"] + 1e-5)
    hidden = np.maximum(z * norm["weight"] + norm["bias"], 0)
    np.testing.assert_allclose(ours.predict(ROWS), (hidden @ ours.coefs_[1] + ours.intercepts_[1])[:, 0], rtol=1e-9)


@pytest.mark.parametrize("norm", ["batch", "layer"])
def test_norm_and_dropout_learn_and_stop_early_with_their_best(norm):
    options = SMALL | {"max_iter": 80, "norm": norm, "dropout": 0.1, "early_stopping": True, "batch_size": 30}
    ours = MLPClassifier(**options | {"n_iter_no_change": 60}).fit(X, Y, X_val=X[::3], y_val=Y[::3])
    assert ours.score(X[::3], Y[::3]) == ours.best_validation_score_ > 0.9
    assert [len(part) for part in ours.norms_] == [4 if norm == "batch" else 2]


@pytest.mark.parametrize("kind", [MLPClassifier, MLPRegressor])
def test_validation_rows_of_ones_own_decide_and_none_is_taken_from_the_others(kind):
    rows, y = (X, Y) if kind is MLPClassifier else (ROWS, VALUES)
    scores = []

    def watch(model, figures):
        scores.append(model.score(rows[::5], y[::5]))
        return len(scores) == 9

    ours = kind(early_stopping=True, callbacks=[watch], **SMALL).fit(rows, y, X_val=rows[::5], y_val=y[::5])
    assert ours.validation_scores_ == pytest.approx(scores, rel=1e-12) and ours.n_iter_ == 9
    assert ours.best_validation_score_ == max(scores)
    assert ours.score(rows[::5], y[::5]) == pytest.approx(max(scores), rel=1e-12)
    assert ours.t_ == 9 * len(y)


def test_validation_rows_count_by_their_weights():
    weight = np.where(Y[::5] == 0, 1.0, 0.0)
    ours = MLPClassifier(early_stopping=True, **SMALL)
    ours.fit(X, Y, X_val=X[::5], y_val=Y[::5], sample_weight_val=weight)
    assert ours.score(X[::5], Y[::5], sample_weight=weight) == ours.best_validation_score_


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ({"X_val": X}, "there is no y_val; give both"),
        ({"y_val": Y}, "there is no X_val; give both"),
        ({"X_val": X[:, :3], "y_val": Y}, "X has 3 features, but MLPClassifier is expecting 4"),
        ({"X_val": X, "y_val": Y + 1}, r"y_val has the classes \[3\] and y has not"),
        ({"X_val": X, "y_val": Y, "sample_weight_val": np.zeros(150)}, "sample_weight_val adds up to nothing"),
    ],
    ids=["no targets", "no rows", "columns", "class", "weights"],
)
def test_validation_rows_that_do_not_fit_are_refused(rows, message):
    with pytest.raises(ValueError, match=message):
        MLPClassifier(early_stopping=True).fit(X, Y, **rows)


@pytest.mark.parametrize(
    ("kind", "scoring", "wanted"),
    [
        (MLPClassifier, "neg_log_loss", lambda model: -log_loss(Y, model.predict_proba(X), sample_weight=COUNTS)),
        (MLPClassifier, "f1_macro", lambda model: f1_score(Y, model.predict(X), average="macro", sample_weight=COUNTS)),
        (
            MLPRegressor,
            make_scorer(mean_absolute_error, greater_is_better=False),
            lambda model: -mean_absolute_error(Y, model.predict(X), sample_weight=COUNTS),
        ),
    ],
    ids=["log loss", "F1", "a scorer"],
)
def test_early_stopping_goes_by_what_is_asked_for(kind, scoring, wanted):
    options = {"early_stopping": True, "n_iter_no_change": 3, "learning_rate_init": 0.05, "random_state": 0}
    rows = {"X_val": X, "y_val": Y, "sample_weight_val": COUNTS}
    model = kind(hidden_layer_sizes=(5,), scoring=scoring, **options).fit(X[::3], Y[::3], **rows)
    assert model.best_validation_score_ == pytest.approx(wanted(model), rel=1e-6)  # of the weights that are kept
    assert model.best_validation_score_ == max(model.validation_scores_)


def test_negative_weights_of_rows_are_refused():
    with pytest.raises(ValueError, match="sample_weight has -0.5; give weights of 0 or more"):
        MLPClassifier().fit(X, Y, sample_weight=np.where(Y == 1, -0.5, 1.0))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"learning_rate_options": {"gamma": 1}}, "learning_rate 'constant' has none; give one of step, exponential"),
        ({"scoring": "f1_macro"}, "scoring says when to stop early, and early_stopping is False"),
        ({"scoring": "f2", "early_stopping": True}, "The 'scoring' parameter of MLPClassifier must be a str among"),
        ({"solver": "lbfgs", "dropout": 0.1}, "has no epochs, so it cannot take dropout; give another solver"),
        ({"solver": "lbfgs", "norm": "batch"}, "cannot take norm"),
        ({"solver": "lbfgs", "callbacks": [print]}, "cannot take callbacks"),
        ({"solver": "lbfgs", "learning_rate": "cosine"}, "cannot take learning_rate"),
        ({"learning_rate": "exponential"}, "gamma.*give it in learning_rate_options"),
        ({"device": "gpu"}, r"device is 'gpu' and cannot be used \(.*\); give 'auto', 'cpu' or a GPU"),
        ({"activation": "sigmoid"}, "The 'activation' parameter of MLPClassifier must be a str among"),
        ({"solver": "adamx"}, "The 'solver' parameter of MLPClassifier must be a str among"),
        ({"dropout": 1.0}, "The 'dropout' parameter of MLPClassifier must be a float in the range"),
        ({"norm": "group"}, "The 'norm' parameter of MLPClassifier must be"),
        ({"class_weight": [1, 2]}, "The 'class_weight' parameter of MLPClassifier must be"),
    ],
    ids=str,
)
def test_options_that_would_be_ignored_or_are_none_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        MLPClassifier(**options).fit(X, Y)


@pytest.mark.parametrize(
    ("y", "y_val", "message"),
    [
        (VALUES, np.stack([VALUES, VALUES], 1), "y_val has 2 columns and y 1; give the same targets"),
        (np.stack([VALUES, VALUES], 1), VALUES, "y_val has 1 columns and y 2; give the same targets"),
        (VALUES, VALUES[:1], r"X_val has one row, which has no R²; give two or more"),
    ],
    ids=["more", "less", "one row"],
)
def test_validation_targets_of_another_shape_are_refused(y, y_val, message):
    with pytest.raises(ValueError, match=message):
        MLPRegressor(early_stopping=True, **SMALL).fit(ROWS, y, X_val=ROWS[: len(y_val)], y_val=y_val)


def test_drawn_validation_rows_that_do_not_count_are_refused():
    with pytest.raises(ValueError, match="weights of the validation rows add up to nothing"):
        MLPClassifier(early_stopping=True, **SMALL).fit(X, Y, sample_weight=np.arange(len(X)) == 0)  # a training row


@pytest.mark.parametrize(
    ("options", "changes", "message"),
    [
        ({}, {"norm": "batch"}, "norm is 'batch' and the weights were learnt with another"),
        ({"norm": "layer"}, {"norm": "batch"}, "norm is 'batch' and the weights"),
        ({"norm": "layer"}, {"norm": None, "solver": "lbfgs"}, "norm is None and the weights"),
        ({}, {"loss": "poisson"}, "loss is 'poisson' and the weights were learnt for outputs by 'identity'"),
    ],
    ids=["added", "another", "dropped", "loss"],
)
def test_weights_that_do_not_suit_changed_arguments_are_refused(options, changes, message):
    ours = MLPRegressor(warm_start=True, **SMALL | options).fit(ROWS, VALUES).set_params(**changes)
    with pytest.raises(ValueError, match=message):
        ours.fit(ROWS, VALUES)


def test_schedule_that_torch_stumbles_over_is_refused():
    with pytest.raises(ValueError, match="learning_rate_options="):
        MLPRegressor(learning_rate="step", learning_rate_options={"step_size": 2, "last_epoch": 5}).fit(ROWS, VALUES)


def test_batch_of_one_row_is_normalised_by_the_running_figures():
    ours = MLPRegressor(**SMALL | {"norm": "batch", "batch_size": 40, "max_iter": 2}).fit(ROWS[:81], VALUES[:81])
    ours.set_params(batch_size="auto")
    assert np.isfinite(ours.loss_) and ours.partial_fit(ROWS[:1], VALUES[:1]).t_ == 2 * 81 + 1


def test_dropout_in_threads_is_that_of_each_fit_alone():
    alone = [MLPClassifier(**SMALL | {"dropout": 0.5, "random_state": seed}).fit(X, Y) for seed in range(4)]
    with ThreadPoolExecutor(4) as pool:
        fits = [MLPClassifier(**SMALL | {"dropout": 0.5, "random_state": seed}) for seed in range(4)]
        together = list(pool.map(lambda model: model.fit(X, Y), fits))
    for one, other in zip(alone, together, strict=True):
        same_weights(one, other)


@pytest.mark.parametrize("options", [{}, {"dropout": 0.2, "norm": "layer"}, {"solver": "nadam"}], ids=str)
def test_contexts_of_the_caller_do_not_reach_a_fit(options):
    plain = MLPRegressor(**SMALL | options).fit(ROWS.astype(np.float32), VALUES)
    with torch.inference_mode():
        inside = MLPRegressor(**SMALL | options).fit(ROWS.astype(np.float32), VALUES)
    with torch.autocast("cpu"):
        same_weights(plain, MLPRegressor(**SMALL | options).fit(ROWS.astype(np.float32), VALUES))
        assert plain.predict(ROWS.astype(np.float32)).dtype == np.float32
    same_weights(plain.partial_fit(ROWS, VALUES), inside.partial_fit(ROWS, VALUES))


def test_validation_rows_without_early_stopping_are_refused():
    with pytest.raises(ValueError, match="early_stopping is False; give early_stopping=True"):
        MLPClassifier().fit(X, Y, X_val=X, y_val=Y)


def test_schedule_without_an_end_is_refused_by_partial_fit():
    with pytest.raises(ValueError, match="partial_fit has no last epoch for learning_rate='cosine'"):
        MLPRegressor(learning_rate="cosine").partial_fit(ROWS, VALUES)


def test_warm_start_with_other_layers_is_refused():
    ours = MLPRegressor(warm_start=True, **SMALL).fit(ROWS, VALUES).set_params(hidden_layer_sizes=(7,))
    with pytest.raises(ValueError, match=r"weights are of layers \[10, 6, 1\] and now there are \[10, 7, 1\]"):
        ours.fit(ROWS, VALUES)


def test_callback_sees_each_epoch_and_ends_the_fit():
    seen = []

    def stop(model, figures):
        seen.append((figures["epoch"], figures["loss"], model.predict(ROWS[:1])[0]))
        assert figures["loss"] == model.loss_curve_[-1] and figures["seconds"] > 0
        return len(seen) == 3

    ours = MLPRegressor(callbacks=[stop], **SMALL).fit(ROWS, VALUES)
    assert [epoch for epoch, _, _ in seen] == [0, 1, 2] and ours.n_iter_ == 3
    assert len({value for _, _, value in seen}) == 3 and ours.predict(ROWS[:1])[0] == seen[-1][2]


def test_ctrl_c_keeps_what_was_learnt():
    def interrupt(model, figures):
        if figures["epoch"] == 4:
            raise KeyboardInterrupt

    with pytest.warns(UserWarning, match="Training interrupted by user"):
        ours = MLPRegressor(callbacks=[interrupt], **SMALL).fit(ROWS, VALUES)
    same_weights(ours, MLPRegressor(**SMALL | {"max_iter": 5}).fit(ROWS, VALUES))


def test_tensorboard_has_the_curves_of_the_fit(tmp_path):
    ours = MLPRegressor(early_stopping=True, callbacks=[TensorBoard(tmp_path)], **SMALL).fit(ROWS, VALUES)
    for run, tag, wanted in (("train", "loss", ours.loss_curve_), ("validation", "score", ours.validation_scores_)):
        events = EventAccumulator(str(tmp_path / run), size_guidance={"scalars": 0}).Reload().Scalars(tag)
        assert [event.step for event in events] == list(range(ours.n_iter_))
        assert [event.value for event in events] == pytest.approx(wanted, rel=1e-6)
    again = pickle.loads(pickle.dumps(copy.deepcopy(clone(ours))))
    assert again.callbacks[0].log_dir == str(tmp_path)


FITS = """
import sys, warnings
warnings.simplefilter("ignore")
from sklearn.datasets import load_iris
from sklearn.model_selection import cross_val_score
from torchann.estimators import MLPClassifier, MLPRegressor, Perceptron
assert "numba" not in sys.modules
X, y = load_iris(return_X_y=True)
rich = {"solver": "nadam", "activation": "gelu", "early_stopping": True, "dropout": 0.1}
for options in ({}, rich, {"solver": "lbfgs"}):
    MLPClassifier(max_iter=3, **options).fit(X, y).save("it.safetensors")
    MLPClassifier.load("it.safetensors").predict(X)
cross_val_score(MLPRegressor(max_iter=3), X, X, cv=2)
MLPRegressor(max_iter=3, loss="huber", solver="lbfgs").fit(X, y)
MLPRegressor(solver="sgd").partial_fit(X, y)
Perceptron().fit(X, y).predict(X)
print([name for name in ("torch", "lightning", "torchmetrics", "matplotlib", "tabulate") if name in sys.modules])
"""


def test_fit_predict_file_and_cross_validation_import_no_torch(tmp_path):
    done = subprocess.run([sys.executable, "-c", FITS], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout.strip() == "[]"


def test_unknown_option_of_a_schedule_is_refused():
    options = {"learning_rate": "cosine", "learning_rate_options": {"eta": 1}}
    with pytest.raises(ValueError, match="learning_rate 'cosine' has no option 'eta'; it takes"):
        MLPRegressor(**options).fit(ROWS, VALUES)


def test_one_cycle_ends_at_its_lowest_rate():
    rates = scheduled_rates("one_cycle", 0.1, None, epochs=2, steps=5)
    assert len(rates) == 10 and rates.max() == pytest.approx(0.1)
    assert rates[-1] == pytest.approx(0.1 / 25 / 1e4)  # torch's div_factor and final_div_factor
