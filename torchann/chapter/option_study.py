"""A study: one hyperparameter takes several values, all else stays, on housing and on some of Fashion-MNIST."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import inf, isfinite, nan
from statistics import median
from typing import Literal

from matplotlib.axes import Axes
from matplotlib.ticker import NullFormatter, NullLocator
from tabulate import tabulate

from torchann.chapter.experiment import Measurement, Outcome, Setting
from torchann.chapter.study_results import HOUSING, Case, Results, Run
from torchann.data import CaliforniaHousingDataModule, FashionMNISTDataModule
from torchann.data.in_memory import InMemoryDataModule, Split, Splits
from torchann.engine.threads import at_most
from torchann.tasks.classification import ClassificationMLP
from torchann.tasks.regression import RegressionMLP
from torchann.training.trainer import Trainer

EPOCHS, ROWS = 10, 5_000
COLOURS = ("tab:blue", "tab:orange")


class FewImages(FashionMNISTDataModule):
    """Fashion-MNIST with the first 5,000 of its training images; all validation and test images."""

    def read(self) -> Splits:
        """The splits, the first one cut off."""
        train, val, test = super().read()
        return Splits(Split(train.x[:ROWS], train.y[:ROWS]), val, test)


@dataclass(frozen=True)
class KnobStudy:
    """What is varied, what the chapter advises, and the cases by data set, whose results give the figures."""

    what: str
    advice: str
    cases: Mapping[str, Sequence[Case]]
    measure: Callable[[Mapping[str, Results]], dict[str, Measurement]]
    scale: Literal["names", "linear", "log"] = "names"

    @at_most(1)
    def __call__(self, setting: Setting) -> Outcome:
        """Trains all cases, and puts them beside the advice."""
        results = {}
        for name, cases in self.cases.items():
            data = _data(name, setting)
            data.setup()
            results[name] = Results(name, cases, [train(data, case) for case in cases])
        measurements = self.measure(results)
        message = [f"measured, {name}: {measurement:.4g}" for name, measurement in measurements.items()]
        text = "\n\n".join([*map(self._table, results.values()), "\n".join([f"the chapter: {self.advice}", *message])])
        return Outcome(measurements, text=text, shown=results)

    def _table(self, found: Results) -> str:
        rows = []
        for (line, value), (case, run) in found.best.items():
            key = (line, value)
            mark = "best" if key == found.best_key else "" if key in found.steady else "loss ends high"
            score = f"{run.best:.4f}" if isfinite(run.best) else "none"
            cells = [str(value), line, score, f"{case.knobs['lr']:.3g}", str(case.batch_size), f"{run.seconds:.2f}"]
            rows.append([*cells, mark])
        headers = [self.what, "", _score(found.name), "rate", "batch", "s / epoch", ""]
        if not any(row[1] for row in rows):
            rows, headers = [[*row[:1], *row[2:]] for row in rows], [*headers[:1], *headers[2:]]
        return f"{found.name}\n{tabulate(rows, headers, disable_numparse=True)}"

    def draw(self, outcomes: Sequence[Outcome], *panels: Axes) -> None:
        """Draw the scores over the values: a dot per seed, a line through their medians, or a dash."""
        for panel, name in zip(panels, self.cases, strict=True):
            self._draw_panel(panel, [outcome.shown[name] for outcome in outcomes])

    def _draw_panel(self, panel: Axes, seeds: Sequence[Results]) -> None:
        keys = list(seeds[0].best)
        values, diverged = list(dict.fromkeys(value for _, value in keys)), False
        for line, colour in zip(dict.fromkeys(line for line, _ in keys), COLOURS, strict=False):
            its = [key for key in keys if key[0] == line]
            places = [values.index(value) if self.scale == "names" else value for _, value in its]
            scores = [[found.score(key) for key in its] for found in seeds]
            for ys in scores:
                panel.plot(places, [_drawable(y) for y in ys], ".", color=colour, alpha=0.5)
                lost = [place for place, y in zip(places, ys, strict=True) if not isfinite(y)]
                if lost:
                    panel.plot(lost, [0.97] * len(lost), "x", color=colour, transform=panel.get_xaxis_transform())
                    diverged = True
            medians = [_drawable(median(ys)) for ys in zip(*scores, strict=True)]
            look = {"marker": "_", "markersize": 22, "linestyle": "none"} if self.scale == "names" else {}
            panel.plot(places, medians, color=colour, label=line or None, **look)  # type: ignore[arg-type]
        if self.scale == "log":
            panel.set_xscale("log")
            panel.xaxis.set_minor_locator(NullLocator())
            panel.xaxis.set_minor_formatter(NullFormatter())
        ticks = range(len(values)) if self.scale == "names" else values
        panel.set_xticks(list(ticks), [str(value) for value in values], rotation=0 if len(values) < 7 else 45)
        panel.set(xlabel=self.what, ylabel=_score(seeds[0].name), title=seeds[0].name)
        panel.grid()
        panel.plot([], [], ".", color="0.4", label="a seed")
        mark = {"marker": "_", "markersize": 14, "linestyle": "none"} if self.scale == "names" else {}
        panel.plot([], [], color="0.4", label=f"median of {len(seeds)} seeds", **mark)  # type: ignore[arg-type]
        if diverged:
            panel.plot([], [], "x", color="0.4", label="a seed that diverged")
        panel.legend(fontsize="small")


def train(data: InMemoryDataModule, case: Case) -> Run:
    """Train a case for ten epochs on data that are set up; judge it by MAE or accuracy on the validation rows."""
    rows = data.batch_size
    data.batch_size = case.batch_size
    # What diverges has its place in the table.
    trainer = Trainer(max_epochs=EPOCHS, seed=data.seed, logger=False, quiet=True, terminate_on_nan=False)
    task = ClassificationMLP if hasattr(data, "num_classes") else RegressionMLP
    trainer.fit(task(**case.knobs), datamodule=data)
    data.batch_size = rows
    history = trainer.history
    if task is ClassificationMLP:
        best = max(history["val_accuracy"])
    else:
        best = min((score for score in history["val_mae"] if isfinite(score)), default=inf)
    return Run(best, history["train_loss"][-1], median(history["seconds"]))


def _data(name: str, setting: Setting) -> InMemoryDataModule:
    if name == HOUSING:
        return CaliforniaHousingDataModule(seed=setting.seed)
    return FewImages(setting.data_dir, seed=setting.seed)


def _score(name: str) -> str:
    return "validation MAE (100,000 USD)" if name == HOUSING else "validation accuracy (share of rows)"


def _drawable(score: float) -> float:
    return score if isfinite(score) else nan
