"""``torchann tune``: searches hyperparameters, as the ``tune`` section of a config says."""

import inspect
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal

from jsonargparse import Namespace
from tabulate import tabulate

from torchann.commands.config_cli import ConfigCLI, exit_status
from torchann.commands.error_report import reason
from torchann.commands.suggestions import OTHER_WORDS
from torchann.files.atomic import write_atomically
from torchann.nets.names import nearest, printable
from torchann.tuning.best_model import finish
from torchann.tuning.space import Range, read_space
from torchann.tuning.storage import Pruner, Sampler
from torchann.tuning.study import Study

WORKER = "TORCHANN_TUNE_WORKER"
"""Set in processes that another one has started to share its study."""


@dataclass
class Tune:
    """How a space is searched.

    Args:
        space: by name, such as model.lr, a range {low, high}, a list of choices, or {layers, neurons} for hidden
            sizes; rates are drawn by factor unless log is false.
        trials: how many the study is to have; more can be asked for later.
        sampler: random, or tpe, which draws where it went well.
        pruner: gives trials up that are behind the others; none, median or hyperband.
        folds: parts of the training rows that are held out in turn; null to judge by the validation rows.
        metric: figure to judge by; val_loss is also the loss on held-out rows.
        mode: min if it should fall, max if it should rise; auto for losses, errors and accuracies.
        storage: null for a journal in the study's folder, a path for a journal elsewhere, or a URL such as
            sqlite:///study.db, for processes and machines to share.
        folder: of all studies.
        name: of the study; by default that of the config file, the table or the model.
        jobs: processes on this machine, each with its share of the cores.
    """

    space: dict[str, Any]
    trials: int = 20
    sampler: Sampler = "tpe"
    pruner: Pruner = "none"
    folds: int | None = None
    metric: str = "val_loss"
    mode: Literal["auto", "min", "max"] = "auto"
    storage: str | None = None
    folder: str = "studies"
    name: str | None = None
    jobs: int = 1


class TuneCLI(ConfigCLI):
    """Model, data and Trainer of a config, made anew for each candidate."""

    def add_arguments_to_parser(self, parser: Any) -> None:
        """Adds the knobs of the search."""
        super().add_arguments_to_parser(parser)
        parser.add_class_arguments(Tune, "tune")

    def instantiate_classes(self) -> None:
        """Makes nothing yet but the data that all candidates share."""
        self.shared: Any = None
        given = self.config.tune
        for name in given.space:
            self._check(name)
        self._check_values(read_space(given.space))
        if not any(name.startswith("data.") for name in given.space):
            self.shared = self.table or self.parser.instantiate_classes(self.config).data

    def after_instantiate_classes(self) -> None:
        """Needs no model."""

    def _check(self, name: str) -> None:
        part = name.partition(".")[0]
        owner = self.config.get(part) if part in ("model", "data") else None
        known = [f"{place}.{name}" for place in ("model", "data") for name in _knobs(self.config[place].class_path)]
        if owner is None or name not in known:
            leaves = {one.partition(".")[2]: one for one in reversed(known)}
            leaf = name.rpartition(".")[2]
            near = nearest(OTHER_WORDS.get(leaf, leaf), leaves)
            hint = (
                f"did you mean {leaves[near]!r}?" if near else "name an option of the model or data, such as model.lr"
            )
            raise ValueError(f"the search space has {name!r}, which there is not; {hint}")

    def _check_values(self, space: Mapping[str, Range]) -> None:
        # Before the first trial, not at the one that draws it.
        others = {name: values.ends[-1] for name, values in space.items()}
        for name, values in space.items():
            for value in values.ends:
                try:
                    self.make({**others, name: value})
                except (ValueError, TypeError) as error:
                    raise ValueError(f"the search space has {value!r} for {name}; {reason(error)}") from None

    def with_values(self, params: Mapping[str, Any]) -> Namespace:
        """The config with a candidate's values."""
        config: Namespace = self.config.clone()
        for name, value in params.items():
            part, _, knob = name.partition(".")
            config[f"{part}.init_args.{knob}"] = value
        return config

    def make(self, params: Mapping[str, Any]) -> tuple[Any, Any, dict[str, Any]]:
        """Model, data and the Trainer's arguments for a candidate."""
        made = self.parser.instantiate_classes(self.with_values(params))
        return made.model, self.shared or made.data, made.trainer.as_dict()

    def fit_config(self, params: Mapping[str, Any], name: str) -> str:
        """What ``torchann fit --config`` takes to train with a candidate's values."""
        config = self.with_values(params)
        config.trainer.name, config.quiet, config.trainer.quiet, config.trainer.verbose = name, False, False, "auto"
        for key in ("tune", "config"):
            config.pop(key, None)
        return str(self.parser.dump(config, skip_none=False, skip_default=True, skip_validation=True, format="yaml"))


