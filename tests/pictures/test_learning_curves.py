"""Learning curves: what is drawn, in which order, in panels that fit a page."""

import warnings

from torchann.pictures.confusion import confusion_matrices
from torchann.pictures.learning_curves import learning_curves
from torchann.pictures.raster import as_image


def test_losses_come_first_the_whole_before_its_parts_and_the_rate_last():
    row = {"epoch": 0, "lr": 0.1, "train_main_rmse": 1.0, "train_aux_loss": 1.0, "train_loss": 1.0, "recall": 0.5}
    rows = [row, {**row, "epoch": 1, "lr": 0.05}]
    picture = learning_curves([rows])
    labels = [panel.get_ylabel() for panel in picture.axes]
    assert labels == ["loss", "aux_loss", "main_rmse", "recall", "learning rate"]
    assert len({panel.get_position().y0 for panel in picture.axes}) == 2


def test_what_is_asked_for_is_drawn():
    rows = [{"epoch": 0, "train_loss": 1.0, "train_mae": 1.0}]
    assert [panel.get_ylabel() for panel in learning_curves([rows], "Title", ["mae"]).axes] == [
        "MAE (unit of the target)"
    ]


def test_line_that_is_there_for_every_seed_is_named_once():
    rows = [{"epoch": epoch, "train_loss": 1.0, "val_loss": 2.0} for epoch in range(3)]
    (panel,) = learning_curves([rows, rows]).axes
    told = panel.get_legend_handles_labels()[1]
    assert [text.partition(",")[0] for text in told] == ["training", "validation", "each seed", told[-1]]


def test_errors_have_the_unit_of_the_target_and_one_kind_of_axis():
    rows = [{"epoch": e, "train_loss": 10.0**-e, "train_rmse": 10.0 ** (-e / 2)} for e in range(2)]
    loss, rmse = learning_curves([rows], unit="USD").axes
    assert [loss.get_ylabel(), rmse.get_ylabel()] == ["mean squared error, (USD)²", "RMSE (USD)"]
    assert [loss.get_yscale(), rmse.get_yscale()] == ["log", "log"]  # 10 times and 3 times: the same curve


def test_names_of_any_script_are_drawn_without_a_warning():
    figure = confusion_matrices([0, 1, 2], [0, 1, 1], ["猫", "собака", "$a_b"], "मछली")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        as_image(figure)
