"""A model card: what a model is, takes and gives, learnt from and scored, as Markdown with the hub's front matter."""

from collections.abc import Mapping
from math import isfinite
from os import PathLike
from pathlib import Path
from typing import Any

import yaml

from torchann.data.tables.columns import shown
from torchann.files.metric_name import STAGES, MetricName
from torchann.files.run import Run, versions
from torchann.nets.column import TIME
from torchann.nets.number_encoding import NumberEncoding
from torchann.nets.preprocessing import Pixels, Preprocessing, Standardize
from torchann.nets.waves import Waves
from torchann.publishing.card_examples import examples
from torchann.publishing.export import Exported
from torchann.publishing.judged import judged_of
from torchann.publishing.markdown import code, listed, table
from torchann.publishing.model_info import best_epoch, column_rows, outputs_of
from torchann.publishing.model_info import info as info_of
from torchann.publishing.raw_model import RawModel, task_from
from torchann.tasks.net_choice import OF_ONE_NET, net_in_words

NOT_TOLD = ("class_names", "target_names", "target_mean", "target_std", "inputs", "outputs", "embeddings", "task")


class Card(str):
    """The Markdown of a model card, which a notebook shows as a page.

    Example:
        >>> Card("# net")
        # net
    """

    def __repr__(self) -> str:
        return str(self)

    def _repr_markdown_(self) -> str:
        return str(self)


def model_card(model: Any, exported: Exported | None = None, *, rows: Any = None) -> str:
    """A card for a model, as the Hugging Face Hub shows the ``README.md`` beside one.

    Args:
        model: a task, an estimator, a pipeline of a scaler and an estimator, or the path of a model file, a checkpoint
            or a run's folder, whose test figures are then told, too.
        exported: the file that :func:`~torchann.publishing.export.export` made of it, which the card then is of.
        rows: raw rows, where the model does not know what a row looks like.

    Returns:
        Markdown. What the author alone can say, the intended use and the licence, is left to the author.

    Raises:
        OSError: if there is no such file.
        ValueError: if the model does not say what its outputs mean, or is damaged.

    Example:
        >>> import torchann
        >>> print(model_card(torchann.RegressionMLP([3], 2, 1)).splitlines()[10])
        A `RegressionMLP` of torchann with 13 weights; hidden layers [3], relu.
    """
    known = info_of(model) if isinstance(model, (str, PathLike)) else None
    path, measured, trained = (None, {}, {}) if known is None else (known.path, known.measured, known.versions)
    task = task_from(model if known is None else known.model)
    raw = RawModel(task, rows)
    name, figures = _name(task, path), _figures(task, measured)
    parts = [
        _front_matter(task, name, figures),
        f"# {code(name)}",
        _what(task),
        "## Uses\n\nThe model does not say what it is meant for, nor under which licence; whoever publishes it does.",
        f"## Inputs\n\n{_inputs(task, raw)}",
        f"## Outputs\n\n{_outputs(task, raw)}",
        f"## Training data\n\n{_data(task)}",
        f"## Training\n\n{_training(task)}",
        f"## Evaluation\n\n{_evaluation(figures, task)}",
        *examples(task, raw, path, exported),
        f"## Versions\n\n{_versions(trained)}",
    ]
    return Card("\n\n".join(parts) + "\n")


def _name(task: Any, path: Path | None) -> str:
    if path is None:
        return type(task).__name__
    run = Run.of(path)
    in_run = path.suffix == ".ckpt" and path.parent == run.checkpoints
    return shown(run.folder.parent.name if in_run and run.folder.parent.name else path.stem)


def _figures(task: Any, measured: Mapping[str, Mapping[str, float]]) -> dict[str, dict[str, float]]:
    """Figures by split, of the best epoch and of ``torchann test``."""
    found: dict[str, dict[str, float]] = {}
    for message in (best_epoch(task) or {}, measured.get("validate", {}), measured.get("test", {})):
        for key, value in message.items():
            name = MetricName.parse(key)
            if name.stage and isfinite(value):
                found.setdefault(STAGES[name.stage], {})[name.tag] = value
    return found


def _pipeline_tag(task: Any) -> str | None:
    outputs = outputs_of(task)
    kinds = {outputs} if isinstance(outputs, str) else set(outputs.values())
    prepared: Preprocessing | None = task.preprocessing
    images = prepared is not None and isinstance(prepared.steps[0], Pixels)
    if kinds == {"regression"}:
        return None if images else "tabular-regression"
    return None if "regression" in kinds else "image-classification" if images else "tabular-classification"


def _front_matter(task: Any, name: str, figures: Mapping[str, Mapping[str, float]]) -> str:
    tag = _pipeline_tag(task)
    fields: dict[str, Any] = {"library_name": "torchann", "tags": ["pytorch", "mlp"]}
    if tag is not None:
        fields["pipeline_tag"] = tag
    split = next((split for split in ("test", "validation") if split in figures), None)
    data = (task.data_info or {}).get("name")
    if split is not None and tag is not None and data:
        dataset = {"name": shown(data), "type": shown(data), "split": split}
        metrics = [{"type": shown(key), "value": float(value)} for key, value in figures[split].items()]
        result = {"task": {"type": tag}, "dataset": dataset, "metrics": metrics}
        fields["model-index"] = [{"name": name, "results": [result]}]
    return f"---\n{yaml.safe_dump(fields, sort_keys=False, allow_unicode=True)}---"


