"""Fisher's iris flowers by the length and width of their petals, as the book's Perceptron sees them."""

from collections.abc import Sequence
from functools import partial
from typing import Literal, get_args

import torch
from torch import Tensor

from torchann.data.in_memory import InMemoryDataModule, Split, Splits
from torchann.engine.rows.loader import TensorLoader
from torchann.engine.rows.shuffling import sklearn_order
from torchann.nets.names import did_you_mean

Target = Literal["setosa", "species"]
RowOrder = Literal["stored", "shuffled", "scikit-learn"]

CLASS_NAMES = {
    "setosa": ["not setosa", "setosa"],
    "species": ["setosa", "versicolor", "virginica"],
}


class IrisDataModule(InMemoryDataModule):
    """Iris: petal length and width in cm, ``(150, 2)`` float64; the class, ``(150,)`` int64.

    All 150 rows are training rows, as in the book, and the same 150 rows, in stored order, are what the validation,
    test and predict loaders serve: figures measured on them are training figures.

    Args:
        target: ``"setosa"`` for 1 = setosa and 0 = not, ``"species"`` for the three species.
        batch_size: rows per training batch, at least 1.
        order: the order of the training rows: ``"stored"``, as scikit-learn has them, sorted by species, which suits
            a Perceptron; ``"shuffled"`` in each epoch, which suits gradient descent; or ``"scikit-learn"``, as its
            ``Perceptron(random_state=seed)`` visits them.
        seed: seed of the last two orders.

    Raises:
        ValueError: if ``target`` or ``order`` is none of the above.

    Example:
        >>> iris = IrisDataModule(batch_size=2)
        >>> iris.class_names
        ['not setosa', 'setosa']
        >>> iris.setup()
        >>> x, y = next(iter(iris.train_dataloader()))
        >>> x.tolist(), y.tolist()
        ([[1.4, 0.2], [1.4, 0.2]], [1, 1])
    """

    name = "iris"
    in_features = 2

    def __init__(
        self, target: Target = "setosa", batch_size: int = 32, order: RowOrder = "stored", seed: int = 0
    ) -> None:
        super().__init__(batch_size, seed)
        _check_choice("target", target, get_args(Target))
        _check_choice("order", order, get_args(RowOrder))
        self.target: Target = target
        self.order: RowOrder = order
        self.feature_names: list[str] = ["petal length (cm)", "petal width (cm)"]
        self.class_names: list[str] = list(CLASS_NAMES[target])
        self.num_classes: int = len(self.class_names)

    def read(self) -> Splits:
        """All 150 rows, three times over."""
        from sklearn.datasets import load_iris  # only here, as it imports pandas and SciPy's statistics

        iris = load_iris()
        columns = [iris.feature_names.index(name) for name in self.feature_names]
        species = torch.from_numpy(iris.target).to(torch.int64)
        y = (species == CLASS_NAMES["species"].index("setosa")).long() if self.target == "setosa" else species
        rows = Split(torch.from_numpy(iris.data[:, columns]), y)
        return Splits(rows, rows, rows)

    def train_dataloader(self) -> TensorLoader:
        """The 150 rows in the order asked for."""
        rows = len(self.splits.train.y)
        if self.order == "shuffled":
            return self._training_loader(shuffle=True)
        stored = partial(_stored_order, rows)
        return self._training_loader(order=sklearn_order(rows, self.seed) if self.order == "scikit-learn" else stored)


def _stored_order(rows: int, epoch: int) -> Tensor:
    return torch.arange(rows)


def _check_choice(argument: str, value: str, choices: Sequence[str]) -> None:
    if value not in choices:
        hint = did_you_mean(str(value), choices, before="; ")
        raise ValueError(f"{argument} is {value!r}; give one of {', '.join(map(repr, choices))}{hint}")
