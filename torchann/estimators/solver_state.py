"""Where the solver of an MLP estimator stands, in the names and numbers that its files have."""

from typing import Any

import numpy as np

MOMENTS = {
    "sgd": {"velocity": 0},
    "adam": {"mean": 0, "square": 1},
    "adamw": {"exp_avg": 0, "exp_avg_sq": 1},
    "nadam": {"exp_avg": 0, "exp_avg_sq": 1},
    "adagrad": {"sum": 1},
    "rmsprop": {"square_avg": 1},
}
"""By solver, which of a learner's moments a file has under which name: scikit-learn's words, or torch's."""
STEPS = {"adam": "t"}  # the others' files say "step", as torch, and those of "sgd" nothing


class SolverState(dict[str, Any]):
    """What the next step of a solver depends on, by the names that files have."""

    @property
    def learning_rate(self) -> float:
        """The rate of the next step."""
        return float(self["learning_rate"])


def saved_state(model: Any, rate: float, state: dict[str, Any]) -> SolverState:
    """Return the state of an MLP's learner, and the rate of its next step, as files have them."""
    name, steps = model.solver, STEPS.get(model.solver, "step")
    saved = SolverState(learning_rate=float(rate))
    if name != "sgd":
        saved[steps] = int(state["t"]) if name == "adam" else float(state["t"])
    if name == "nadam":
        saved["mu_product"] = float(state["product"])
    for part, place in MOMENTS[name].items():
        saved[part] = state["moments"][place]
    if name == "sgd":  # a learner subtracts its velocity
        saved["velocity"] = -saved["velocity"] if model.momentum else None
    return saved


def restored(model: Any, saved: SolverState, seed: int) -> dict[str, Any]:
    """Return the state of a learner by what :func:`saved_state` returned, and :func:`check_state` has let pass.

    The seed is for the units that dropout switches off from now on.
    """
    moments: list[Any] = [0.0, 0.0]
    for part, place in MOMENTS[model.solver].items():
        moments[place] = saved[part]
    if model.solver == "sgd":
        moments[0] = -np.asarray(saved["velocity"]) if model.momentum else 0.0
    steps = saved.get(STEPS.get(model.solver, "step"), 0)
    return {"t": int(steps), "product": float(saved.get("mu_product", 1.0)), "random": seed, "moments": moments}


def check_state(model: Any, state: Any) -> None:
    """Look at a solver's state, which may come from a file.

    Args:
        model: an MLP whose arrays are set and checked.
        state: as of :func:`saved_state`.

    Raises:
        ValueError: unless the model's solver can resume with it.
    """
    if model.solver == "lbfgs" or (model.norm is None) == bool(model.norms_):
        raise ValueError(f"solver is {model.solver!r} and norm {model.norm!r}, which are not those of the fit")
    arrays = [*model.coefs_, *model.intercepts_, *(norm[k] for norm in model.norms_ for k in ("weight", "bias"))]
    zeros = np.broadcast_to(model.coefs_[0].dtype.type(0), sum(part.size for part in arrays))  # without their memory
    wanted = saved_state(model, 0.0, {"t": 0, "product": 1.0, "moments": [zeros, zeros]})
    if not isinstance(state, dict) or set(state) != set(wanted):
        raise ValueError(f"the state of {model.solver} is {state!r:.80} and should have {', '.join(wanted)}")
    steps = state.get(STEPS.get(model.solver, "step"), 0)
    for name, part in state.items():
        kinds = [np.result_type(one) for one in (part, wanted[name])]
        same = kinds[0] == kinds[1] if np.ndim(wanted[name]) else kinds[0].kind == kinds[1].kind
        if np.shape(part) != np.shape(wanted[name]) or not same:
            raise ValueError(f"{name} of the solver is {part!r:.80} and should be like {wanted[name]!r:.80}")
    if not 0 <= steps < 2**62:
        raise ValueError(f"the solver has taken {steps!r:.80} steps and should have taken 0 or more")


def matching_state(model: Any) -> Any:
    """Return where the solver of an earlier fit stands; None if there is none, or the arguments have changed since."""
    state = getattr(model, "_optimizer", None)
    try:
        if state is not None:
            check_state(model, state)
    except ValueError:
        return None
    return state