def _what(task: Any) -> str:
    weights = sum(part.numel() for part in task.net.parameters())
    layers = net_in_words(task.hparams)
    message = f"; {layers}" if layers else ""
    return f"A {code(type(task).__name__)} of torchann with {weights:,} weights{message}."


def _inputs(task: Any, raw: RawModel) -> str:
    ports = "\n".join(f"- {code(str(port))}" for port in raw.inputs)
    prepared: Preprocessing | None = task.preprocessing
    steps = "\n".join(f"- {_step(step)}" for step in ([] if prepared is None else prepared.steps))
    how = (
        f"Raw rows, which the model prepares by itself:\n\n{steps}"
        if steps
        else "Rows as they are; nothing is prepared."
    )
    named = ""
    if prepared is not None and prepared.table is not None:
        cells = [
            [code(row[0]), *row[1:3], row[3] if column.kind == "number" else "", _as_number(column)]
            for row, column in zip(column_rows(prepared.table), prepared.table.table, strict=True)
        ]
        named = table(["column", "kind", "", "training rows", "as a number"], cells)
    elif task.feature_names is not None:
        named = f"The columns, in this order: {listed(task.feature_names)}."
    return "\n\n".join(part for part in (ports, named, how) if part)


def _as_number(column: Any) -> str:
    if column.kind == "category":
        codes = [f"{place} {code(text)}" for place, text in enumerate(column.categories[:50])]
        more = len(column.categories) - len(codes)
        return ", ".join([*codes, *([f"and {more:,} more"] if more else []), "-1 another"])
    if column.form == TIME:
        return "share of the day"
    return {"number": "itself", "boolean": "0 or 1", "date": "days since 1970-01-01"}[column.kind]


def _step(step: Any) -> str:
    if isinstance(step, Standardize):
        return "each number less its mean over the training rows, in their standard deviations"
    if isinstance(step, Pixels):
        return "bytes divided by 255"
    if isinstance(step, Waves):
        return f"sines and cosines of the columns {step.columns}, {step.frequencies} frequencies each, appended"
    if isinstance(step, NumberEncoding):
        kinds = ", ".join(f"{part['kind']} of {len(part['columns'])}" for part in step.parts)
        return f"the {step.count} numbers, truth values and dates in several views: {kinds}"
    return (
        "numbers, truth values and dates less their mean over the training rows, in standard deviations, and 0 where "
        "they are missing, with another input that says so where training rows lacked some; dates also as sine and "
        "cosine; categories one-hot, or as vectors that are learnt"
    )


def _outputs(task: Any, raw: RawModel) -> str:
    kinds, hparams = outputs_of(task), task.hparams
    rows = []
    for port in raw.outputs:
        output, _, what = port.name.rpartition("_")
        kind = kinds if isinstance(kinds, str) else kinds.get(output) or next(iter(kinds.values()))
        if what == "value":
            units = listed(hparams.get("target_names") or [])
            message = f"{units or 'values'}, in the unit of the training targets"
        else:
            names = f": {listed(hparams['class_names'])}" if hparams.get("class_names") else ""
            labels, classes = "of each label", "the class, counted from 0" if what == "class" else "of each class"
            message = f"{'0 or 1 ' * (what == 'class')}{labels}" if kind == "multilabel" else classes
            message = f"{'probability ' * (what == 'proba')}{message}{names}"
        rows.append([code(str(port)), f"{kind}: {message}"])
    return table(["output", "what it is"], rows)


def _data(task: Any) -> str:
    data = task.data_info
    if not data or not any(data.values()):
        return "The model says nothing of it."
    rows = f", {data['rows']:,} rows" if data.get("rows") else ""
    message = f"; fingerprint {code(data['fingerprint'], 100)}" if data.get("fingerprint") else ""
    return f"{code(str(data.get('name') or 'a table'))}{rows}{message}"


def _training(task: Any) -> str:
    unused = OF_ONE_NET if task.hparams.get("members") else ()
    message = {name: value for name, value in task.hparams.items() if name not in (*NOT_TOLD, *unused)}
    message = {name: value for name, value in message.items() if value not in (None, False, 0, 0.0) and value != {}}
    if task.history:
        message["epochs"] = len(task.history)
    return table(["hyperparameter", "value"], [[code(name), code(str(value), 200)] for name, value in message.items()])


def _evaluation(figures: Mapping[str, Mapping[str, float]], task: Any) -> str:
    judged = judged_of(task)
    beside = [] if judged is None else ["Beside the same prediction for each row, and a linear model:", judged.markdown]
    return "\n\n".join([_measured(figures), *beside])


def _measured(figures: Mapping[str, Mapping[str, float]]) -> str:
    if not figures:
        return "Nothing was measured."
    splits = [split for split in STAGES.values() if split in figures]
    names = list(dict.fromkeys(name for split in splits for name in figures[split]))
    cells = [[code(name), *(f"{figures[s][name]:.4g}" if name in figures[s] else "" for s in splits)] for name in names]
    best = "Training and validation figures are those of the epoch with the lowest loss on the validation rows.\n\n"
    return (best if "validation" in splits else "") + table(["figure", *splits], cells)


def _versions(trained: Mapping[str, str]) -> str:
    here = {name: number for name, number in versions().items() if name in ("torchann", "torch", "python")}
    columns = {"trained with": trained, "this card was written with": here}
    message = {name: numbers for name, numbers in columns.items() if numbers}
    rows = [[name, *(numbers.get(name, "") for numbers in message.values())] for name in here]
    return table(["", *message], [[name, *(code(number) if number else "" for number in row)] for name, *row in rows])
