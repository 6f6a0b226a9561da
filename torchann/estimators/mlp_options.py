"""Arguments of our MLPs beyond scikit-learn's: what they may be, and which of them go together."""

from numbers import Real
from typing import Any

from sklearn.neural_network._multilayer_perceptron import BaseMultilayerPerceptron
from sklearn.utils._param_validation import Interval, StrOptions

from torchann.functional import ACTIVATIONS

TORCH_SOLVERS = ("adamw", "nadam", "adagrad", "rmsprop")
SCHEDULES = ("step", "exponential", "cosine", "one_cycle")
SKLEARN_ACTIVATIONS = ("identity", "logistic", "tanh", "relu")
CONSTRAINTS: dict[str, list[Any]] = {
    **BaseMultilayerPerceptron._parameter_constraints,
    "activation": [StrOptions({*SKLEARN_ACTIVATIONS, *ACTIVATIONS} - {"sigmoid"})],
    "solver": [StrOptions({"lbfgs", "sgd", "adam", *TORCH_SOLVERS})],
    "learning_rate": [StrOptions({"constant", "invscaling", "adaptive", *SCHEDULES})],
    "learning_rate_options": [dict, None],
    "dropout": [Interval(Real, 0, 1, closed="left")],
    "norm": [StrOptions({"batch", "layer"}), None],
    "device": [str],
    "callbacks": [list, tuple, None],
}


def check_together(model: Any, held_out: bool, incremental: bool) -> None:
    """Refuses what would be ignored.

    Args:
        model: an MLP about to be fitted.
        held_out: whether there are validation rows of one's own.
        incremental: whether this is ``partial_fit``.

    Raises:
        ValueError: for arguments that do not go together.
    """
    if incremental and model.early_stopping:
        raise ValueError("partial_fit does not support early_stopping=True")
    if incremental and getattr(model, "class_weight", None) == "balanced":
        raise ValueError(
            "partial_fit sees a part of the rows and cannot balance the classes; give class_weight numbers"
        )
    if held_out and not model.early_stopping:
        raise ValueError("X_val decides when to stop, and early_stopping is False; give early_stopping=True")
    if model.learning_rate_options and model.learning_rate not in SCHEDULES:
        raise ValueError(
            f"learning_rate_options is {model.learning_rate_options} and learning_rate {model.learning_rate!r} has "
            f"none; give one of {', '.join(SCHEDULES)}"
        )
    if incremental and model.learning_rate in SCHEDULES:
        raise ValueError(
            f"partial_fit has no last epoch for learning_rate={model.learning_rate!r} to go by; call fit, or give "
            "'constant'"
        )
    if model.solver == "lbfgs":
        given = {
            "dropout": model.dropout,
            "norm": model.norm,
            "callbacks": model.callbacks,
            "X_val": held_out,
            "learning_rate": model.learning_rate in SCHEDULES,
        }
        if ignored := [name for name, value in given.items() if value]:
            raise ValueError(
                f"solver 'lbfgs' sees all rows at once and has no epochs, so it cannot take {', '.join(ignored)}; "
                "give another solver, such as 'adam'"
            )
