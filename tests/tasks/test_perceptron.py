import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from sklearn.linear_model import Perceptron as SklearnPerceptron

from tests.tasks.tables import Table, class_table, fit
from torchann import IrisDataModule, Perceptron, Trainer
from torchann.engine.rows.shuffling import sklearn_order


def fitted(data, max_epochs: int = 1000, **options):
    model = Perceptron(**options)
    trainer = fit(model, data, max_epochs)
    return model, trainer.current_epoch


def noise(seed: int, scale: float = 1.0, num_rows: int = 80, num_features: int = 6):
    """Two classes that no line separates; whole numbers, so that sums are exact in any order."""
    generator = np.random.default_rng(seed)
    x = np.round(8 * generator.normal(size=(num_rows, num_features))) * scale / 8
    return x, (x[:, 0] + generator.normal(size=num_rows) * scale > 0).astype(int)


def noise_module(seed: int, batch_size: int = 32, **options) -> Table:
    x, y = noise(seed, **options)
    return Table(torch.from_numpy(x), torch.from_numpy(y), batch_size, sklearn_order(len(x), seed))


def assert_equal_to_sklearn(model: Perceptron, epochs: int, reference: SklearnPerceptron) -> None:
    np.testing.assert_array_equal(model.net.weight.detach().numpy(), reference.coef_)
    np.testing.assert_array_equal(model.net.bias.detach().numpy(), reference.intercept_)
    assert epochs == reference.n_iter_


@pytest.mark.parametrize(
    ("order", "seed", "weight", "bias", "num_epochs", "predicted"),
    [
        ("stored", 0, [-0.5, -0.8], 2, 8, 1),  # scikit-learn: Perceptron(shuffle=False); 2 - 1.0 - 0.4 > 0
        ("scikit-learn", 0, [-0.7, -1.2], 2, 7, 0),  # Perceptron(random_state=0), its default
        ("scikit-learn", 42, [-1.4, -2.2], 4, 7, 1),  # Perceptron(random_state=42), the book's
    ],
)
def test_perceptron_on_iris_ends_where_the_book_and_sklearn_end(order, seed, weight, bias, num_epochs, predicted):
    model, epochs = fitted(IrisDataModule(order=order, seed=seed))
    # Sums of tenths: published to one decimal.
    np.testing.assert_allclose(model.net.weight.detach().numpy(), [weight], atol=1e-12)
    assert model.net.bias.item() == bias
    assert epochs == num_epochs
    assert model.predict([[2, 0.5]]).tolist() == [predicted]
    assert model.predict(np.array([[2, 0.5]])).tolist() == [predicted]


@pytest.mark.parametrize("seed", [1, 2, 1234])
def test_perceptron_on_iris_equals_sklearn_bit_for_bit(seed):
    data = IrisDataModule(order="scikit-learn", seed=seed)
    model, epochs = fitted(data)
    reference = SklearnPerceptron(random_state=seed).fit(data.splits.train.x.numpy(), data.splits.train.y.numpy())
    assert_equal_to_sklearn(model, epochs, reference)


@pytest.mark.parametrize("seed", [0, 7])
@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ({}, {}),
        ({"n_iter_no_change": 2}, {"n_iter_no_change": 2}),
        ({"tol": 0.1}, {"tol": 0.1}),
        ({"lr": 0.5}, {"eta0": 0.5}),
    ],
)
def test_perceptron_on_noise_equals_sklearn_bit_for_bit(seed, ours, theirs):
    model, epochs = fitted(noise_module(seed), **ours)
    assert_equal_to_sklearn(model, epochs, SklearnPerceptron(random_state=seed, **theirs).fit(*noise(seed)))


@pytest.mark.parametrize("seed", [0, 3])
def test_perceptron_stops_as_sklearn_does_where_losses_are_far_above_the_tolerance(seed):
    model, epochs = fitted(noise_module(seed, scale=1e6))
    assert_equal_to_sklearn(model, epochs, SklearnPerceptron(random_state=seed).fit(*noise(seed, scale=1e6)))


