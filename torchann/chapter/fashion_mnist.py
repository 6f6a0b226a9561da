"""Section 10.2.2: the image classifier on Fashion-MNIST."""

from torchann.chapter.experiment import Experiment, Published, Training, measured
from torchann.data import FashionMNISTDataModule
from torchann.tasks.classification import ClassificationMLP

EXPERIMENTS = (
    Experiment(
        name="fashion_mnist_mlp",
        section="10.2.2",
        title="Classification MLP 784-300-100-10 on Fashion-MNIST",
        published=(
            Published("validation accuracy", 0.8920, (0.88, 0.90)),
            Published("test loss", 0.3357, (0.31, 0.36)),
            Published("test accuracy", 0.8837, (0.875, 0.895)),
        ),
        source="2nd edition; 3rd edition: validation accuracy 0.8894, test 0.3243 and 0.8864",
        run=Training(
            lambda: ClassificationMLP([300, 100], lr=0.01),
            30,
            measured(val_accuracy="validation accuracy", test_loss="test loss", test_accuracy="test accuracy"),
            lambda setting: FashionMNISTDataModule(setting.data_dir, 32, setting.seed),
        ),
    ),
)
