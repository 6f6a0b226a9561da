"""What a fit leaves for TensorBoard, part by part and when, and that it changes nothing of what is trained."""

import gzip
import json
import re
import time
import warnings
from importlib.metadata import version

import lightning.pytorch as pl
import numpy as np
import pytest
import torch
from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger
from matplotlib.figure import Figure
from tensorboard.plugins.custom_scalar import layout_pb2
from torch.utils.data import DataLoader, IterableDataset, TensorDataset

from tests.dashboard.events import epochs, folders, points, read, text
from torchann import (
    CaliforniaHousingDataModule,
    ClassificationMLP,
    EarlyStopping,
    IrisDataModule,
    NetTask,
    Output,
    Perceptron,
    RegressionMLP,
    TensorBoardReport,
    Trainer,
)
from torchann.chapter.two_inputs import TwoInputs
from torchann.dashboard.classification_pictures import images_of
from torchann.dashboard.layout import layout
from torchann.dashboard.tensorboard_logger import RunLogger
from torchann.engine.rows.loader import TensorLoader
from torchann.engine.stop import StopTraining

ALL = {
    "histogram_freq": 1,
    "write_images": True,
    "update_freq": 3,
    "profile_batch": (2, 3),
    "embeddings_freq": 1,
    "pictures_freq": 1,
}


def rows(count=40, **kwargs):
    """``count`` rows of four features; the target is their sum."""
    x = torch.randn(count, 4, generator=torch.Generator().manual_seed(1))
    return TensorLoader(x, x.sum(1), **kwargs)


def regression(**kwargs):
    return RegressionMLP([8], in_features=4, out_features=1, **kwargs)


def fit(tmp_path, model, train, val=None, report=None, **kwargs):
    """Fits with a report of such options, with the Trainer's own if there are none; returns the Trainer."""
    callbacks = [] if report is None else [TensorBoardReport(**report)]
    given = {"runs": str(tmp_path), "name": "run", "max_epochs": 2, "quiet": True, "callbacks": callbacks}
    trainer = Trainer(**given | kwargs)
    if isinstance(train, pl.LightningDataModule):
        trainer.fit(model, datamodule=train)
    else:
        trainer.fit(model, train, val)
    return trainer


def test_every_run_has_its_speed_its_page_its_graph_and_its_best_figure(tmp_path):
    run = fit(tmp_path, regression(), rows(), rows()).run_folder
    tags = read(run).Tags()
    assert tags["scalars"] == ["speed/seconds_per_epoch", "speed/rows_per_second", "summary/best_val_loss"]
    assert sorted(tags["tensors"]) == ["custom_scalars__config__", "run/text_summary"]
    assert tags["graph"] and not tags["images"] and not tags["histograms"]


def test_speed_is_the_rows_that_were_trained_by_the_seconds_of_the_epoch(tmp_path):
    run = fit(tmp_path, regression(), rows(40, batch_size=8), limit_train_batches=3).run_folder
    seconds, speed = points(run, "speed/seconds_per_epoch"), points(run, "speed/rows_per_second")
    assert [epoch for epoch, _ in seconds] == [epoch for epoch, _ in speed] == [0, 1]
    for (_, took), (_, per_second) in zip(seconds, speed, strict=True):
        assert per_second * took == pytest.approx(24, rel=1e-5)


def test_best_figure_is_that_of_the_best_checkpoint_at_its_epoch(tmp_path):
    trainer = fit(tmp_path, regression(lr=0.05), rows(), rows(), max_epochs=5)
    losses = [row["val_loss"] for row in trainer.history]
    assert points(trainer.run_folder, "summary/best_val_loss") == [
        (losses.index(min(losses)), pytest.approx(min(losses)))
    ]


def test_page_has_the_network_the_data_and_the_configuration(tmp_path):
    data = CaliforniaHousingDataModule()
    page = text(fit(tmp_path, RegressionMLP([30], lr=1e-3), data, max_epochs=1).run_folder, "run")[0]
    assert "california-housing, 11,610 training rows" in page and data.fingerprint in page
    assert "    1 (Linear)      (None, 30)               270" in page
    assert "      hidden_sizes:\n      - 30\n" in page and "      lr: 0.001\n" in page and version("torch") in page


