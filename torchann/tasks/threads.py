"""As many threads as the products of a net can use."""

import lightning.pytorch as pl
import torch
from lightning.pytorch.callbacks import Callback

from torchann.engine.threads import threads_for
from torchann.nets.embedded_mlp import EmbeddedMLP
from torchann.nets.mlp import MLP


class Threads(Callback):
    """Chooses the number of threads for a fit, and gives the caller's back after it.

    Tasks add this callback by themselves; add one of your own to choose otherwise.

    Args:
        number: of threads; by default one for an MLP whose products are all small, and for others the caller's number.

    Example:
        >>> from torchann import Trainer
        >>> trainer = Trainer(callbacks=[Threads(2)], logger=False, quiet=True)
    """

    def __init__(self, number: int | None = None) -> None:
        self.number = number
        self._before: int | None = None

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Sets the number."""
        self._before = torch.get_num_threads()
        batch_size = getattr(trainer.datamodule, "batch_size", 32)  # type: ignore[attr-defined]
        net = getattr(pl_module, "net", None)
        net = net.mlp if isinstance(net, EmbeddedMLP) else net
        chosen = threads_for(net.layer_sizes, batch_size) if isinstance(net, MLP) else self._before
        torch.set_num_threads(self.number or chosen)

    def on_fit_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Restores the caller's number."""
        self._restore()

    def on_exception(self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException) -> None:
        """Restores the caller's number."""
        self._restore()

    def _restore(self) -> None:
        if self._before is not None:
            torch.set_num_threads(self._before)
            self._before = None
