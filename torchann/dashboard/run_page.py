"""The page of a run for TensorBoard's TEXT tab: its network, its data, its configuration."""

from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import numpy as np
import yaml
from tabulate import tabulate

from torchann.dashboard.sample import is_task
from torchann.files.history import epoch_number
from torchann.files.run import Run, versions
from torchann.nets.steps import Step
from torchann.nets.summary import Summary


def run_page(trainer: pl.Trainer, task: Any, steps: tuple[Step, ...] | None, folder: Path) -> str:
    """Return as Markdown what the run in a folder is made with: its task, its forward pass if known, its data."""
    data = trainer.datamodule  # type: ignore[attr-defined]
    info = (task.data_info if is_task(task) else None) or {}
    facts = {
        "task": type(task).__name__,
        "data": f"{type(data).__name__ if data is not None else 'loaders'}{_details(info)}",
        "fingerprint of the training rows": f"`{info['fingerprint']}`" if info.get("fingerprint") else None,
        "begins at epoch": epoch_number(trainer.current_epoch) if trainer.current_epoch else None,
    }
    parts = [_table({name: value for name, value in facts.items() if value is not None})]
    if steps is not None:
        parts.append(f"## Network\n\n{_code(str(Summary(steps)))}")
    parts.append(f"## Configuration\n\n{_code(_configuration(trainer, task, folder))}")
    parts.append(f"## Versions\n\n{_table(versions())}")
    return "\n\n".join(parts)


def _table(facts: dict[str, Any]) -> str:
    (head, *rows) = facts.items()
    return tabulate(rows, head, "pipe", disable_numparse=True)


def _details(info: dict[str, Any]) -> str:
    parts = [str(info["name"])] if info.get("name") else []
    parts += [f"{info['rows']:,} training rows"] if info.get("rows") else []
    return f" ({', '.join(parts)})" if parts else ""


def _configuration(trainer: pl.Trainer, task: Any, folder: Path) -> str:
    saved = Run(folder).config
    if saved.is_file():
        return saved.read_text().rstrip()
    hparams = {name: value for name, value in task.hparams.items() if value is not None}
    message = {"model": _plain(hparams), "max_epochs": trainer.max_epochs, "seed": getattr(trainer, "seed", None)}
    known = {name: value for name, value in message.items() if value is not None}
    return str(yaml.safe_dump(known, sort_keys=False, allow_unicode=True)).rstrip()


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(name): _plain(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in value]
    if isinstance(value, np.generic):
        return _plain(value.item())
    # YAML knows these types and none that is derived from them.
    return value if value is None or type(value) in (bool, int, float, str) else str(value)


def _code(text: str) -> str:
    return "".join(f"    {line}\n" for line in text.splitlines())
