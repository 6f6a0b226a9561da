"""Wide & Deep as a task: one loss of two outputs, their own figures, and steps in blocks like any task's."""

import pytest
import torch

import torchann
from tests.tasks.tables import fit, regression_table, weights
from torchann.tasks.wide_and_deep import WideAndDeep

SINGLE = {"gradient_clip_val": 1e9}  # clips nothing, and leaves the steps to Lightning


def trained(aux_weight, steps=None, options=None, **knobs):
    torch.manual_seed(0)
    model = WideAndDeep([6, 4], aux_weight=aux_weight, lr=0.01, steps_per_execution=steps, **knobs)
    trainer = fit(model, regression_table(), **(options or {}))
    return model, trainer


@pytest.mark.parametrize("knobs", [{}, {"momentum": 0.9}, {"optimizer": "adam"}, {"lr_schedule": "one_cycle"}], ids=str)
def test_own_steps_equal_autograd(tmp_path, knobs):
    def housing(options):
        data = torchann.CaliforniaHousingDataModule(batch_size=128)
        torch.manual_seed(0)
        model = WideAndDeep([6, 4], aux_weight=0.1, lr=1e-3, **knobs)
        trainer = torchann.Trainer(runs=str(tmp_path), max_epochs=2, quiet=True, precision="64-true", **options)
        trainer.fit(model, datamodule=data)
        return model, trainer

    (block, in_blocks), (single, by_lightning) = housing({}), housing(SINGLE)
    assert not block.automatic_optimization and single.automatic_optimization
    assert in_blocks.global_step == by_lightning.global_step == 2 * 91  # 11,610 rows in batches of 128
    for row, its_row in zip(in_blocks.history, by_lightning.history, strict=True):
        assert {**row, "seconds": 0} == pytest.approx({**its_row, "seconds": 0}, rel=1e-6)
    torch.testing.assert_close(weights(block), weights(single), rtol=1e-9, atol=1e-12)


def test_loss_is_the_weighted_sum_of_the_outputs():
    _, trainer = trained(aux_weight=0.1)
    figures = trainer.callback_metrics
    for stage in ("train", "val"):
        total = 0.9 * figures[f"{stage}_main_loss"] + 0.1 * figures[f"{stage}_aux_loss"]
        assert figures[f"{stage}_loss"].item() == pytest.approx(total.item(), rel=1e-6)


def test_figures_of_an_output_are_those_of_its_values():
    model, trainer = trained(aux_weight=0.1)
    data = regression_table()
    with torch.no_grad():
        outputs = model(data.x)
    squared = ((outputs["aux"][:, 0] - data.y) ** 2).mean()
    assert trainer.callback_metrics["val_aux_loss"].item() == pytest.approx(squared.item(), rel=1e-5)
    assert trainer.callback_metrics["val_aux_rmse"].item() == pytest.approx(squared.sqrt().item(), rel=1e-5)


def test_no_auxiliary_weight_is_plain_wide_and_deep():
    model, trainer = trained(aux_weight=0.0)
    assert model.net.aux is None
    assert "val_rmse" in trainer.callback_metrics and "val_main_loss" not in trainer.callback_metrics


@pytest.mark.parametrize("weight", [-0.1, 1.0])
def test_auxiliary_weight_outside_its_range_is_refused(weight):
    with pytest.raises(ValueError, match=f"aux_weight is {weight}; give a number from 0 to 1"):
        WideAndDeep(aux_weight=weight)


def test_checkpoint_builds_the_same_net_again(tmp_path):
    model, trainer = trained(aux_weight=0.2, wide_features=[0], deep_features=[1, 2])
    trainer.save_checkpoint(tmp_path / "model.ckpt")
    again = WideAndDeep.load_from_checkpoint(tmp_path / "model.ckpt", weights_only=True)
    x = regression_table().x
    assert torch.equal(again.predict(x), model.predict(x)) and again.predict(x).shape == (70, 1)
    assert again.hparams["wide_features"] == [0]