def test_layout_puts_a_figure_of_training_and_validation_on_one_chart(tmp_path):
    run = fit(tmp_path, regression(), rows(), report={"histogram_freq": 1, "update_freq": "batch"}).run_folder
    (event,) = read(run).Tensors("custom_scalars__config__")
    layout = layout_pb2.Layout.FromString(event.tensor_proto.string_val[0])
    charts = {c.title: {chart.title: list(chart.multiline.tag) for chart in c.chart} for c in layout.category}
    assert sorted(charts["training and validation"]) == ["loss", "lr", "mae", "rmse"]
    assert charts["training and validation"]["loss"] == ["^loss$"]
    assert set(charts) == {"training and validation", "layers", "steps", "speed"}


@pytest.mark.parametrize(
    ("every", "wanted"), [(0, []), (1, [0, 1, 2, 3, 4]), (2, [0, 2, 4]), (3, [0, 3, 4]), ("end", [4]), (9, [0, 4])]
)
def test_pictures_come_every_so_many_epochs_and_after_the_last(tmp_path, every, wanted):
    run = fit(tmp_path, regression(), rows(), rows(), {"pictures_freq": every}, max_epochs=5).run_folder
    tags = read(run).Tags()["images"]
    assert tags == (["predicted_against_true", "residuals"] if wanted else [])
    assert all(epochs(run, tag) == wanted for tag in tags)


def test_histograms_and_embeddings_come_every_so_many_epochs_and_after_the_last(tmp_path):
    run = fit(
        tmp_path, regression(), rows(), None, {"histogram_freq": 2, "embeddings_freq": 3}, max_epochs=6
    ).run_folder
    assert [event.step for event in read(run).Histograms("weights/1_Linear")] == [0, 2, 4, 5]
    assert [step for step, _ in points(run, "dead_relus/2_ReLU")] == [0, 2, 4, 5]
    assert folders(run / "embeddings") == ["00000", "00003", "00005"]


def batch_losses(train, model):
    """The loss of each batch of the first epoch, by weights that do not move."""
    return [(i, pytest.approx(((model(x)[:, 0] - y) ** 2).mean().item())) for i, (x, y) in enumerate(train, 1)]


@pytest.mark.parametrize("steps_per_execution", [1, 2, None])
@pytest.mark.parametrize("clip", [None, 1e9])
def test_losses_of_steps_are_those_of_the_batches_however_the_steps_are_taken(tmp_path, steps_per_execution, clip):
    model = regression(lr=0.0)
    blocks = 1 if clip else steps_per_execution
    train = rows(40, batch_size=6, shuffle=True, steps_per_execution=blocks)
    trainer = fit(tmp_path, model, train, None, {"update_freq": "batch"}, max_epochs=1, gradient_clip_val=clip)
    assert points(trainer.run_folder / "steps", "batch_loss") == batch_losses(
        rows(40, batch_size=6, shuffle=True), model
    )


def test_losses_of_several_steps_are_their_mean(tmp_path):
    model = regression(lr=0.0)
    trainer = fit(tmp_path, model, rows(40, batch_size=8), None, {"update_freq": 2}, max_epochs=2)
    losses = [loss.expected for _, loss in batch_losses(rows(40, batch_size=8), model)] * 2
    wanted = [(step, pytest.approx((losses[step - 2] + losses[step - 1]) / 2)) for step in (2, 4, 6, 8, 10)]
    assert points(trainer.run_folder / "steps", "batch_loss") == wanted


