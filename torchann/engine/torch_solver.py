"""An optimiser of torch as the compiled steps know it: the same numbers move the weights, and stand in its state."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, optim

from torchann.engine.compiled.learner import CompiledLearner
from torchann.engine.compiled.solvers import KINDS, Solver, make_solver

MOMENTS = {
    "sgd": ("", ""),
    "momentum": ("momentum_buffer", ""),
    "adam": ("exp_avg", "exp_avg_sq"),
    "nadam": ("exp_avg", "exp_avg_sq"),
    "rmsprop": ("momentum_buffer", "square_avg"),
    "adagrad": ("", "sum"),
}
"""What an optimiser of torch calls the moments that a solver keeps."""
_KINDS: dict[type, str] = {
    optim.SGD: "sgd",
    optim.Adam: "adam",
    optim.AdamW: "adam",
    optim.NAdam: "nadam",
    optim.RMSprop: "rmsprop",
    optim.Adagrad: "adagrad",
}
_OTHER_WAYS = ("amsgrad", "centered", "dampening", "differentiable", "maximize")


def has_hooks(optimizer: optim.Optimizer) -> bool:
    """Return whether something is to be called before or after each step of an optimiser."""
    return bool(optimizer._optimizer_step_pre_hooks or optimizer._optimizer_step_post_hooks)


def why_no_solver(optimizer: optim.Optimizer, parameters: Sequence[Tensor]) -> str | None:
    """Return what the compiled steps cannot do of an optimiser, in a few words; None if they can do all of it.

    Args:
        optimizer: moves the parameters.
        parameters: all of a net.
    """
    if type(optimizer) not in _KINDS:
        return f"the optimiser is a {type(optimizer).__name__}"
    if has_hooks(optimizer):
        return "the optimiser has hooks"
    if len(optimizer.param_groups) > 1:
        return "the optimiser has several groups of weights"
    group = optimizer.param_groups[0]
    if {id(part) for part in group["params"]} != {id(part) for part in parameters}:
        return "the optimiser does not move all weights"
    asked = [name for name in _OTHER_WAYS if group.get(name)]
    return f"the optimiser has {asked[0]}={group[asked[0]]}" if asked else None


def solver_of(optimizer: optim.Optimizer, parameters: int) -> Solver:
    """Return the solver that moves parameters as an optimiser of torch does, by its options of the moment.

    Args:
        optimizer: one that :func:`why_no_solver` has nothing against.
        parameters: their number; all of them decay.

    Example:
        >>> solver_of(optim.SGD([torch.nn.Parameter(torch.zeros(3))], lr=0.1, momentum=0.9), 3).momentum
        0.9
    """
    group, kind = optimizer.param_groups[0], _KINDS[type(optimizer)]
    options: dict[str, Any] = {"decay": group["weight_decay"], "epsilon": group.get("eps", 0.0)}
    options["decoupled"] = bool(group.get("decoupled_weight_decay", False))
    if "betas" in group:
        options["momentum"], options["beta"] = group["betas"]
    if kind == "sgd":
        kind = "momentum" if group["momentum"] else "sgd"
        options |= {"momentum": group["momentum"], "nesterov": group["nesterov"]}
    elif kind == "rmsprop":
        options |= {"momentum": group["momentum"], "beta": group["alpha"]}
    elif kind in ("nadam", "adagrad"):
        options["drift"] = group["momentum_decay" if kind == "nadam" else "lr_decay"]
    return make_solver(kind, parameters, **options)


class SolverState:
    """The state of an optimiser, in memory that compiled steps move.

    Args:
        optimizer: its state is copied into the learner, and is views of the learner's moments from then on, so that a
            checkpoint holds what torch would have written.
        parameters: in the learner's order.
        learner: takes the steps.
    """

    def __init__(self, optimizer: optim.Optimizer, parameters: Sequence[Tensor], learner: CompiledLearner) -> None:
        self._optimizer, self._learner = optimizer, learner
        kind = KINDS[learner.solver.kind]
        group, states = optimizer.param_groups[0], [optimizer.state[part] for part in parameters]
        names = MOMENTS[kind] if kind != "rmsprop" or group["momentum"] else ("", "square_avg")
        counted = kind not in ("sgd", "momentum")
        t = max((int(state.get("step", 0)) for state in states), default=0)
        product = next((float(state["mu_product"]) for state in states if "mu_product" in state), 1.0)
        learner.place = learner.place._replace(t=t, product=product)
        self._steps: Tensor = torch.zeros(len(states))  # float32, as torch counts them
        self._products: Tensor = torch.ones(len(states), dtype=parameters[0].dtype)
        at = 0
        for number, (part, state) in enumerate(zip(parameters, states, strict=True)):
            place = slice(at, at := at + part.numel())
            made = {"step": self._steps[number]} if counted else {}
            made |= {"mu_product": self._products[number]} if kind == "nadam" else {}
            for name, moment in zip(names, learner.moments, strict=True):
                if name:
                    view = torch.from_numpy(moment[place]).view(part.shape)
                    if isinstance(state.get(name), Tensor):
                        view.copy_(state[name])
                    made[name] = view
            state.clear()
            state.update(made)
        self._made = [(part, dict(state)) for part, state in zip(parameters, states, strict=True)]
        self.publish()

    def stands(self) -> bool:
        """Return whether nobody has put another state into the optimiser."""
        state = self._optimizer.state
        return all(
            len(state[part]) == len(made) and all(state[part].get(name) is made[name] for name in made)
            for part, made in self._made
        )

    def publish(self) -> None:
        """Write into the optimiser's state how many steps there were."""
        self._steps.fill_(self._learner.place.t)
        self._products.fill_(self._learner.place.product)


def place_of(learner: CompiledLearner) -> dict[str, Any]:
    """Return what the next step depends on that torch's state does not hold, as plain values."""
    t, product, random = learner.place
    return {"t": int(t), "product": float(product), "random": int(random)}


def go_on_from(learner: CompiledLearner, place: dict[str, Any]) -> None:
    """Take up what :func:`place_of` gave."""
    learner.place = learner.place._replace(**place | {"random": np.uint64(place["random"])})
