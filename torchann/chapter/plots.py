"""The learning curves of the chapter's experiments."""

from collections.abc import Sequence

from matplotlib.figure import Figure

from torchann.pictures import learning_curves as curves

History = curves.History
SHOWN = ("loss", "accuracy", "rmse")


def learning_curves(histories: Sequence[History], title: str) -> Figure:
    """Training and validation curves over the epochs, one thin line per seed: loss, accuracy and RMSE.

    Args:
        histories: for each seed a row per epoch, with ``epoch``, ``train_loss``, ``val_loss`` and so on.
        title: above the picture.
    """
    return curves.learning_curves(histories, title, [tag for tag in SHOWN if f"train_{tag}" in histories[0][0]])