def test_losses_of_accumulated_batches_are_one_step(tmp_path):
    model = regression(lr=0.0)
    train = rows(32, batch_size=8)
    trainer = fit(tmp_path, model, train, None, {"update_freq": "batch"}, max_epochs=1, accumulate_grad_batches=2)
    losses = [loss.expected for _, loss in batch_losses(rows(32, batch_size=8), model)]
    wanted = [(1, pytest.approx(sum(losses[:2]) / 2)), (2, pytest.approx(sum(losses[2:]) / 2))]
    assert points(trainer.run_folder / "steps", "batch_loss") == wanted


def test_profile_is_a_trace_and_a_table(tmp_path):
    run = fit(tmp_path, regression(), rows(40, batch_size=8), None, {"profile_batch": (2, 4)}).run_folder
    (trace,) = (run / "profile").iterdir()
    assert trace.name == "steps_2_to_4.pt.trace.json.gz"
    with gzip.open(trace) as file:
        assert any(event["name"] == "torchann::compiled_steps" for event in json.load(file)["traceEvents"])
    (page,) = text(run, "profile").values()
    assert page.startswith("Steps 2 to 4, by torch's profiler. The trace is `profile/steps_2_to_4.pt.trace.json.gz`")
    assert "| torchann::compiled_steps" in page


def test_profile_of_a_step_within_a_call_is_of_the_call(tmp_path):
    train = rows(40, batch_size=8, steps_per_execution=3)
    run = fit(tmp_path, regression(), train, None, {"profile_batch": 4}, max_epochs=1).run_folder
    assert [path.name for path in (run / "profile").iterdir()] == ["steps_4_to_5.pt.trace.json.gz"]


def test_fit_that_ends_before_the_last_profiled_step_keeps_the_profile_up_to_there(tmp_path):
    run = fit(tmp_path, regression(), rows(40, batch_size=8), None, {"profile_batch": (3, 1000)}).run_folder
    assert folders(run / "profile") == ["steps_3_to_10.pt.trace.json.gz"]
    fit(tmp_path, regression(), rows(), None, {"profile_batch": 1})  # torch has one profiler at a time


class Stop(pl.Callback):
    def on_train_batch_end(self, *_):
        raise RuntimeError("the end")


def test_fit_that_fails_ends_the_profile(tmp_path):
    report = TensorBoardReport(profile_batch=(1, 9))
    trainer = Trainer(runs=str(tmp_path), max_epochs=1, quiet=True, callbacks=[Stop(), report])
    with pytest.raises(RuntimeError, match="the end"):
        trainer.fit(regression(), rows())
    fit(tmp_path, regression(), rows(), None, {"profile_batch": 1})


def test_part_that_fails_is_a_warning_and_the_training_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr("torchann.dashboard.evaluation.write_evaluation", lambda *_: 1 / 0)
    with pytest.warns(UserWarning, match="leaves out pictures_freq from now on, as it ended with ZeroDiv") as told:
        trainer = fit(tmp_path, regression(), rows(), None, {"pictures_freq": 1, "histogram_freq": 1}, max_epochs=3)
    assert len(told) == 1 and trainer.current_epoch == 3
    assert len(read(trainer.run_folder).Histograms("weights/1_Linear")) == 3


def test_pictures_of_restored_weights_are_those_of_their_epoch(tmp_path):
    stopping = EarlyStopping(patience=2)
    report = TensorBoardReport(embeddings_freq=10)
    trainer = Trainer(runs=str(tmp_path), max_epochs=50, quiet=True, callbacks=[stopping, report])
    x, y = classes()
    torch.manual_seed(0)
    model = ClassificationMLP([4], in_features=4, num_classes=3, lr=1.0)
    trainer.fit(model, TensorLoader(x, y, 8, shuffle=True), TensorLoader(x, y))
    best = stopping.best_epoch
    assert 0 < best < trainer.current_epoch - 1 and epochs(trainer.run_folder, "confusion_matrix") == [best]
    vectors = np.loadtxt(trainer.run_folder / "embeddings" / f"{best:05}" / "vectors.tsv")
    np.testing.assert_allclose(vectors, model.net[:-1](x).detach(), rtol=1e-4, atol=1e-4)


