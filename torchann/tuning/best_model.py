"""The best model of a study: trained once more if need be, tested once, kept as a safe file."""

import json
from pathlib import Path
from typing import Any, NamedTuple

import lightning.pytorch as pl
from filelock import FileLock

from torchann.files.atomic import write_atomically
from torchann.files.run import Run
from torchann.publishing.model_file import ModelFileError, save
from torchann.tuning.study import Study
from torchann.tuning.trial_runs import fold_run, trial_trainer


class BestModel(NamedTuple):
    """The best trial of a study, and its model's figures on rows that nothing was chosen by.

    Attributes:
        trial: its number.
        params: its values by the names of the space.
        score: what it was ranked by.
        figures: on the test rows, by name.
        model: the safe file; None for a model whose class is not of this package.
        run: the folder of the run that the model is from.
    """

    trial: int
    params: dict[str, Any]
    score: float
    figures: dict[str, float]
    model: Path | None
    run: Path


def finish(study: Study) -> BestModel | None:
    """Makes the best trial's model, measures it on the test rows, and keeps both in the study's folder.

    With folds it is trained on all training rows, as the trial's folds were; without, it is the trial's model with its
    best weights. A trial that was measured before is not measured again: the test rows are touched once for each
    winner.

    Args:
        study: with at least one complete trial.

    Returns:
        The winner; None if the training was stopped by Ctrl-C, to go on in the next call.

    Raises:
        ValueError: if no trial is complete.
    """
    best = study.best
    with FileLock(study.folder / "best.lock"):
        kept = _kept(study.folder / "best.json", best.number)
        if kept is not None:
            return kept
        params = study.params_of(best)
        model, data, given = study.make(params)
        if study.criterion.folds is None:
            run = fold_run(study.folder / "trials" / f"{best.number:03}", 0, study.criterion)
            kind: Any = type(model)
            parts = {name: getattr(model, name) for name in getattr(kind, "not_saved", ())}
            model = kind.load_from_checkpoint(run.best, map_location="cpu", weights_only=True, **parts)
            trainer = trial_trainer(
                study.folder, "best", study.criterion.seed, {**given, "logger": False, "callbacks": []}
            )
        else:
            name = f"{best.number:03}"
            trainer = trial_trainer(study.folder / "best", name, study.criterion.seed, given)
            begun = any(run.can_resume for run in Run.all(study.folder / "best", name))
            trainer.fit(model, datamodule=data, ckpt_path="last" if begun else None)
            if trainer.stopped_by == "interrupt":
                return None
            run = Run(trainer.run_folder)
        figures = dict(trainer.test(model, datamodule=data, verbose=False)[0])
        score = float(best.value)  # type: ignore[arg-type]
        file = _save(model, study.folder / "best.safetensors")
        winner = BestModel(best.number, params, score, figures, file, run.folder)
        _keep(winner, study.folder / "best.json")
        return winner


def _save(model: pl.LightningModule, path: Path) -> Path | None:
    try:
        save(model, path)
    except ModelFileError:  # someone else's module; its run has checkpoints
        return None
    return path


def _keep(winner: BestModel, path: Path) -> None:
    message = winner._asdict() | {"run": str(winner.run), "model": None if winner.model is None else str(winner.model)}
    write_atomically(path, (json.dumps(message, indent=2) + "\n").encode())


def _kept(path: Path, number: int) -> BestModel | None:
    if not path.is_file():
        return None
    message = json.loads(path.read_text())
    model = None if message["model"] is None else Path(message["model"])
    return BestModel(**{**message, "run": Path(message["run"]), "model": model}) if message["trial"] == number else None
