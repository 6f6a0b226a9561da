"""What an experiment of the chapter is: something that runs, the figures it gives and those that were published."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from lightning.pytorch import Callback, LightningDataModule
from matplotlib.figure import Figure

from torchann.data import CaliforniaHousingDataModule
from torchann.files.metric_name import MetricName
from torchann.pictures.learning_curves import History, learning_curves
from torchann.tasks.task import Task
from torchann.training.trainer import Trainer

Measurement = float | str
Measure = Callable[[Trainer], Mapping[str, Measurement]]
SHOWN = ("loss", "accuracy", "rmse")


@dataclass(frozen=True)
class Published:
    """A figure to meet: one that was published, that a law demands, or a threshold of this package.

    It is met in its band, from the lowest to the highest figure, or only by an equal one where there is no band.

    Attributes:
        measurement: its name.
        value: what was published or is demanded.
        band: what counts as the same, with both ends.
        by: ``"book"`` where an edition of the book printed it, ``"peer"`` where scikit-learn gives it, ``"law"`` where
            arithmetic or a theorem demands it, ``"own"`` where this package set the threshold.
    """

    measurement: str
    value: Measurement
    band: tuple[float, float] | None = None
    by: Literal["book", "peer", "law", "own"] = "book"

    def met_by(self, measurement: Measurement) -> bool:
        """Whether a figure counts as the published one."""
        if self.band is None:
            return measurement == self.value
        return isinstance(measurement, float) and self.band[0] <= measurement <= self.band[1]


@dataclass
class Outcome:
    """What one run of an experiment gave: figures by the names of the published ones, a row of history per epoch.

    Its text is shown on the screen and in the report; ``shown`` is whatever else its picture draws.
    """

    measurements: Mapping[str, Measurement]
    history: History = ()
    text: str = ""
    shown: Any = None


@dataclass(frozen=True)
class Setting:
    """How an experiment is to be run: its name and seed, the folder of its run folders, and that of Fashion-MNIST."""

    name: str
    seed: int = 42
    runs: str = "runs"
    data_dir: str | None = None
    quiet: bool = True

    def fit(
        self, task: Task, data: LightningDataModule, max_epochs: int, callbacks: Sequence[Callback] = ()
    ) -> Trainer:
        """Trains and leaves a run folder; returns the Trainer.

        Raises:
            KeyboardInterrupt: after Ctrl-C, as the figures of half a run are not those of the experiment.
        """
        trainer = Trainer(
            runs=self.runs,
            name=self.name,
            seed=self.seed,
            verbose=0 if self.quiet else 1,
            max_epochs=max_epochs,
            callbacks=list(callbacks),
            terminate_on_nan=False,  # as in the book, whose runs go on
        )
        trainer.fit(task, datamodule=data)
        if trainer.stopped_by == "interrupt":
            raise KeyboardInterrupt
        return trainer


def draw_learning_curves(outcomes: Sequence[Outcome], title: str) -> Figure:
    """Draw loss, accuracy and RMSE over the epochs, a thin line per seed and their median."""
    histories = [outcome.history for outcome in outcomes]
    tags = [tag for tag in SHOWN if MetricName("train", "", tag).key in histories[0][0]]
    return learning_curves(histories, title, tags, unit="100,000 USD" if "rmse" in tags else "")  # of housing


@dataclass(frozen=True)
class Experiment:
    """A part of the chapter that can be run, with the figures to meet.

    Attributes:
        name: as the command line and the run folders call it.
        section: of the chapter.
        title: what is shown or trained.
        published: the figures to meet.
        source: where they were published, or what demands them.
        run: what it does; torch's generator is seeded with the setting's seed when it is called.
        draw: its picture, from the outcomes of its seeds and the title.
        takes_seeds: whether another seed may give other figures.
        in_chapter: whether it is run with the chapter; others are run by name.
    """

    name: str
    section: str
    title: str
    published: tuple[Published, ...]
    source: str
    run: Callable[[Setting], Outcome]
    draw: Callable[[Sequence[Outcome], str], Figure] = draw_learning_curves
    takes_seeds: bool = True
    in_chapter: bool = True


def housing(setting: Setting) -> LightningDataModule:
    """Return California housing in mini-batches of 32, the data of most experiments."""
    return CaliforniaHousingDataModule(32, setting.seed)


@dataclass(frozen=True)
class Training:
    """What most experiments run: a task that is fitted on its data and measured; ``experiments/NAME.yaml`` is the same.

    ``show`` returns what the picture needs beside the history, of a Trainer that has fitted.
    """

    task: Callable[[], Task]
    max_epochs: int
    measure: Measure
    data: Callable[[Setting], LightningDataModule] = housing
    callbacks: Callable[[], list[Callback]] = list
    show: Callable[[Trainer], Any] | None = None

    def make(self, setting: Setting) -> tuple[Task, LightningDataModule]:
        """Make the task and its data."""
        return self.task(), self.data(setting)

    def __call__(self, setting: Setting) -> Outcome:
        """Trains and measures."""
        task, data = self.make(setting)
        trainer = setting.fit(task, data, self.max_epochs, self.callbacks())
        shown = None if self.show is None else self.show(trainer)
        return Outcome(self.measure(trainer), trainer.history, shown=shown)


def measured(**names: str) -> Measure:
    """What measures a fitted task on the rows of its data module.

    Args:
        names: of the figures, by the logged names: those of the last epoch (``val_loss="validation MSE"``) are taken
            from the Trainer, those on the test rows (``test_loss="test MSE"``) are measured.
    """

    def measure(trainer: Trainer) -> dict[str, Measurement]:
        logged = dict(trainer.callback_metrics)
        if any(MetricName.parse(key).stage == "test" for key in names):
            task, data = trainer.lightning_module, trainer.datamodule  # type: ignore[attr-defined]
            logged |= trainer.test(task, datamodule=data, verbose=False)[0]
        return {measurement: float(logged[name]) for name, measurement in names.items()}

    return measure


def trained(
    name: str,
    section: str,
    title: str,
    task: Callable[[], Task],
    max_epochs: int,
    published: Mapping[str, Published],
    source: str,
    in_chapter: bool = True,
    **training: Any,
) -> Experiment:
    """Return the :class:`Experiment` that runs a :class:`Training`; the logged names say what to measure."""
    measure = measured(**{key: one.measurement for key, one in published.items()})
    run = Training(task, max_epochs, measure, **training)
    return Experiment(name, section, title, tuple(published.values()), source, run, in_chapter=in_chapter)


def seeded(experiment: Experiment, setting: Setting) -> Outcome:
    """Runs an experiment with torch's generator seeded, and leaves the generator as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(setting.seed)
        return experiment.run(setting)
