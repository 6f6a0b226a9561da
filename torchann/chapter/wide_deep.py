"""Sections 10.2.4 and 10.2.5: Wide & Deep nets, with several inputs and outputs, and dynamic ones."""

from collections.abc import Callable, Sequence

from torchann.chapter.experiment import Experiment, Published, Training, measured
from torchann.chapter.two_inputs import Dynamic, TwoInputs
from torchann.files.metric_name import STAGES, MetricName
from torchann.tasks.net_task import NetTask
from torchann.tasks.outputs import Output
from torchann.tasks.task import Task
from torchann.tasks.wide_and_deep import WideAndDeep

WIDE, DEEP = [0, 1, 2, 3, 4], [2, 3, 4, 5, 6, 7]
EPOCHS = 20
SECOND = "2nd edition; bands: the range of 7 seeds and a quarter more at either end"
Band = tuple[float, float]


def _own_net(net: TwoInputs) -> NetTask:
    outputs = {"main": Output(weight=0.9), "aux": Output(weight=0.1)}
    return NetTask(net, outputs, inputs={"wide": WIDE, "deep": DEEP}, lr=1e-3)


def _experiment(
    name: str,
    title: str,
    task: Callable[[], Task],
    published: Sequence[Published],
    source: str = SECOND,
    section: str = "10.2.4",
    **logged: str,
) -> Experiment:
    return Experiment(name, section, title, tuple(published), source, Training(task, EPOCHS, measured(**logged)))


def _pytorch(
    version: int, lr: float, what: str, rmse: tuple[float, float], bands: tuple[Band, Band], **paths: object
) -> Experiment:
    output = "main" if "aux_weight" in paths else ""
    return _experiment(
        f"wide_deep_pytorch_{version}",
        f"Wide & Deep 50-40-30, version {version}: {what}",
        lambda: WideAndDeep([50, 40, 30], weight_init=None, lr=lr, **paths),  # type: ignore[arg-type]
        [Published("training RMSE", rmse[0], bands[0]), Published("validation RMSE", rmse[1], bands[1])],
        "PyTorch edition; bands: the range of 7 seeds and a quarter more at either end",
        **{MetricName(stage, output, "rmse").key: f"{STAGES[stage]} RMSE" for stage in ("train", "val")},
    )


MAIN = {"val_main_loss": "validation MSE, main", "test_main_loss": "test MSE, main"}
AUX = {"val_aux_loss": "validation MSE, auxiliary", "test_aux_loss": "test MSE, auxiliary"}
SPLIT = {"wide_features": WIDE, "deep_features": DEEP}
EXPERIMENTS = (
    _experiment(
        "wide_deep",
        "Wide & Deep 30-30 on California housing",
        lambda: WideAndDeep([30, 30], lr=1e-3),
        [Published("validation MSE", 0.4054, (0.378, 0.448)), Published("test MSE", 0.4032, (0.390, 0.462))],
        val_loss="validation MSE",
        test_loss="test MSE",
    ),
    _experiment(
        "wide_deep_two_inputs",
        "Wide & Deep, columns 0-4 wide and 2-7 deep",
        lambda: WideAndDeep([30, 30], lr=1e-3, wide_features=WIDE, deep_features=DEEP),
        [Published("validation MSE", 0.4204, (0.364, 0.495)), Published("test MSE", 0.4219, (0.399, 0.452))],
        val_loss="validation MSE",
        test_loss="test MSE",
    ),
    _experiment(
        "wide_deep_aux",
        "Wide & Deep with an auxiliary output, weights 0.9 / 0.1",
        lambda: WideAndDeep([30, 30], lr=1e-3, wide_features=WIDE, deep_features=DEEP, aux_weight=0.1),
        [
            Published("validation loss", 0.4655, (0.440, 0.615)),
            Published("validation MSE, main", 0.4048, (0.389, 0.460)),
            Published("validation MSE, auxiliary", 1.0118, (0.53, 2.60)),
            Published("test loss", 0.4668, (0.427, 0.526)),
            Published("test MSE, main", 0.4178, (0.406, 0.448)),
            Published("test MSE, auxiliary", 0.9082, (0.62, 1.23)),
        ],
        val_loss="validation loss",
        test_loss="test loss",
        **MAIN,
        **AUX,
    ),
    _experiment(
        "wide_deep_named",
        "A net of one's own with two named inputs and outputs",
        lambda: _own_net(TwoInputs()),
        [Published("test MSE, main", 0.4178, (0.406, 0.448))],
        test_main_loss="test MSE, main",
    ),
    _experiment(
        "wide_deep_dynamic",
        "Two named inputs and outputs, with Python control flow in forward",
        lambda: _own_net(Dynamic(repeats=[0, 1, 2])),
        [Published("test MSE, main", 0.4178, (0.406, 0.501))],
        "2nd edition, of the net that is not dynamic; this one is harder to train: 0.446 to 0.490 of 7 seeds",
        "10.2.5",
        test_main_loss="test MSE, main",
    ),
    _pytorch(1, 0.002, "all features on both paths", (0.6193, 0.5957), ((0.598, 0.674), (0.55, 2.71))),
    _pytorch(2, 0.002, "columns sliced in the net", (0.6389, 0.6493), ((0.627, 0.646), (0.608, 0.667)), **SPLIT),
    _pytorch(3, 0.01, "two inputs", (0.5841, 0.5620), ((0.575, 0.586), (0.514, 0.777)), **SPLIT),
    _pytorch(
        4,
        0.01,
        "auxiliary output, 0.8 / 0.2",
        (0.5851, 0.5616),
        ((0.575, 0.591), (0.540, 0.662)),
        aux_weight=0.2,
        **SPLIT,
    ),
)