def _knobs(class_path: str) -> list[str]:
    module, _, name = class_path.rpartition(".")
    owner = getattr(__import__(module, fromlist=[name]), name)
    return [knob for knob in inspect.signature(owner).parameters if knob not in ("self", "kwargs")]


def main(args: Sequence[str]) -> int:
    """Searches, and makes the best model when the last trial is done.

    Args:
        args: the command line after ``torchann``.

    Returns:
        The exit status; 130 after Ctrl-C.
    """
    return exit_status(args[0], lambda: _run(args[1:]))


def _run(args: Sequence[str]) -> int:
    own = tuple(f"tune.{field.name}" for field in fields(Tune))
    cli = TuneCLI("tune", args, own=own, run=False, save_config_callback=None)
    given, quiet = cli.config.tune, cli.config.quiet
    name = given.name or cli.run_name
    if given.jobs < 1:
        raise ValueError(f"jobs is {given.jobs}; give 1 or more")
    study = Study(
        name,
        cli.make,
        given.space,
        seed=cli.config.trainer.seed,
        quiet=quiet or WORKER in os.environ,
        settings={"model": cli.config.model.as_dict(), "data": cli.config.data.as_dict()}
        | {"max_epochs": cli.config.trainer.max_epochs},
        **{knob: given[knob] for knob in ("folder", "sampler", "pruner", "folds", "metric", "mode", "storage")},
    )
    with _Workers(given.jobs - 1, args) as workers:
        study.run(given.trials)
        if study.stopped_by is None:
            workers.wait()
    if WORKER in os.environ:
        return 130 if study.stopped_by else 0
    running = [row for row in study.table.rows if row.state == "running"]
    winner = None
    if study.stopped_by is None and not running and study.table.best is not None:
        winner = finish(study)
    print(printable(str(study.table)))
    if winner is None:
        return _tell_unfinished(study, len(running))
    text = cli.fit_config(winner.params, f"{name}_best")
    message = f"trial {winner.trial} of the study {name}, {study.criterion.score_name} {winner.score:.4f}"
    config = study.folder / "best.yaml"
    head = f"# torchann fit --config {config}\n# {message[0].upper()}{message[1:]}.\n"
    write_atomically(config, (head + text).encode())
    print(f"\n{printable(message)}; on the test rows:")
    print(tabulate(sorted(winner.figures.items()), tablefmt="plain", floatfmt=".4f"))
    print(f"\nmodel {winner.model or winner.run}\nconfig {config}\ntable {study.folder / 'study.csv'}")
    return 0


def _tell_unfinished(study: Study, running: int) -> int:
    if study.stopped_by or not running:
        none = "all have diverged, give smaller learning rates" if study.table.ranked else "there is no complete trial"
        stopped = "stopped" if study.stopped_by else none
        print(f"\n{stopped}: {len(study.table.finished)} trials are done; the same command goes on", file=sys.stderr)
        return 130 if study.stopped_by else 1
    print(f"\n{running} trials are under way in other processes; the one that ends last makes the best model")
    return 0


class _Workers:
    # Processes that run the same command on the same study.

    def __init__(self, count: int, args: Sequence[str]) -> None:
        cores = max(1, (os.cpu_count() or 1) // (count + 1))
        environment = os.environ | {WORKER: "1", "OMP_NUM_THREADS": str(cores)}
        command = [sys.executable, "-m", "torchann", "tune", *args, "--tune.jobs", "1"]
        self._processes = [subprocess.Popen(command, env=environment) for _ in range(count)]

    def wait(self) -> None:
        statuses = [process.wait() for process in self._processes]
        if bad := [status for status in statuses if status not in (0, 130)]:
            raise ChildProcessError(f"a process of this search ended with status {bad[0]}; what it said is above")

    def __enter__(self) -> "_Workers":
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes:  # those that are still there have not heard of Ctrl-C
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
                process.wait()
