"""The chapter's experiments: what is trained on what, and the figure that was published for it."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from lightning.pytorch import LightningDataModule

from torchann.data import CaliforniaHousingDataModule, FashionMNISTDataModule, IrisDataModule
from torchann.runs import Trainer
from torchann.tasks.classification import ClassificationMLP
from torchann.tasks.perceptron import Perceptron
from torchann.tasks.regression import RegressionMLP
from torchann.tasks.task import Task

Figure = float | str


@dataclass(frozen=True)
class Experiment:
    """A row of the published table.

    Attributes:
        name: as the command line and the run folders call it; ``experiments/NAME.yaml`` trains the same.
        section: of the chapter.
        title: what is trained.
        figure: what is measured, with its unit.
        published: the figure in the book or its library.
        source: where it was published.
        band: the lowest and highest figure that count as met; None if it must be equal.
        make: the task and the data of a seed, with Fashion-MNIST's folder (None to look for it).
        max_epochs: epochs to train.
        measure: the figure of a task that a Trainer has fitted.
    """

    name: str
    section: str
    title: str
    figure: str
    published: Figure
    source: str
    band: tuple[float, float] | None
    make: Callable[[int, str | None], tuple[Task, LightningDataModule]]
    max_epochs: int
    measure: Callable[[Trainer], Figure]

    @property
    def takes_seeds(self) -> bool:
        """Whether another seed may give another figure."""
        return self.band is not None

    def met_by(self, figure: Figure) -> bool:
        """Whether a figure counts as the published one."""
        if self.band is None:
            return figure == self.published
        return isinstance(figure, float) and self.band[0] <= figure <= self.band[1]


def _perceptron(trainer: Trainer) -> str:
    # weights; bias; epochs; the class of petals 2 cm long and 0.5 cm wide, as in the book
    task = trainer.lightning_module
    assert isinstance(task, Perceptron)
    weights = ", ".join(f"{weight:.4g}" for weight in task.net.weight[0].tolist())
    answer = task.predict(torch.tensor([[2.0, 0.5]])).item()
    return f"{weights}; {task.net.bias.item():.4g}; {trainer.current_epoch}; {answer}"


def _test_figure(name: str) -> Callable[[Trainer], float]:
    def measure(trainer: Trainer) -> float:
        task, data = trainer.lightning_module, trainer.datamodule  # type: ignore[attr-defined]
        return float(trainer.test(task, datamodule=data, verbose=False)[0][name])

    return measure


_ALL = (
    Experiment(
        name="iris_perceptron",
        section="10.1.3",
        title="Perceptron on iris, rows in stored order",
        figure="weights; bias; epochs; class",
        published="-0.5, -0.8; 2; 8; 1",
        source="scikit-learn 1.9, Perceptron(shuffle=False)",
        band=None,
        make=lambda seed, data_dir: (Perceptron(), IrisDataModule()),
        max_epochs=1000,
        measure=_perceptron,
    ),
    Experiment(
        name="iris_perceptron_shuffled",
        section="10.1.3",
        title="Perceptron on iris, rows as random_state=0 shuffles them",
        figure="weights; bias; epochs; class",
        published="-0.7, -1.2; 2; 7; 0",
        source="2nd edition; scikit-learn 1.9, Perceptron()",
        band=None,
        make=lambda seed, data_dir: (Perceptron(), IrisDataModule(order="scikit-learn", seed=0)),
        max_epochs=1000,
        measure=_perceptron,
    ),
    Experiment(
        name="housing_mlp",
        section="10.2.3",
        title="Regression MLP 8-30-1 on California housing",
        figure="test MSE",
        published=0.4212,
        source="2nd edition",
        band=(0.38, 0.46),
        make=lambda seed, data_dir: (RegressionMLP([30], lr=1e-3), CaliforniaHousingDataModule(32, seed)),
        max_epochs=20,
        measure=_test_figure("test_loss"),
    ),
    Experiment(
        name="fashion_mnist_mlp",
        section="10.2.2",
        title="Classification MLP 784-300-100-10 on Fashion-MNIST",
        figure="test accuracy",
        published=0.8837,
        source="2nd edition",
        band=(0.875, 0.895),
        make=lambda seed, data_dir: (
            ClassificationMLP([300, 100], lr=0.01),
            FashionMNISTDataModule(data_dir, 32, seed),
        ),
        max_epochs=30,
        measure=_test_figure("test_accuracy"),
    ),
)
EXPERIMENTS = {experiment.name: experiment for experiment in _ALL}
