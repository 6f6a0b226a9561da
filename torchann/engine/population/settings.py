"""How one network of a population is trained."""

from dataclasses import dataclass
from math import inf


@dataclass(frozen=True)
class Settings:
    """What each network of a population has for itself. Names and defaults are those of scikit-learn's MLPs.

    Attributes:
        activation: of the hidden layers: ``"identity"``, ``"logistic"``, ``"tanh"`` or ``"relu"``.
        loss: ``"squared_error"`` (half of it), ``"log_loss"`` (softmax) or ``"binary_log_loss"`` (a sigmoid each).
        solver: ``"sgd"`` or ``"adam"``.
        alpha: L2 penalty on weights, not on biases; a batch counts ``alpha / (2 * rows)`` times the sum of squares.
        batch_size: rows per step.
        learning_rate: ``"constant"``, ``"invscaling"`` or ``"adaptive"``; of ``"sgd"`` alone.
        learning_rate_init: the rate to start with.
        power_t: exponent of ``"invscaling"``.
        max_iter: epochs, at most.
        tol: less than this is no improvement.
        momentum: of ``"sgd"``, 0–1.
        nesterovs_momentum: whether the gradient is taken ahead, where momentum would lead.
        n_iter_no_change: epochs without improvement after which training stops at the next such epoch.
        beta_1: share that Adam keeps of the mean of gradients.
        beta_2: share that Adam keeps of the mean of their squares.
        epsilon: what Adam adds to the root of that mean, outside of the correction for its start.
    """

    activation: str = "relu"
    loss: str = "squared_error"
    solver: str = "adam"
    alpha: float = 0.0001
    batch_size: int = 200
    learning_rate: str = "constant"
    learning_rate_init: float = 0.001
    power_t: float = 0.5
    max_iter: int = 200
    tol: float = 1e-4
    momentum: float = 0.9
    nesterovs_momentum: bool = True
    n_iter_no_change: float = 10
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8

    def __post_init__(self) -> None:
        for name, known in CHOICES.items():
            if (value := getattr(self, name)) not in known:
                raise ValueError(f"{name} is {value!r}; give one of {', '.join(map(repr, known))}")
        if self.batch_size < 1 or not 0 < self.learning_rate_init < inf:
            raise ValueError(
                f"batch_size is {self.batch_size} and learning_rate_init {self.learning_rate_init}; give 1 row or more "
                "and a finite rate above 0"
            )


CHOICES: dict[str, tuple[str, ...]] = {
    "activation": ("identity", "logistic", "tanh", "relu"),
    "loss": ("squared_error", "log_loss", "binary_log_loss"),
    "solver": ("sgd", "adam"),
    "learning_rate": ("constant", "invscaling", "adaptive"),
}
