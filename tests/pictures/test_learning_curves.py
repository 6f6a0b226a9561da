"""Learning curves: what is drawn, in which order, in panels that fit a page."""

from torchann.pictures.learning_curves import learning_curves


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
    assert len(panel.lines) == 4
    assert panel.get_legend_handles_labels()[1] == ["training", "validation"]