def test_histograms_of_restored_weights_come_behind_those_of_later_epochs(tmp_path):
    stopping, report = EarlyStopping(patience=4), TensorBoardReport(histogram_freq=2, pictures_freq=0)
    trainer = Trainer(runs=str(tmp_path), max_epochs=50, quiet=True, callbacks=[stopping, report])
    x, y = classes()
    torch.manual_seed(0)
    model = ClassificationMLP([4], in_features=4, num_classes=3, lr=1.0)
    trainer.fit(model, TensorLoader(x, y, 8, shuffle=True), TensorLoader(x, y))
    last, steps = trainer.current_epoch - 1, [e.step for e in read(trainer.run_folder).Histograms("weights/1_Linear")]
    restored = [] if stopping.best_epoch % 2 == 0 else [last + 1]
    assert steps == [*range(0, last + 1, 2), *restored]
    assert restored or points(trainer.run_folder, "summary/best_val_loss")[0][0] % 2 == 0


def trained(tmp_path, report, train, **kwargs):
    torch.manual_seed(0)
    model = ClassificationMLP([16, 8], in_features=4, num_classes=3, dropout=0.3, norm="batch", lr=0.1, **kwargs)
    fit(tmp_path, model, train(), TensorLoader(*classes(), 32), report, max_epochs=3)
    return model.state_dict()


def classes():
    x = torch.randn(60, 4, generator=torch.Generator().manual_seed(1))
    return x, x[:, :3].argmax(1)


@pytest.mark.parametrize(
    "train",
    [
        lambda: TensorLoader(*classes(), 8, shuffle=True),
        lambda: DataLoader(TensorDataset(*classes()), 8, shuffle=True),
    ],
    ids=["own loader", "torch's loader"],
)
def test_nothing_that_is_written_changes_a_bit_of_what_is_trained(tmp_path, train):
    with_all, without = trained(tmp_path, ALL, train), trained(tmp_path, None, train)
    assert all(torch.equal(with_all[name], without[name]) for name in without)


def test_caller_has_his_generators_and_his_flags_back(tmp_path):
    torch.manual_seed(5)
    state, numpy_state = torch.get_rng_state(), np.random.get_state()[1].copy()
    model = regression(dropout=0.5)
    torch.set_rng_state(state)
    fit(tmp_path, model, rows(), rows(), ALL)
    assert torch.equal(torch.get_rng_state(), state) and (np.random.get_state()[1] == numpy_state).all()
    assert model.training and model.net[3].training


def test_classes_have_confusion_curves_and_mistakes(tmp_path):
    data = IrisDataModule("species", order="shuffled")
    run = fit(tmp_path, ClassificationMLP([10]), data, report={"pictures_freq": "end"}).run_folder
    tags = read(run).Tags()
    assert tags["images"] == ["confusion_matrix", "roc_curves", "decision_regions"]
    assert [tag for tag in tags["tensors"] if tag.startswith("precision_recall/")] == [
        *("precision_recall/setosa", "precision_recall/versicolor", "precision_recall/virginica")
    ]
    (report,) = text(run, "classification_report").values()
    assert "| versicolor" in report and "| macro mean" in report
    (told,) = text(run, "worst_mistakes").values()
    assert "|   row | is " in told and "petal length (cm)" in told


def test_perceptron_has_its_boundary_in_each_epoch(tmp_path):
    run = fit(tmp_path, Perceptron(), IrisDataModule(), report={"pictures_freq": 1}, max_epochs=4).run_folder
    assert epochs(run, "decision_regions") == [0, 1, 2, 3]


def test_housing_has_a_map(tmp_path):
    run = fit(tmp_path, RegressionMLP([5]), CaliforniaHousingDataModule(), report={}, max_epochs=1).run_folder
    assert read(run).Tags()["images"] == ["predicted_against_true", "residuals", "residual_map"]


def images(count=30):
    x = torch.randint(0, 255, (count, 6, 6), generator=torch.Generator().manual_seed(2), dtype=torch.uint8)
    return TensorLoader(x, torch.arange(count) % 3, 8, prepare=lambda part: part / 255)


