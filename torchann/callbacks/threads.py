"""As many threads as the products of a net can use."""

import lightning.pytorch as pl
import torch
from lightning.pytorch.callbacks import Callback

from torchann.nets.embedded_mlp import EmbeddedMLP
from torchann.nets.mlp import MLP

WORTH_TWO = 4_000_000  # floating-point operations in a layer's product, from which on a second core helps


class Threads(Callback):
    """Chooses the number of threads for a fit, and gives the caller's back after it.

    A small product that is spread over threads can wait 8 ms for a core that another process holds, a hundred times
    what it takes. Tasks add this callback by themselves; add one of your own to choose otherwise.

    Args:
        number: of threads; by default one for nets whose products are all small, and for others the caller's number.

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
        torch.set_num_threads(self.number or threads_for(getattr(pl_module, "net", None), batch_size))

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


def threads_for(net: object, batch_size: int) -> int:
    """How many threads a net can use, at most as many as there are now.

    Args:
        net: an MLP, perhaps with embeddings; any other net keeps the present number.
        batch_size: rows per product.

    Example:
        >>> threads_for(MLP(8, [30], 1), batch_size=32)
        1
    """
    if not isinstance(net, (MLP, EmbeddedMLP)):
        return torch.get_num_threads()
    largest = max(2 * batch_size * layer.in_features * layer.out_features for layer in net.linears())
    return torch.get_num_threads() if largest >= WORTH_TWO else 1
