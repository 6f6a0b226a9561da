"""As many threads as the products of a net can use."""

from contextlib import ExitStack

import lightning.pytorch as pl
from lightning.pytorch.callbacks import Callback

from torchann.engine.threads import at_most, threads_for
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
        self._held = ExitStack()

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Sets the number."""
        self._held.close()
        batch_size = getattr(trainer.datamodule, "batch_size", 32)  # type: ignore[attr-defined]
        net = getattr(pl_module, "net", None)
        net = net.mlp if isinstance(net, EmbeddedMLP) else net
        if self.number is not None:
            self._held.enter_context(at_most(self.number, or_more=True))
        elif isinstance(net, MLP):
            self._held.enter_context(at_most(threads_for(net.layer_sizes, batch_size)))

    def on_fit_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Restores the caller's number."""
        self._held.close()

    def on_exception(self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException) -> None:
        """Restores the caller's number."""
        self._held.close()
