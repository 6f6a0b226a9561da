"""A run that is killed anywhere and gone on with shows in TensorBoard what the run that was never stopped shows."""

import functools

import pytest
from tensorboard.backend.event_processing import plugin_event_accumulator  # the server's: it forgets curves, too

from tests.dashboard.events import read
from tests.resume.killed_run import Run, in_a_process, starts
from torchann import ClassificationMLP, EarlyStopping, RegressionMLP, TensorBoardReport

P = functools.partial
EVERYTHING = {"histogram_freq": 1, "write_images": True, "update_freq": 4, "embeddings_freq": 1, "pictures_freq": 1}
RUN = Run(
    P(ClassificationMLP, [6, 5], dropout=0.3, optimizer="adam", steps_per_execution=2),
    {"classes": True},
    callbacks=[P(TensorBoardReport, **EVERYTHING)],
    checkpoints={"every_n_steps": 3},
    epochs=3,
)


def shown(runs):
    """All that TensorBoard shows of the run, but for seconds and what is told of each start."""
    found = {}
    run = runs / "run" / "001"
    for folder in (run, *(path for path in sorted(run.iterdir()) if path.name in ("train", "validation", "steps"))):
        events = read(folder)
        tags = events.Tags()
        for tag in tags["scalars"]:
            if not tag.startswith("speed/"):
                found[folder.name, tag] = [(event.step, event.value) for event in events.Scalars(tag)]
        for tag in tags["images"]:
            found[folder.name, tag] = [(event.step, event.encoded_image_string) for event in events.Images(tag)]
        for tag in tags["histograms"]:
            found[folder.name, tag] = [(event.step, event.histogram_value) for event in events.Histograms(tag)]
        served = plugin_event_accumulator.EventAccumulator(str(folder), tensor_size_guidance={}).Reload()
        for tag in set(tags["tensors"]) - {"run/text_summary", "custom_scalars__config__"}:
            found[folder.name, tag] = [(e.step, e.tensor_proto.SerializeToString()) for e in served.Tensors(tag)]
        found[folder.name, "graph"] = tags["graph"]
    for path in [*sorted((run / "embeddings").rglob("*.*")), *run.glob("projector_config.pbtxt")]:
        found[path.relative_to(run)] = path.read_bytes()
    return found


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    runs = tmp_path_factory.mktemp("whole")
    assert in_a_process(RUN, runs) == 0
    found = shown(runs)
    assert {("001", "confusion_matrix"), ("001", "weights/1_Linear"), ("steps", "batch_loss")} <= set(found)
    assert [step for step, _ in found["steps", "batch_loss"]] == list(range(4, 40, 4))  # of 3 epochs of 13 steps
    return found


@pytest.mark.parametrize(
    "kill",
    [
        ("step", 4),
        ("step", 7),
        ("step", 13),
        ("step", 20),
        ("writing", 4),
        ("renaming", 5),
        ("best", 2),
        ("summary", 1),
    ],
)
def test_run_that_was_killed_shows_what_the_unbroken_run_shows(whole, tmp_path, kill):
    assert in_a_process(RUN, tmp_path, kill) == -9
    assert in_a_process(RUN, tmp_path) == 0
    again = shown(tmp_path)
    assert len(starts(tmp_path)) == (1 if kill[0] == "summary" else 2) and set(again) == set(whole)
    assert [name for name in whole if again[name] != whole[name]] == []


STOPPED = Run(
    P(RegressionMLP, [5], lr=0.05),
    callbacks=[P(EarlyStopping, patience=2), P(TensorBoardReport, histogram_freq=3)],
    epochs=12,
)


@pytest.mark.parametrize("kills", [[("summary", 1)], [("writing", 3), ("renaming", 3), ("writing", 2), ("summary", 1)]])
def test_run_with_early_stopping_that_was_killed_again_and_again_shows_what_the_unbroken_run_shows(tmp_path, kills):
    assert in_a_process(STOPPED, tmp_path / "whole") == 0
    for kill in kills:
        assert in_a_process(STOPPED, tmp_path / "killed", kill) == -9
    assert in_a_process(STOPPED, tmp_path / "killed") == 0
    assert in_a_process(STOPPED, tmp_path / "killed") == 0  # once more: nothing is told twice
    whole, again = shown(tmp_path / "whole"), shown(tmp_path / "killed")
    assert ("001", "summary/best_val_loss") in whole
    assert {name: again.get(name) for name in whole} == whole and set(again) == set(whole)


def test_run_that_goes_on_is_described_again_at_its_epoch_and_drawn_once(whole, tmp_path):
    in_a_process(RUN, tmp_path, ("step", 15))
    in_a_process(RUN, tmp_path)
    events = read(tmp_path / "run" / "001")
    assert [event.step for event in events.Tensors("run/text_summary")] == [0, 2]
    assert len(events.Tensors("custom_scalars__config__")) == 1
