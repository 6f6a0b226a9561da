"""What moves a vector of parameters against its gradient: scikit-learn's ``sgd`` and ``adam``, and torch's others."""

from typing import Any, Protocol

import torch
from torch import Tensor, nn

from torchann.engine.optimizers import make_optimizer


class Solver(Protocol):
    """What moves the parameters, and how fast.

    Attributes:
        learning_rate: of the next step.
    """

    learning_rate: float

    def start(self, vector: Tensor) -> None:
        """Makes what the steps of this vector keep, if there is none, and puts it where the vector is."""

    def step(self, vector: Tensor, gradient: Tensor) -> None:
        """Moves ``vector`` in place; both are ``(parameters,)``."""

    def state(self) -> dict[str, Any]:
        """What a further step depends on, by name: numbers, and tensors ``(parameters,)``."""

    def load_state(self, state: dict[str, Any]) -> None:
        """Goes on where :meth:`state` was taken."""


class SGD:
    r"""Gradient descent, with momentum or Nesterov's.

    .. math:: \mathbf{v} \leftarrow \mu \mathbf{v} - \eta \mathbf{g}, \quad
        \mathbf{w} \leftarrow \mathbf{w} + \mathbf{v} \quad
        (\text{Nesterov: } \mathbf{w} + \mu \mathbf{v} - \eta \mathbf{g})

    The learning rate is within the velocity, as in scikit-learn and Keras; in torch's it is without, which is another
    way once the rate moves.

    Args:
        learning_rate: of the first step.
        momentum: 0–1.
        nesterov: whether the step looks ahead.

    Example:
        >>> w = torch.tensor([1.0])
        >>> sgd = SGD(0.1, momentum=0.5)
        >>> sgd.start(w)
        >>> for _ in range(2):
        ...     sgd.step(w, torch.tensor([1.0]))  # 1 - 0.1; then - 0.1 - 0.5 * 0.1
        >>> w
        tensor([0.7500])
    """

    learning_rate: float
    momentum: float
    nesterov: bool

    def __init__(self, learning_rate: float, momentum: float = 0.0, nesterov: bool = False) -> None:
        self.learning_rate, self.momentum, self.nesterov = learning_rate, momentum, nesterov
        self.velocity: Tensor | None = None

    def start(self, vector: Tensor) -> None:
        """Makes the velocity, if there is none, and puts it where the vector is."""
        if self.momentum:
            self.velocity = torch.zeros_like(vector) if self.velocity is None else self.velocity.to(vector)

    def step(self, vector: Tensor, gradient: Tensor) -> None:
        """Moves ``vector`` in place; both are ``(parameters,)``."""
        if self.velocity is None:
            vector.add_(gradient, alpha=-self.learning_rate)
            return
        self.velocity.mul_(self.momentum).add_(gradient, alpha=-self.learning_rate)
        if self.nesterov:
            vector.add_(self.velocity, alpha=self.momentum).add_(gradient, alpha=-self.learning_rate)
        else:
            vector.add_(self.velocity)

    def state(self) -> dict[str, Any]:
        """Learning rate and velocity."""
        return {"learning_rate": self.learning_rate, "velocity": self.velocity}

    def load_state(self, state: dict[str, Any]) -> None:
        """Goes on where :meth:`state` was taken."""
        self.learning_rate, self.velocity = state["learning_rate"], state["velocity"]