def test_images_are_shown_with_what_they_are_taken_for(tmp_path):
    model = ClassificationMLP([5], in_features=36, num_classes=3)
    run = fit(tmp_path, model, images(), images(), {"write_images": True, "embeddings_freq": 2}).run_folder
    assert read(run).Tags()["images"] == [
        *("confusion_matrix", "roc_curves", "worst_mistakes", "predictions", "first_layer_weights")
    ]
    assert folders(run / "embeddings" / "00001") == ["images.png", "labels.tsv", "vectors.tsv"]
    labels = (run / "embeddings" / "00001" / "labels.tsv").read_text().splitlines()
    assert labels[0] == "class\tpredicted\tright" and [line[0] for line in labels[1:]] == [*"012" * 10]


def test_outputs_by_name_have_pictures_by_name(tmp_path):
    outputs = {"main": Output(), "kind": Output(task="binary")}
    x, y = torch.randn(20, 4), torch.rand(20).round()
    loader = TensorLoader({"wide": x, "deep": x}, {"main": x.sum(1), "kind": y}, 8)
    task = NetTask(TwoInputs(wide_features=4, deep_features=4), outputs)
    tags = read(fit(tmp_path, task, loader, loader, ALL).run_folder).Tags()
    pictures = {"main/predicted_against_true", "main/residuals", "kind/confusion_matrix", "kind/roc_curves"}
    assert (
        set(tags["images"]) == pictures | {"first_layer_weights"}
        and "kind/precision_recall/1" in tags["tensors"]
        and tags["graph"]
    )


def test_labels_have_a_curve_each(tmp_path):
    x = torch.randn(20, 4)
    loader = TensorLoader(x, (x[:, :3] > 0).long(), 8)
    model = ClassificationMLP([5], in_features=4, num_classes=3, task="multilabel", class_names=["a", "b", "c"])
    tags = read(fit(tmp_path, model, loader, loader, ALL).run_folder).Tags()
    assert [t for t in tags["tensors"] if t.startswith("precision")] == [f"precision_recall/{name}" for name in "abc"]
    assert tags["images"] == ["first_layer_weights"]


def test_several_values_have_pictures_each(tmp_path):
    x = torch.randn(20, 4)
    loader = TensorLoader(x, x[:, :2], 8)
    model = RegressionMLP([5], in_features=4, out_features=2, target_names=["price", "age"])
    tags = read(fit(tmp_path, model, loader, None, {}).run_folder).Tags()["images"]
    assert tags == [f"{name}/{what}" for name in ("price", "age") for what in ("predicted_against_true", "residuals")]


class Stream(IterableDataset):
    def __iter__(self):
        x, y = classes()
        return iter([(x[i], y[i]) for i in range(len(y))])


def test_stream_has_histograms_of_weights_and_no_pictures(tmp_path):
    model = ClassificationMLP([5], in_features=4, num_classes=3)
    run = fit(tmp_path, model, DataLoader(Stream(), 8), DataLoader(Stream(), 8), ALL).run_folder
    tags = read(run).Tags()
    assert "weights/1_Linear" in tags["histograms"] and "gradients/1_Linear.weight" not in tags["histograms"]
    assert tags["images"] == ["first_layer_weights"]


def test_diverged_run_has_its_pictures_too(tmp_path):
    run = fit(tmp_path, regression(lr=1e6), rows(), rows(), ALL, max_epochs=4, terminate_on_nan=False).run_folder
    assert epochs(run, "residuals") == [0, 1, 2, 3]


class OfLightning(pl.LightningModule):
    """Someone else's module, without anything of this project."""

    def __init__(self):
        super().__init__()
        self.layers = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.ReLU(), torch.nn.Linear(3, 1))

    def forward(self, x):
        return self.layers(x)

    def training_step(self, batch, batch_idx):
        return ((self(batch[0])[:, 0] - batch[1]) ** 2).mean()

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.0)


