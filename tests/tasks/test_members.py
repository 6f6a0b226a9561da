"""Tasks whose net is an ensemble: trained, kept and described as any other."""

import numpy as np
import pytest
import torch

import torchann
from tests.tasks.tables import fit

MEMBERS = [
    {"hidden_sizes": [6], "activation": "softsign", "columns": [1, 0], "weight": 0.25},
    {"hidden_sizes": [8, 4], "activation": "tanh", "weight": 0.75},
]


def table(rows: int = 400) -> dict[str, np.ndarray]:
    a, b = np.random.default_rng(0).normal(size=(2, rows))
    kind = np.select([a + b < -1, a + b > 1], ["low", "high"], "middle")
    return {"a": a, "b": b, "sum": a + b, "sign": np.where(a + b > 0, "up", "down"), "kind": kind}


def data(target: str) -> torchann.TabularDataModule:
    given = table()
    return torchann.TabularDataModule({name: given[name] for name in ("a", "b", target)}, target)


KINDS = {
    "sum": (torchann.RegressionMLP, "values"),
    "sign": (torchann.ClassificationMLP, "sigmoid"),
    "kind": (torchann.ClassificationMLP, "softmax"),
}


@pytest.mark.parametrize("target", KINDS)
def test_ensemble_is_trained_by_autograd_which_is_said_and_comes_back_from_checkpoint_and_file(
    target, caplog, tmp_path
):
    caplog.set_level("INFO", "torchann")
    kind, mean_of = KINDS[target]
    model = kind(members=MEMBERS, optimizer="adam", lr=0.02)
    trainer = fit(model, data(target), max_epochs=10, default_root_dir=tmp_path)
    assert "by autograd: the net is a EnsembleMLP" in caplog.text
    assert model.net.mean_of == mean_of and model.history[-1]["val_loss"] < model.history[0]["val_loss"] / 1.5
    trainer.save_checkpoint(tmp_path / "last.ckpt")
    torchann.save(model, tmp_path / "model.safetensors")
    rows = {name: table()[name] for name in ("a", "b")}
    for again in (
        kind.load_from_checkpoint(tmp_path / "last.ckpt", weights_only=True),
        torchann.load(tmp_path / "model.safetensors"),
    ):
        assert (
            torch.equal(again.predict(rows), model.predict(rows))
            and again.hparams["members"] == model.hparams["members"]
        )


def test_members_and_learnt_categories_are_refused_together():
    with pytest.raises(ValueError, match=r"members are given and embeddings are \[\[5, 2\]\]; members take plain num"):
        torchann.RegressionMLP(in_features=3, out_features=1, members=MEMBERS, embeddings=[[5, 2]])


@pytest.mark.parametrize("kind", [torchann.RegressionMLP, torchann.ClassificationMLP])
def test_wrong_members_are_refused_before_sizes_are_known(kind):
    with pytest.raises(ValueError, match=r"members\[0\]: weight is 0; give a number above 0"):
        kind(members=[{"hidden_sizes": [3], "weight": 0}])


def test_bounded_predictions_are_the_mean_of_the_members_predictions():
    model = torchann.RegressionMLP(
        in_features=2, out_features=1, output="bounded", bounds=[0, 10], members=MEMBERS, weight_init="normal"
    )
    x = torch.randn(20, 2)
    first, second = model.net.members
    wanted = 2.5 * first(x[:, [1, 0]]).sigmoid() + 7.5 * second(x).sigmoid()
    torch.testing.assert_close(model.predict(x), wanted.detach())


def test_summary_counts_all_members():
    model = torchann.ClassificationMLP(in_features=2, num_classes=3, members=MEMBERS)
    assert model.summary().parameters == (2 * 6 + 6 + 6 * 3 + 3) + (2 * 8 + 8 + 8 * 4 + 4 + 4 * 3 + 3)