class Adam:
    r"""Adam as its paper writes it at the end of its section 2, and scikit-learn with it.

    .. math:: \mathbf{w} \leftarrow \mathbf{w} - \eta \frac{\sqrt{1 - \beta_2^t}}{1 - \beta_1^t}
        \frac{\mathbf{m}}{\sqrt{\mathbf{v}} + \epsilon}

    torch and Keras (with its own default) put :math:`\epsilon` elsewhere. torch's fused step, one pass over the
    parameters, does the same with an epsilon that follows :math:`t`.

    Args:
        learning_rate: :math:`\eta`.
        beta_1: of the gradient's mean, from 0 to below 1.
        beta_2: of its square's.
        epsilon: above 0.

    Example:
        >>> w = torch.tensor([1.0, 1.0])
        >>> adam = Adam(0.1)
        >>> adam.start(w)
        >>> adam.step(w, torch.tensor([5.0, -0.01]))  # the first step goes by the sign alone
        >>> w
        tensor([0.9000, 1.1000])
    """

    learning_rate: float
    beta_1: float
    beta_2: float
    epsilon: float

    def __init__(self, learning_rate: float, beta_1: float = 0.9, beta_2: float = 0.999, epsilon: float = 1e-8) -> None:
        self.learning_rate, self.beta_1, self.beta_2, self.epsilon = learning_rate, beta_1, beta_2, epsilon
        self.t: int = 0
        self.mean: Tensor | None = None
        self.square: Tensor | None = None
        self._steps = torch.zeros((), dtype=torch.float32, device="cpu")

    def start(self, vector: Tensor) -> None:
        """Makes the two running means, if there are none, and puts them where the vector is."""
        self.mean = torch.zeros_like(vector) if self.mean is None else self.mean.to(vector)
        self.square = torch.zeros_like(vector) if self.square is None else self.square.to(vector)
        self._steps = torch.full((), float(self.t), dtype=torch.float32, device=vector.device)

    def step(self, vector: Tensor, gradient: Tensor) -> None:
        """Moves ``vector`` in place; both are ``(parameters,)``."""
        assert self.mean is not None and self.square is not None
        self.t += 1
        bias = (1 - self.beta_2**self.t) ** 0.5
        self._steps.fill_(float(self.t))
        # The operation that torch.optim.Adam(fused=True) calls, without 10 µs of Python around it.
        torch._fused_adam_(
            [vector],
            [gradient],
            [self.mean],
            [self.square],
            [],
            [self._steps],
            lr=self.learning_rate,
            beta1=self.beta_1,
            beta2=self.beta_2,
            weight_decay=0.0,
            eps=self.epsilon / bias,
            amsgrad=False,
            maximize=False,
            grad_scale=None,
            found_inf=None,
        )

    def state(self) -> dict[str, Any]:
        """Learning rate, steps, and the two running means."""
        return {"learning_rate": self.learning_rate, "t": self.t, "mean": self.mean, "square": self.square}

    def load_state(self, state: dict[str, Any]) -> None:
        """Goes on where :meth:`state` was taken."""
        self.learning_rate, self.t = state["learning_rate"], state["t"]
        self.mean, self.square = state["mean"], state["square"]


class TorchSolver:
    """One of torch's optimisers on the whole vector.

    Args:
        name: as :func:`~torchann.engine.optimizers.make_optimizer` knows it.
        learning_rate: of the first step.
        weight_decay: decoupled from the gradient in ``"adamw"``; of all entries of the vector.
        options: further arguments of the class in ``torch.optim``.

    Raises:
        ValueError: for an unknown name or option.

    Example:
        >>> w = torch.tensor([1.0])
        >>> solver = TorchSolver("rmsprop", 0.1, options={"alpha": 0.75})
        >>> solver.start(w)
        >>> solver.step(w, torch.tensor([2.0]))  # 0.1 * 2 / sqrt(0.25 * 2 * 2)
        >>> w
        tensor([0.8000])
    """

    def __init__(
        self, name: str, learning_rate: float, weight_decay: float = 0.0, options: dict[str, Any] | None = None
    ) -> None:
        self.learning_rate: float = learning_rate
        self._arguments = (name, weight_decay, options or {})
        self._saved: dict[str, Any] = {}
        self._hand_over(torch.zeros(0))

    def _hand_over(self, vector: Tensor) -> None:
        name, weight_decay, options = self._arguments
        self._parameter = nn.Parameter(vector)
        self._optimizer = make_optimizer(name, [self._parameter], self.learning_rate, 0.0, False, weight_decay, options)

    def start(self, vector: Tensor) -> None:
        """Hands the vector to torch's optimiser, with what its steps have left or a state has told."""
        self._hand_over(vector)
        for name, part in self._saved.items():
            on_device = part.to(vector) if isinstance(part, Tensor) and part.ndim else part
            self._optimizer.state[self._parameter][name] = on_device

    def step(self, vector: Tensor, gradient: Tensor) -> None:
        """Moves ``vector`` in place; both are ``(parameters,)``."""
        self._parameter.grad = gradient
        self._optimizer.param_groups[0]["lr"] = self.learning_rate
        self._optimizer.step()
        self._saved = self._optimizer.state[self._parameter]

    def state(self) -> dict[str, Any]:
        """Learning rate, and what torch's optimiser keeps."""
        return {"learning_rate": self.learning_rate, **self._saved}

    def load_state(self, state: dict[str, Any]) -> None:
        """Goes on where :meth:`state` was taken."""
        self.learning_rate = state["learning_rate"]
        self._saved = {name: part for name, part in state.items() if name != "learning_rate"}