def test_module_of_someone_else_has_its_weights_and_its_losses(tmp_path):
    run = fit(tmp_path, OfLightning(), rows(40, batch_size=8), None, ALL | {"update_freq": 5}).run_folder
    tags = read(run).Tags()
    assert not tags["graph"] and "weights/layers.0_Linear" in tags["histograms"]
    assert [step for step, _ in points(run / "steps", "batch_loss")] == [5, 10]


def test_report_works_in_lightnings_trainer(tmp_path):
    logger = TensorBoardLogger(str(tmp_path), name="lightning", version="x", default_hp_metric=False)
    options = {"enable_progress_bar": False, "enable_model_summary": False, "enable_checkpointing": False}
    trainer = pl.Trainer(max_epochs=2, logger=logger, callbacks=[TensorBoardReport(**ALL)], **options)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        trainer.fit(regression(), rows(), rows())
    assert epochs(tmp_path / "lightning" / "x", "residuals") == [0, 1]


def test_logger_of_another_kind_is_a_warning(tmp_path):
    trainer = Trainer(logger=CSVLogger(tmp_path), max_epochs=1, quiet=True, callbacks=[TensorBoardReport()])
    with pytest.warns(UserWarning, match="writes nothing: the loggers are CSVLogger; add a TensorBoardLogger"):
        trainer.fit(regression(), rows())


def test_trainer_without_a_logger_has_no_report_and_says_nothing(tmp_path):
    Trainer(logger=False, max_epochs=1, quiet=True, callbacks=[TensorBoardReport()]).fit(regression(), rows())


def test_two_reports_are_an_error():
    with pytest.raises(ValueError, match="there are 2 TensorBoardReports; give one, and its options on the command"):
        Trainer(callbacks=[TensorBoardReport(), TensorBoardReport()])


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"histogram_freq": -1}, "histogram_freq is -1; give a whole number from 0 on"),
        ({"histogram_freq": True}, "histogram_freq is True; give a whole number"),
        ({"embeddings_freq": 1.5}, "embeddings_freq is 1.5; give a whole number from 0 on"),
        ({"pictures_freq": "always"}, "pictures_freq is 'always'; give a whole number from 0 on or 'end'"),
        ({"update_freq": 0}, "update_freq is 0; give a whole number from 1 on, 'epoch' or 'batch'"),
        ({"update_freq": "step"}, "update_freq is 'step'; give a whole number from 1 on, 'epoch' or 'batch'"),
        ({"profile_batch": (5, 2)}, r"profile_batch is \(5, 2\); give a step from 1 on, or the first and the last"),
        ({"profile_batch": (1, 2, 3)}, r"profile_batch is \(1, 2, 3\); give a step from 1 on"),
        ({"profile_batch": "2,4"}, "profile_batch is '2,4'; give a step from 1 on"),
        ({"profile_batch": True}, "profile_batch is True; give a step from 1 on"),
        ({"profile_batch": -3}, r"profile_batch is \(-3, -3\); give a step from 1 on"),
    ],
)
def test_option_that_means_nothing_is_an_error(options, told):
    with pytest.raises(ValueError, match=told):
        TensorBoardReport(**options)


def test_page_and_graph_are_written_once_by_a_trainer_that_fits_twice(tmp_path):
    trainer = fit(tmp_path, regression(), rows())
    trainer.fit_loop.max_epochs = 4
    trainer.fit(trainer.lightning_module, rows())
    assert sorted(text(trainer.run_folder, "run")) == [0, 2]
    assert len(read(trainer.run_folder).Tensors("custom_scalars__config__")) == 1


def test_fit_without_steps_writes_no_pictures(tmp_path):
    trainer = fit(tmp_path, regression(), rows(), None, {"pictures_freq": 1}, max_epochs=0)
    assert not trainer.run_folder.exists() or "residuals" not in read(trainer.run_folder).Tags()["images"]


def test_plain_numbers_of_numpy_are_told_as_numbers(tmp_path):
    model = RegressionMLP([8], in_features=4, out_features=1, lr=np.logspace(-3, -1, 3)[0])
    assert "  lr: 0.001\n" in text(fit(tmp_path, model, rows()).run_folder, "run")[0]


