"""Arguments of our MLPs beyond scikit-learn's: what they may be, and which of them go together."""

from numbers import Real
from typing import Any

from sklearn.metrics import get_scorer_names

from torchann.engine.inference import ACTIVATIONS
from torchann.estimators.sklearn_internals import Interval, StrOptions

TORCH_SOLVERS = ("adamw", "nadam", "adagrad", "rmsprop")
SCHEDULES = ("step", "exponential", "cosine", "one_cycle")
OWN_LOSSES = {"absolute_error": "mae", "huber": "huber"}
"""Losses that scikit-learn's MLPs lack, by the names that the tasks know them by."""
SKLEARN_ACTIVATIONS = ("identity", "logistic", "tanh", "relu")
NORM_PARTS: dict[Any, list[str]] = {
    None: [],
    "layer": ["bias", "weight"],
    "batch": ["bias", "running_mean", "running_var", "weight"],
}
"""What a normalisation keeps of a hidden layer, by torch's names."""
CONSTRAINTS: dict[str, list[Any]] = {
    "activation": [StrOptions({*SKLEARN_ACTIVATIONS, *ACTIVATIONS} - {"sigmoid"})],
    "solver": [StrOptions({"lbfgs", "sgd", "adam", *TORCH_SOLVERS})],
    "learning_rate": [StrOptions({"constant", "invscaling", "adaptive", *SCHEDULES})],
    "learning_rate_options": [dict, None],
    "dropout": [Interval(Real, 0, 1, closed="left")],
    "norm": [StrOptions({"batch", "layer"}), None],
    "device": [str],
    "callbacks": [list, tuple, None],
    "scoring": [StrOptions(set(get_scorer_names())), callable, None],
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
    if incremental and model.early_stopping and model.solver != "lbfgs":
        raise ValueError("partial_fit does not support early_stopping=True")
    if incremental and getattr(model, "class_weight", None) == "balanced":
        raise ValueError(
            "partial_fit sees a part of the rows and cannot balance the classes; give class_weight numbers"
        )
    if held_out and not model.early_stopping:
        raise ValueError("X_val decides when to stop, and early_stopping is False; give early_stopping=True")
    if model.scoring is not None and not model.early_stopping:
        raise ValueError("scoring says when to stop early, and early_stopping is False; give early_stopping=True")
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


def check_unchanged(model: Any) -> None:
    """Refuses arguments that the weights there are do not suit.

    Args:
        model: an MLP whose weights are set, and about to be trained further.

    Raises:
        ValueError: for another normalisation, or a loss with another output activation.
    """
    has = sorted(model.norms_[0]) if model.norms_ else []
    if len(model.coefs_) > 1 and has != NORM_PARTS[model.norm]:
        raise ValueError(f"norm is {model.norm!r} and the weights were learnt with another; give that one, or fit anew")
    wanted = "exp" if model.loss == "poisson" else "identity"
    if model.loss != "log_loss" and model.out_activation_ != wanted:
        raise ValueError(
            f"loss is {model.loss!r} and the weights were learnt for outputs by {model.out_activation_!r}; fit anew"
        )