def test_perceptron_without_tolerance_takes_all_epochs_as_sklearn_does():
    model, epochs = fitted(noise_module(5), max_epochs=12, tol=None)
    assert epochs == 12
    assert_equal_to_sklearn(model, epochs, SklearnPerceptron(random_state=5, tol=None, max_iter=12).fit(*noise(5)))


@pytest.mark.parametrize("batch_size", [1, 7, 80])
def test_perceptron_does_not_depend_on_the_batch_size(batch_size):
    model, epochs = fitted(noise_module(4, batch_size))
    assert_equal_to_sklearn(model, epochs, SklearnPerceptron(random_state=4).fit(*noise(4)))


def test_perceptron_fitted_again_counts_its_epochs_without_improvement_anew():
    # On separable rows with final weights every epoch has loss 0: the first is an improvement, five more are not.
    data = IrisDataModule()
    model, _ = fitted(data)
    assert fit(model, data, max_epochs=1000).current_epoch == 6


def test_perceptron_resumed_from_a_checkpoint_goes_on_as_if_never_stopped(tmp_path):
    uninterrupted, epochs = fitted(noise_module(0))
    stopped = Perceptron()
    fit(stopped, noise_module(0), max_epochs=epochs - 2).save_checkpoint(tmp_path / "stopped.ckpt")
    resumed = Perceptron()
    trainer = Trainer(logger=False, quiet=True, max_epochs=1000)
    trainer.fit(resumed, datamodule=noise_module(0), ckpt_path=tmp_path / "stopped.ckpt", weights_only=True)
    assert trainer.current_epoch == epochs
    assert torch.equal(resumed.net.weight, uninterrupted.net.weight)


def test_perceptron_logs_its_mean_loss_and_accuracy():
    rows = Table(torch.tensor([[1.0, 2.0], [3.0, 1.0]], dtype=torch.float64), torch.tensor([1, 0]))
    trainer = fit(Perceptron(), rows, max_epochs=1)
    # The rule's own hand-worked steps: z = 0 for t = +1 loses 0, z = 6 for t = -1 loses 6. Both are predicted wrong.
    assert trainer.callback_metrics["train_loss"].item() == 3.0
    assert trainer.callback_metrics["train_accuracy"].item() == 0.0
    # Then w = (-2, 1), b = 0: z = 0 and -5, predicted 0 and 0, losses 0 and 0.
    assert trainer.callback_metrics["val_loss"].item() == 0.0
    assert trainer.callback_metrics["val_accuracy"].item() == 0.5


def test_perceptron_takes_its_sizes_from_the_data_and_can_be_loaded_back(tmp_path):
    model = Perceptron()
    fit(model, IrisDataModule()).save_checkpoint(tmp_path / "perceptron.ckpt")
    loaded = Perceptron.load_from_checkpoint(tmp_path / "perceptron.ckpt", weights_only=True)
    assert json.loads(json.dumps(dict(loaded.hparams))) == dict(model.hparams)
    assert loaded.hparams.class_names == ["not setosa", "setosa"]
    assert torch.equal(loaded.net.weight, model.net.weight)


def test_perceptron_has_no_probabilities():
    with pytest.raises(AttributeError, match="Perceptron .* has no probabilities; call predict"):
        Perceptron(in_features=2).predict_proba([[2, 0.5]])


def test_perceptron_refuses_three_classes():
    with pytest.raises(ValueError, match="separates 2 classes and the data has 3"):
        fit(Perceptron(), class_table(num_classes=3))


def test_perceptron_refuses_to_be_shared_by_processes():
    model = Perceptron(in_features=2)
    model.trainer = SimpleNamespace(datamodule=None, world_size=4)
    with pytest.raises(ValueError, match=r"cannot be shared by 4 processes; use Trainer\(devices=1\)"):
        model.setup("fit")


def test_perceptron_takes_integer_inputs_as_the_numbers_they_are():
    model = Perceptron(in_features=2)
    model.net.weight.data[:] = torch.tensor([[1.0, -1.0]])
    assert model.predict(torch.tensor([[3, 1], [1, 3]])).tolist() == [1, 0]
