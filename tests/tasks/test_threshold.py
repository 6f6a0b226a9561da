"""Reports of classes against scikit-learn's, and thresholds that are chosen by validation rows and kept."""

import numpy as np
import pytest
import sklearn.metrics as sk
import torch

import torchann
from torchann.engine.class_report import ClassCounts, ClassReport
from torchann.publishing.judging import judge, unequal_classes
from torchann.tasks.threshold import best_threshold


@pytest.mark.parametrize(("task", "size"), [("binary", 2), ("multiclass", 4), ("multilabel", 3)])
def test_a_report_is_scikit_learns(task, size):
    draws = torch.Generator().manual_seed(0)
    shape = (60,) if task == "binary" else (60, size)
    proba = torch.rand(shape, generator=draws)
    y = (
        torch.randint(0, size, (60,), generator=draws)
        if task == "multiclass"
        else (torch.rand(shape, generator=draws) < 0.3).long()
    )
    said = proba.argmax(1) if task == "multiclass" else (proba > 0.5).long()
    names = [f"class {number}" for number in range(size)]
    counts = ClassCounts(task, size)
    counts.update(proba, y)
    report = ClassReport.of(counts.compute(), names)
    wanted = sk.classification_report(y, said, target_names=names, output_dict=True, zero_division=0)
    for name, line in [*report.classes.items(), *report.means.items()]:
        expected = wanted[name.replace("mean", "avg")]
        assert line == pytest.approx([expected[key] for key in ("precision", "recall", "f1-score", "support")])


def test_a_report_of_many_classes_shows_the_worst():
    report = ClassReport.of_lines({f"c{i}": [1.0, 1.0, i / 30, 1.0] for i in range(30)})
    lines = str(report).splitlines()
    assert lines[1].startswith("c0 ") and len(lines) == 1 + 20 + 2 + 1 and "10 classes with a higher F1" in lines[-1]


@pytest.mark.parametrize(("by", "score"), [("balanced_accuracy", sk.balanced_accuracy_score), ("f1", sk.f1_score)])
def test_a_threshold_is_the_best_of_all(by, score):
    draws = torch.Generator().manual_seed(1)
    y = (torch.rand(300, generator=draws) < 0.1).long()
    proba = (torch.rand(300, generator=draws) * 0.4 + 0.2 * y).double()
    cut = best_threshold(proba, y, by)
    best = max(score(y, proba > other) for other in [0.0, *proba.tolist()])
    assert score(y, proba > cut) == pytest.approx(best) and 0 < cut < 0.5


@pytest.mark.parametrize("y", [torch.zeros(5).long(), torch.ones(5).long()])
def test_a_threshold_of_rows_of_one_class_is_a_half(y):
    assert best_threshold(torch.rand(5), y, "f1") == 0.5


@pytest.mark.parametrize(
    ("threshold", "task", "match"),
    [
        ("recall", None, "threshold is 'recall'; give a number from 0 to 1, balanced_accuracy or f1"),
        (1.5, None, "threshold is 1.5; give a number from 0 to 1"),
        ("f1", "multiclass", "threshold='f1' in a multiclass task; a threshold tells two classes apart"),
    ],
)
def test_a_threshold_that_means_nothing_is_refused(threshold, task, match):
    with pytest.raises(ValueError, match=match):
        torchann.ClassificationMLP([], 2, 3, task=task, threshold=threshold)


def rare(rows=900):
    x = np.random.default_rng(0).normal(size=(rows, 3))
    y = x[:, 0] + 0.8 * np.random.default_rng(1).normal(size=rows) > 2.2
    return {"a": x[:, 0], "b": x[:, 1], "c": x[:, 2], "fraud": np.where(y, "yes", "no")}


def fitted(tmp_path, **options):
    data = torchann.TabularDataModule(rare(), "fraud", split="stratified")
    torch.manual_seed(0)
    model = torchann.ClassificationMLP([8], optimizer="adam", lr=0.01, metrics=["f1", "balanced_accuracy"], **options)
    trainer = torchann.Trainer(runs=tmp_path, name="r", max_epochs=8, quiet=True, callbacks=[torchann.EarlyStopping()])
    trainer.fit(model, datamodule=data)
    return model, data, trainer


def test_a_chosen_threshold_is_kept_in_every_file_and_obeyed_by_every_door(tmp_path):
    model, data, trainer = fitted(tmp_path, threshold="balanced_accuracy")
    cut = model.decision_threshold
    proba = model.predict_proba(data.splits.test.x)[:, 1]
    assert 0 < cut < 0.5 and torch.equal(model.predict(data.splits.test.x), (proba > cut).long())
    torchann.save(model, tmp_path / "m.safetensors")
    best = torchann.ClassificationMLP.load_from_checkpoint(trainer.checkpoint_callback.best_model_path)
    for again in (torchann.load(tmp_path / "m.safetensors"), best):
        assert again.decision_threshold == cut
        assert torch.equal(again.predict(data.splits.test.x), model.predict(data.splits.test.x))
    assert f"from a probability of {cut:.3g} on" in str(torchann.info(tmp_path / "m.safetensors"))
    found = trainer.test(model, datamodule=data, verbose=False)[0]
    y, said = data.splits.test.y, model.predict(data.splits.test.x)
    assert found["test_f1"] == pytest.approx(sk.f1_score(y, said))
    assert found["test_balanced_accuracy"] == pytest.approx(sk.balanced_accuracy_score(y, said))
    report = model.class_reports("test")[""].classes["yes"]
    assert report[:2] == pytest.approx([sk.precision_score(y, said), sk.recall_score(y, said)])
    judged = judge(model, data)
    assert judged.classes["yes"] == pytest.approx(report) and unequal_classes(model, judged) is None
    assert judged.metrics["net"]["balanced_accuracy"] == pytest.approx(found["test_balanced_accuracy"])


def test_a_rare_class_that_is_missed_is_told(tmp_path):
    model, data, _ = fitted(tmp_path)
    judged = judge(model, data)
    missed = 1 - judged.classes["yes"][1]
    assert missed > 0.1 and model.decision_threshold == 0.5
    assert f"of the rows are 'yes', and {missed:.0%} of them are missed" in unequal_classes(model, judged)
    assert "yes " in str(judged) and "`yes`" in judged.markdown
