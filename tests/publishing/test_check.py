"""A file that does not predict what its model predicts is never written; the rows it is tried on are of all kinds."""

import numpy as np
import pytest
import torch

import torchann
from tests.publishing.exported import MODELS
from torchann.publishing import check
from torchann.publishing.check import check_export
from torchann.publishing.raw_model import RawModel, task_from
from torchann.publishing.torch_program import program_runner


def changed(monkeypatch, change):
    """Makes every .pt2 file predict something else than the model."""

    def runner(content):
        run = program_runner(content)
        return lambda batch: change(run(batch))

    monkeypatch.setattr("torchann.publishing.export.program_runner", runner)


@pytest.mark.parametrize(
    ("name", "change", "told"),
    [
        (
            "wide_deep",
            lambda found: found | {"aux_value": found["aux_value"] * 1.001},
            "output 'aux_value' of the exported file differs from the model's by 0.001 of its scale, more than 1e-05",
        ),
        (
            "binary",
            lambda found: found | {"proba": found["proba"] * np.float32("nan")},
            "'proba' .* by nan of its scale",
        ),
        ("binary", lambda found: found | {"class": 1 - found["class"]}, "'class' .* another class .* in 1 of 1 rows"),
        ("labels", lambda found: found | {"class": 1 - found["class"]}, "'class' .* another class"),
        ("perceptron", lambda found: found | {"class": 1 - found["class"]}, "'class' .* another class"),
        ("binary", lambda found: found | {"proba": found["proba"][:, :1]}, r"'proba' .* is \(1, 1\) float32 and the"),
    ],
)
def test_file_that_predicts_otherwise_is_not_written(name, change, told, tmp_path, monkeypatch):
    changed(monkeypatch, change)
    path = tmp_path / "m.pt2"
    path.write_text("old")
    with pytest.raises(ValueError, match=told):
        torchann.export(MODELS[name]()[0], path)
    assert path.read_text() == "old" and [file.name for file in tmp_path.iterdir()] == ["m.pt2"]


def test_class_may_be_another_where_two_are_as_likely_to_rounding():
    want, got = np.array([0, 0]), np.array([0, 1])
    assert not check._other_classes(want, got, np.array([[0.9, 0.1], [0.500001, 0.499999]]))
    assert check._other_classes(want, got, np.array([[0.9, 0.1], [0.51, 0.49]]))


def batches(name):
    model, _, given = MODELS[name]()
    raw, seen = RawModel(task_from(model), given), []
    check_export(raw, lambda batch: seen.append(batch) or {key: part.numpy() for key, part in raw(batch).items()})
    return raw, seen


def test_rows_to_check_on_have_gaps_every_category_and_unseen_ones():
    raw, seen = batches("table")
    assert [len(batch) for batch in seen] == [1, 2, 7, 64]
    area, city, sold, garden = seen[-1].T
    assert area.isnan().any() and sold.isnan().any()
    assert {-1.0, 0.0, 1.0, 2.0} <= set(city.tolist()) and {0.0, 1.0} <= set(garden.tolist())
    step = raw.preparation[0]
    assert abs((area.nanmean() - step.mean[0]) / step.std[0]) < 1


def test_rows_to_check_on_are_of_the_kind_of_the_inputs():
    _, seen = batches("images")
    assert seen[-1].dtype == torch.uint8 and seen[-1].max() > 250 and seen[-1].shape == (64, 28, 28)
    raw, seen = batches("named_inputs")
    assert [len(batch["deep"]) for batch in seen] == [1, 2, 7, 64, 33]  # those that were given come last
    assert torch.equal(seen[-1]["deep"], raw.rows["deep"])
