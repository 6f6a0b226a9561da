"""What tasks of nets with named outputs share: a head and figures for each output, and one weighted loss."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from torchann.files.metric_name import STAGES
from torchann.nets.heads import Objective
from torchann.tasks.metrics import RowMetrics
from torchann.tasks.outputs import Output, task_metrics
from torchann.tasks.task import Task


class OutputsTask(Task):
    """What a net with named outputs needs: a head and figures for each; abstract.

    The loss is the weighted sum of the outputs' losses. With several outputs, figures carry their names:
    ``val_loss`` is the sum, ``val_main_loss`` and ``val_main_rmse`` are those of the output ``main``.
    """

    outputs: dict[str, Output]

    def _build(self) -> None:
        self.build()
        self.heads: dict[str, Objective] = {name: output.objective() for name, output in self.outputs.items()}
        stages = {
            name: self._stages(output.task, output.size, task_metrics(output.task, output.size), self.heads[name])
            for name, output in self.outputs.items()
        }
        self.metrics = nn.ModuleList(
            nn.ModuleDict({name: made[place] for name, made in stages.items()}) for place in range(len(STAGES))
        )
        self._check_asked()

    def ends(self) -> dict[str, tuple[Objective, float]]:
        """What each output ends in and counts in the loss."""
        return {name: (objective, self.outputs[name].weight) for name, objective in self.heads.items()}

    def _metrics_of(self, stage: str) -> dict[str, RowMetrics]:
        parts = self._of_stage(stage)
        return dict(parts.items()) if len(parts) > 1 else {"": next(iter(parts.values()))}

    def forward(self, x: Any) -> dict[str, Tensor]:  # type: ignore[override]
        """The net's outputs by name, each ``(batch, size)``: logits or values, never probabilities.

        Args:
            x: inputs ``(batch, *)``, or several by name.

        Raises:
            RuntimeError: if the net has no sizes yet.
            TypeError: if the inputs are integers.
            ValueError: if the net's outputs are not those that were named.
        """
        return self._named(self._net_outputs(x))

    def _net_outputs(self, x: Any) -> Any:
        return super().forward(x)

    def _named(self, given: Any) -> dict[str, Tensor]:
        names = list(self.outputs)
        if isinstance(given, Tensor):
            given = (given,)
        if isinstance(given, (tuple, list)) and len(given) == len(names):
            given = dict(zip(names, given, strict=True))
        if not isinstance(given, Mapping) or set(given) != set(names):
            got = sorted(given) if isinstance(given, Mapping) else f"{len(given)} of them"
            raise ValueError(
                f"{type(self.net).__name__} gives the outputs {got} and {type(self).__name__} has {names}; "
                "name in `outputs` what forward returns, in its order"
            )
        return {name: given[name] for name in names}

    def check_target(self, y: Any) -> None:
        """Refuses what an output cannot have, and names the output where there are several."""
        for name, part in self._targets(y).items():
            try:
                self.outputs[name].check(part)
            except ValueError as error:
                raise ValueError(f"output {name!r}: {error}") from None

    def class_indices(self, y: Any) -> dict[str, Tensor]:
        """The targets of each binary or multiclass output."""
        dtype = next(self.net.parameters()).dtype
        tasks = {name: output.task for name, output in self.outputs.items()}
        parts = self._targets(y)
        return {n: self.outputs[n].target(parts[n], dtype) for n, t in tasks.items() if t in ("binary", "multiclass")}

    def _targets(self, y: Any) -> dict[str, Tensor]:
        if isinstance(y, Mapping) and not set(self.outputs) <= set(y):
            raise ValueError(f"targets are named {sorted(y)} and outputs {list(self.outputs)}; give each its targets")
        return {name: y[name] if isinstance(y, Mapping) else y for name in self.outputs}

    def prepare_target(self, y: Any) -> dict[str, Tensor]:
        """Each output's targets as its head wants them, of a tensor for all or of tensors by name.

        Raises:
            ValueError: if targets come by name and an output has none.
        """
        dtype = next(self.net.parameters()).dtype
        return {name: self.outputs[name].target(part, dtype) for name, part in self._targets(y).items()}

    def _losses(self, outputs: Any, y: Any, training: bool) -> Tensor:
        return self._weighted(
            {name: objective.losses(outputs[name], y[name]) for name, objective in self.heads.items()}
        )

    def _weighted(self, losses: dict[str, Tensor]) -> Tensor:
        return torch.stack([self.outputs[name].weight * part for name, part in losses.items()]).sum(0)

    def _add(self, stage: str, outputs: Any, y: Any) -> Tensor:
        losses = {name: objective.losses(outputs[name], y[name]) for name, objective in self.heads.items()}
        for name, metrics in zip(self.outputs, self._metrics_of(stage).values(), strict=True):
            metrics.add(losses[name], outputs[name], y[name])
        return self._weighted(losses)

    def predictions(self, outputs: Any) -> dict[str, Tensor]:
        """Values, or classes and probabilities, of each output: ``"value"``, ``"class"`` and ``"proba"``.

        With several outputs each key begins with the output's name, ``"main_value"``.
        """
        found = {}
        for name, output in self.outputs.items():
            prefix = f"{name}_" if len(self.outputs) > 1 else ""
            values = self.heads[name].activation(outputs[name])
            if output.task == "regression":
                found[f"{prefix}value"] = values
                continue
            proba = torch.stack([1 - values, values], 1) if output.task == "binary" else values
            classes = (proba > 0.5).long() if output.task == "multilabel" else proba.argmax(1)
            found |= {f"{prefix}class": classes, f"{prefix}proba": proba}
        return found
