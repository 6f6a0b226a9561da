"""Sections 10.2.2 to 10.2.8: nets that the 2nd edition and the PyTorch edition train on their data."""

from math import inf, isfinite
from typing import Any

from torchann.chapter.experiment import Experiment, Measurement, Published, Training, measured, trained
from torchann.chapter.two_inputs import Dynamic, TwoInputs
from torchann.data import FashionMNISTDataModule
from torchann.files.metric_name import MetricName
from torchann.files.run import Run
from torchann.tasks.classification import ClassificationMLP
from torchann.tasks.net_task import NetTask
from torchann.tasks.outputs import Output
from torchann.tasks.regression import RegressionMLP
from torchann.tasks.wide_and_deep import WideAndDeep
from torchann.training.early_stopping import EarlyStopping
from torchann.training.trainer import Trainer

EPOCHS, FIRST_EPOCHS = 20, 10
WIDE, DEEP = [0, 1, 2, 3, 4], [2, 3, 4, 5, 6, 7]
SPLIT = {"wide_features": WIDE, "deep_features": DEEP}
AUX = {**SPLIT, "aux_weight": 0.2}
SEVEN_SEEDS = "bands: the range of 7 seeds and a quarter more at either end"
SECOND = f"2nd edition; {SEVEN_SEEDS}"
TEST_MAIN = Published("test MSE, main", 0.4178, (0.406, 0.448))
RESTORED = "largest difference of predictions after restoring"
STOPPED = "epochs after the first ten until it stopped"
WORST, END = "highest validation MSE of an epoch", "validation MSE at the end"
Band = tuple[float, float]


def _own_net(net: TwoInputs) -> NetTask:
    outputs = {"main": Output(weight=0.9), "aux": Output(weight=0.1)}
    return NetTask(net, outputs, inputs={"wide": WIDE, "deep": DEEP}, lr=1e-3)


def _pytorch(version: int, lr: float, what: str, rmse: Band, bands: tuple[Band, Band], **paths: Any) -> Experiment:
    logged = [MetricName(stage, "main" if "aux_weight" in paths else "", "rmse").key for stage in ("train", "val")]
    training, validation = map(Published, ("training RMSE", "validation RMSE"), rmse, bands)
    return trained(
        f"wide_deep_pytorch_{version}",
        "10.2.4",
        f"Wide & Deep 50-40-30, version {version}: {what}",
        lambda: WideAndDeep([50, 40, 30], weight_init=None, lr=lr, **paths),
        EPOCHS,
        dict(zip(logged, (training, validation), strict=True)),
        f"PyTorch edition; {SEVEN_SEEDS}",
    )


def _two_hidden_layers(lr: float = 1e-3) -> RegressionMLP:
    return RegressionMLP([30, 30], lr=lr)


def _restored(trainer: Trainer) -> dict[str, Measurement]:
    measurements = measured(val_loss="validation MSE", test_loss="test MSE")(trainer)
    task = trainer.lightning_module
    again = RegressionMLP.load_from_checkpoint(Run(trainer.run_folder).last, map_location="cpu", weights_only=True)
    assert isinstance(task, RegressionMLP)
    x = trainer.datamodule.splits.test.x  # type: ignore[attr-defined]
    return {**measurements, RESTORED: (again.predict(x) - task.predict(x)).abs().max().item()}


def _stopped(trainer: Trainer) -> dict[str, Measurement]:
    epochs = {STOPPED: float(trainer.current_epoch - FIRST_EPOCHS)}
    return {**epochs, **measured(test_loss="test MSE of the best weights")(trainer)}


def _explosion(trainer: Trainer) -> dict[str, Measurement]:
    losses = [row["val_loss"] if isfinite(row["val_loss"]) else inf for row in trainer.history]
    return {WORST: max(losses), END: losses[-1]}