class OwnWay(OfLightning):
    """Takes batches of any kind, and logs a loss of one element."""

    def training_step(self, batch, batch_idx):
        return (self.layers.state_dict()["0.weight"] * 0 + self.layers[0].weight).sum().reshape(1)


@pytest.mark.parametrize(
    "batch",
    [
        ((torch.zeros(8, 4), torch.zeros(8, 4)), torch.zeros(8)),
        {"x": torch.zeros(8, 4), "n": 8},
        {"n": 8, "x": torch.zeros(8, 4)},
        {"x": torch.zeros(8, 4), "index": torch.zeros(3)},
        ({}, torch.zeros(8)),
        (torch.tensor(1.0), torch.zeros(8)),
        [["a", "b"], [{"box": 1}]],
        torch.zeros(8, 4),
    ],
    ids=["pair of pairs", "tensor and number", "number and tensor", "lengths", "empty", "no rows", "words", "tensor"],
)
@pytest.mark.parametrize("report", [None, ALL], ids=["the Trainer's own", "everything"])
def test_batches_of_any_kind_train_with_the_report_as_without(tmp_path, batch, report):
    loader = DataLoader([0, 1], batch_size=1, collate_fn=lambda _: batch)
    trainer = fit(tmp_path, OwnWay(), loader, None, report)
    assert trainer.global_step == 4


class Workers(TensorDataset):
    """Can be read where training reads it, and nowhere else: it counts."""

    def __init__(self):
        super().__init__(torch.zeros(16, 4), torch.zeros(16))
        self.reads = 0

    def __getitem__(self, index):
        self.reads += 1
        return super().__getitem__(index)


def test_report_of_the_trainer_reads_no_row_that_is_not_trained(tmp_path):
    data = Workers()
    fit(tmp_path, regression(), DataLoader(data, 8), max_epochs=1)
    assert data.reads == 16


class Counting(torch.nn.Module):
    """Counts its calls, and what it gives depends on them."""

    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(4, 1)
        self.register_buffer("calls", torch.zeros(()))

    def forward(self, x):
        self.calls = self.calls + 1
        return self.layer(x) * (1 + 0.01 * self.calls)


def test_net_that_counts_its_calls_is_trained_to_the_same_bits(tmp_path):
    found = []
    for report in (ALL, None):
        torch.manual_seed(0)
        task = NetTask(Counting(), {"y": Output()})
        trainer = fit(tmp_path, task, rows(40, batch_size=8), rows(), report)
        found.append({name: value.clone() for name, value in trainer.lightning_module.state_dict().items()})
    assert all(torch.equal(value, found[1][name]) for name, value in found[0].items())


def test_decision_regions_are_those_of_rows_that_the_loader_prepares(tmp_path, monkeypatch):
    drawn = {}

    def draw(predict, x, y, *_):
        drawn.update(predicted=predict(x), x=x, y=y)
        return Figure()

    monkeypatch.setattr("torchann.dashboard.classification_pictures.decision_regions", draw)
    x = torch.randint(0, 200, (60, 2), generator=torch.Generator().manual_seed(1))
    loader = TensorLoader(x, (x[:, 0] > 100).long(), 8, prepare=lambda part: (part.float() - 100) / 50)
    model = ClassificationMLP([8], in_features=2, num_classes=2, lr=0.5)
    trainer = fit(tmp_path, model, loader, loader, {}, max_epochs=20)
    share = (drawn["predicted"] == drawn["y"]).float().mean()
    assert share > 0.9 and torch.equal(drawn["x"], x.float())
    assert share == pytest.approx(trainer.validate(model, loader, verbose=False)[0]["val_accuracy"])


