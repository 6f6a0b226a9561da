"""The example of a callback of one's own prints a ratio after each epoch that was validated."""

import re

import pytest

import torchann
from tests.tasks.tables import fit, regression_table
from torchann.training.train_val_ratio import PrintValTrainRatio


@pytest.mark.parametrize(("options", "epochs"), [({}, [1, 2, 3]), ({"check_val_every_n_epoch": 2}, [2])], ids=str)
def test_ratio_is_that_of_the_history(options, epochs, capsys):
    trainer = fit(torchann.RegressionMLP([4]), regression_table(), 3, callbacks=[PrintValTrainRatio()], **options)
    printed = re.findall(r"^epoch (\d), val/train: (\d+\.\d\d)$", capsys.readouterr().out, flags=re.MULTILINE)
    rows = [row for row in trainer.history if "val_loss" in row]
    assert printed == [
        (str(e), f"{row['val_loss'] / row['train_loss']:.2f}") for e, row in zip(epochs, rows, strict=True)
    ]