EXPERIMENTS = (
    trained(
        "fashion_mnist_mlp",
        "10.2.2",
        "Classification MLP 784-300-100-10 on Fashion-MNIST",
        lambda: ClassificationMLP([300, 100], lr=0.01),
        30,
        {
            "val_accuracy": Published("validation accuracy", 0.8920, (0.88, 0.90)),
            "test_loss": Published("test loss", 0.3357, (0.31, 0.36)),
            "test_accuracy": Published("test accuracy", 0.8837, (0.875, 0.895)),
        },
        "2nd edition; 3rd edition: validation accuracy 0.8894, test 0.3243 and 0.8864",
        data=lambda setting: FashionMNISTDataModule(setting.data_dir, 32, setting.seed),
    ),
    trained(
        "housing_mlp",
        "10.2.3",
        "Regression MLP 8-30-1 on California housing",
        lambda: RegressionMLP([30], lr=1e-3),
        EPOCHS,
        {
            "val_loss": Published("validation MSE", 0.3969, (0.35, 0.45)),
            "test_loss": Published("test MSE", 0.4212, (0.38, 0.46)),
        },
        "2nd edition",
    ),
    trained(
        "wide_deep",
        "10.2.4",
        "Wide & Deep 30-30 on California housing",
        lambda: WideAndDeep([30, 30], lr=1e-3),
        EPOCHS,
        {
            "val_loss": Published("validation MSE", 0.4054, (0.378, 0.448)),
            "test_loss": Published("test MSE", 0.4032, (0.390, 0.462)),
        },
        SECOND,
    ),
    trained(
        "wide_deep_two_inputs",
        "10.2.4",
        "Wide & Deep, columns 0-4 wide and 2-7 deep",
        lambda: WideAndDeep([30, 30], lr=1e-3, wide_features=WIDE, deep_features=DEEP),
        EPOCHS,
        {
            "val_loss": Published("validation MSE", 0.4204, (0.364, 0.495)),
            "test_loss": Published("test MSE", 0.4219, (0.399, 0.452)),
        },
        SECOND,
    ),
    trained(
        "wide_deep_aux",
        "10.2.4",
        "Wide & Deep with an auxiliary output, weights 0.9 / 0.1",
        lambda: WideAndDeep([30, 30], lr=1e-3, wide_features=WIDE, deep_features=DEEP, aux_weight=0.1),
        EPOCHS,
        {
            "val_loss": Published("validation loss", 0.4655, (0.440, 0.615)),
            "val_main_loss": Published("validation MSE, main", 0.4048, (0.389, 0.460)),
            "val_aux_loss": Published("validation MSE, auxiliary", 1.0118, (0.53, 2.60)),
            "test_loss": Published("test loss", 0.4668, (0.427, 0.526)),
            "test_main_loss": TEST_MAIN,
            "test_aux_loss": Published("test MSE, auxiliary", 0.9082, (0.62, 1.23)),
        },
        SECOND,
    ),
    trained(
        "wide_deep_named",
        "10.2.4",
        "A net of one's own with two named inputs and outputs",
        lambda: _own_net(TwoInputs()),
        EPOCHS,
        {"test_main_loss": TEST_MAIN},
        SECOND,
    ),
    trained(
        "wide_deep_dynamic",
        "10.2.5",
        "Two named inputs and outputs, with Python control flow in forward",
        lambda: _own_net(Dynamic(repeats=[0, 1, 2])),
        EPOCHS,
        {"test_main_loss": Published("test MSE, main", 0.4178, (0.406, 0.501))},
        "2nd edition, of the net that is not dynamic; this one is harder to train: 0.446 to 0.490 of 7 seeds",
    ),
    _pytorch(1, 0.002, "all features on both paths", (0.6193, 0.5957), ((0.598, 0.674), (0.55, 2.71))),
    _pytorch(2, 0.002, "columns sliced in the net", (0.6389, 0.6493), ((0.627, 0.646), (0.608, 0.667)), **SPLIT),
    _pytorch(3, 0.01, "two inputs", (0.5841, 0.5620), ((0.575, 0.586), (0.514, 0.777)), **SPLIT),
    _pytorch(4, 0.01, "auxiliary output, 0.8 / 0.2", (0.5851, 0.5616), ((0.575, 0.591), (0.540, 0.662)), **AUX),
    Experiment(
        "housing_saved",
        "10.2.6",
        "Regression MLP 8-30-30-1, saved after 10 epochs and restored",
        (
            Published("validation MSE", 0.4379, (0.425, 0.471)),
            Published("test MSE", 0.4382, (0.431, 0.493)),
            Published(RESTORED, 0.0, (0.0, 0.0), by="law"),
        ),
        "2nd edition; bands: the range of 5 seeds and a half more at either end",
        Training(_two_hidden_layers, FIRST_EPOCHS, _restored),
    ),
    Experiment(
        "housing_early_stopping",
        "10.2.7",
        "Regression MLP 8-30-30-1, stopped early and back at its best weights",
        (Published(STOPPED, 96.0, (10.0, 100.0)), Published("test MSE of the best weights", 0.3310, (0.321, 0.429))),
        "2nd edition; 5 seeds: 17 to 100 epochs, 0.339 to 0.411, and a quarter more at either end",
        Training(
            _two_hidden_layers,
            FIRST_EPOCHS + 100,
            _stopped,
            callbacks=lambda: [EarlyStopping(patience=10, start_from_epoch=FIRST_EPOCHS)],
        ),
    ),
    trained(
        "housing_lr_good",
        "10.2.8",
        "TensorBoard run, 8-30-30-1 at learning rate 0.001",
        _two_hidden_layers,
        30,
        {"val_loss": Published("validation MSE", 0.3548, (0.345, 0.438))},
        "2nd edition; band: the range of 5 seeds and a quarter more at either end",
    ),
    Experiment(
        "housing_lr_too_high",
        "10.2.8",
        "TensorBoard run, 8-30-30-1 at learning rate 0.05",
        # Of 60 seeds 19 ended in numbers that are none, the others between 0.26 and 0.89 after peaks of 1 to 1e3;
        # the book's own figures are the highest known.
        (Published(WORST, 8e9, (1.0, 1e10)), Published(END, 1.3174, (0.26, 1.5))),
        "2nd edition, one seed that exploded in its second epoch; here one in three does",
        Training(lambda: _two_hidden_layers(0.05), 30, _explosion),
    ),
)