def test_speed_is_that_of_training_without_validation(tmp_path):
    class Slow(pl.Callback):
        def on_validation_batch_start(self, *_):
            time.sleep(0.3)

    report = TensorBoardReport(pictures_freq=0)
    trainer = Trainer(runs=str(tmp_path), max_epochs=1, quiet=True, callbacks=[Slow(), report])
    trainer.fit(regression(), rows(), rows())
    run = trainer.run_folder
    assert points(run, "speed/seconds_per_epoch")[0][1] > 0.6
    assert points(run, "speed/rows_per_second")[0][1] > 40 / 0.3


def test_files_lie_in_the_folder_of_the_tensorboard_logger(tmp_path):
    loggers = [CSVLogger(tmp_path / "csv"), RunLogger(tmp_path, "run")]
    report = TensorBoardReport(embeddings_freq=1, profile_batch=1)
    trainer = Trainer(logger=loggers, max_epochs=1, quiet=True, callbacks=[report])
    trainer.fit(regression(), rows())
    assert {"embeddings", "profile", "projector_config.pbtxt"} <= set(folders(tmp_path / "run" / "001"))


def test_profiler_that_cannot_begin_is_a_warning(tmp_path, monkeypatch):
    def start(self):
        raise RuntimeError("Profiler is already enabled on this thread")

    monkeypatch.setattr("torch.profiler.profile.start", start)
    with pytest.warns(UserWarning, match="leaves out profile_batch from now on, as it ended with RuntimeError: Profil"):
        fit(tmp_path, regression(), rows(), None, {"profile_batch": (1, 2)})


def test_net_that_cannot_be_followed_has_its_page_and_no_graph(tmp_path, monkeypatch):
    def compiled(*_):  # some releases of torch follow what they have compiled, others do not
        raise RuntimeError("a hook was not called")

    monkeypatch.setattr("torchann.dashboard.description.steps_of", compiled)
    tags = read(fit(tmp_path, regression(), rows()).run_folder).Tags()
    assert "run/text_summary" in tags["tensors"] and not tags["graph"]


def test_images_of_few_shades_and_of_floats_use_all_of_black_to_white():
    digits = torch.arange(2 * 36, dtype=torch.uint8).reshape(2, 6, 6) % 17
    assert images_of(digits).max() == 1 and images_of(digits).min() == 0
    assert images_of(torch.full((1, 6, 6), 200, dtype=torch.uint8)).max() == 200
    assert images_of(torch.linspace(-3, 5, 36).reshape(1, 6, 6)).aminmax() == (0, 1)


def test_run_without_mistakes_says_so(tmp_path):
    trainer = fit(tmp_path, Perceptron(), IrisDataModule(), report={"pictures_freq": 1}, max_epochs=20)
    pages = text(trainer.run_folder, "worst_mistakes")
    assert "rows of 150 that are taken for what they are not" in pages[0] and "surest" not in pages[0]
    assert pages[max(pages)] == "None of the 150 rows is taken for what it is not."


def test_fit_that_is_stopped_within_an_epoch_tells_its_best_figure(tmp_path):
    class StopLater(pl.Callback):
        def on_train_batch_end(self, trainer, *_):
            if trainer.current_epoch == 2:
                raise StopTraining("nan", "enough")

    trainer = Trainer(runs=str(tmp_path), max_epochs=9, quiet=True, callbacks=[StopLater()])
    trainer.fit(regression(), rows(), rows())
    assert len(points(trainer.run_folder, "summary/best_val_loss")) == 1


def test_names_of_classes_may_be_numbers_or_the_same_twice(tmp_path):
    x, y = classes()
    for names in ([0, 1, 2], ["a", "a", "b"]):
        model = ClassificationMLP([5], in_features=4, num_classes=3, class_names=names)
        tags = read(fit(tmp_path, model, TensorLoader(x, y, 8), None, {}).run_folder).Tags()["tensors"]
        assert len([tag for tag in tags if tag.startswith("precision_recall/")]) == 3


def test_layout_takes_names_as_they_are():
    charts = layout(["val_price (USD)_loss"], layers=False, steps=False)["training and validation"]
    ((pattern,),) = [chart[1] for chart in charts.values()]
    assert re.search(pattern, "price (USD)_loss")
