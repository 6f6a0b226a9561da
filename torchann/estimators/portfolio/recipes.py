"""The nets that a table is tried with: their layers, and how they are trained."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from torchann.estimators.mlp_classifier import MLPClassifier
from torchann.estimators.mlp_regressor import MLPRegressor

ROWS_SEEN, FEWEST, MOST = 1_300_000, 10, 100
"""Rows that a net is trained on, over all epochs; epochs, at least and at most."""
BATCH, LARGE_BATCH, LARGE = 128, 256, 30_000
STEPS = 16  # of an epoch, at least
PATIENCE = 10


@dataclass(frozen=True)
class Recipe:
    """A net and how it is trained: by AdamW with a one-cycle rate, or by Adam until validation rows say stop.

    Attributes:
        name: in the leaderboard.
        hidden: neurons of each hidden layer.
        activation: of them.
        rate: the highest learning rate.
        decay: of the weights.
        dropout: share of neurons that are switched off.
        early: whether the epoch that is best on the rows left out decides, with Adam at a constant rate.
    """

    name: str
    hidden: tuple[int, ...]
    activation: str
    rate: float
    decay: float
    dropout: float = 0.0
    early: bool = False

    def epochs(self, rows: int) -> int:
        """Return for how many epochs so many rows are trained on."""
        return max(FEWEST, min(MOST, ROWS_SEEN // rows))

    def cost(self, rows: int, inputs: int, outputs: int) -> float:
        """Return the products of a fit, in units that are the same for all recipes."""
        sizes = [inputs, *self.hidden, outputs]
        weights = sum(first * second for first, second in pairwise(sizes))
        return float(self.epochs(rows) * rows * (weights + 40 * sum(sizes)))

    def net(self, classes: bool, rows: int, seed: int, callbacks: list[Any]) -> MLPClassifier | MLPRegressor:
        """Return an estimator that is to be fitted on so many rows."""
        batch = LARGE_BATCH if rows > LARGE else BATCH
        options: dict[str, Any] = {
            "hidden_layer_sizes": self.hidden,
            "activation": self.activation,
            "solver": "adam" if self.early else "adamw",
            "alpha": self.decay,
            "learning_rate_init": self.rate,
            "learning_rate": "constant" if self.early else "one_cycle",
            "batch_size": min(batch, max(8, rows // STEPS), rows),
            "max_iter": self.epochs(rows),
            "early_stopping": self.early,
            "n_iter_no_change": PATIENCE if self.early else MOST,
            "tol": 0.0,
            "dropout": self.dropout,
            "random_state": seed,
            "callbacks": callbacks,
        }
        return MLPClassifier(**options) if classes else MLPRegressor(**options)


RECIPES = (
    Recipe("early stopping", (128, 64), "relu", 0.001, 0.0, early=True),
    Recipe("relu", (256, 128), "relu", 0.003, 0.1, 0.1),
    Recipe("softsign", (96, 72, 64), "softsign", 0.01, 0.05),
    Recipe("strong decay", (64, 32), "softsign", 0.005, 0.5),
    Recipe("linear", (), "identity", 0.01, 0.02),
    Recipe("wide softsign", (192, 144, 128), "softsign", 0.01, 0.1),
    Recipe("gelu", (128, 96), "gelu", 0.005, 0.1, 0.1),
)
"""From the quickest to the slowest, so that a short time has something to show."""
