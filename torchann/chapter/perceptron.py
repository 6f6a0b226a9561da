"""Section 10.1.3: the Perceptron on iris, equal to scikit-learn's."""

import torch

from torchann.chapter.experiment import Experiment, Figure, Published, Training
from torchann.data import IrisDataModule
from torchann.runs import Trainer
from torchann.tasks.perceptron import Perceptron

FIGURE = "weights; bias; epochs; class of petals 2 cm by 0.5 cm"


def _learnt(trainer: Trainer) -> dict[str, Figure]:
    task = trainer.lightning_module
    assert isinstance(task, Perceptron)
    weights = ", ".join(f"{weight:.4g}" for weight in task.net.weight[0].tolist())
    answer = task.predict(torch.tensor([[2.0, 0.5]])).item()
    return {FIGURE: f"{weights}; {task.net.bias.item():.4g}; {trainer.current_epoch}; {answer}"}


EXPERIMENTS = (
    Experiment(
        name="iris_perceptron",
        section="10.1.3",
        title="Perceptron on iris, rows in stored order",
        published=(Published(FIGURE, "-0.5, -0.8; 2; 8; 1"),),
        source="scikit-learn 1.9, Perceptron(shuffle=False)",
        run=Training(lambda setting: (Perceptron(), IrisDataModule()), 1000, _learnt),
        takes_seeds=False,
    ),
    Experiment(
        name="iris_perceptron_shuffled",
        section="10.1.3",
        title="Perceptron on iris, rows as random_state=0 shuffles them",
        published=(Published(FIGURE, "-0.7, -1.2; 2; 7; 0"),),
        source="2nd edition; scikit-learn 1.9, Perceptron()",
        run=Training(lambda setting: (Perceptron(), IrisDataModule(order="scikit-learn", seed=0)), 1000, _learnt),
        takes_seeds=False,
    ),
)
