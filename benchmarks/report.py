"""RESULTS.md, and the figures and the picture of docs/speed.md, from what benchmarks/run.py has measured."""

import re
import statistics
from pathlib import Path
from typing import Any

from subjects import BUSY_AIM, MEMORY_AIM, PREDICT_AIMS, START_AIM, SUBJECTS, TABLES, Subject
from tabulate import tabulate
from worker import HERE

PAGE = HERE.parent / "docs" / "speed.md"
PICTURE = PAGE.parent / "images" / "speed.png"
ROWS = {"fashion": 55_000, "housing": 11_610}
EXPLANATION = """\
Seconds, median and range over the rounds of one run. In each round every peer has a turn, one after the other, in a
process of its own that sleeps otherwise: an epoch to warm the caches that the peers before it have filled (not where it
takes more than three seconds), then those that count, by their median. A ratio is the median of the rounds' ratios of
torchann to the peer. Busy is the median with another process that computes all the time, by the quiet one. MB is the
most memory that the process had in training. torchann, Lightning and Keras validate after each epoch, torchann also
keeps checkpoints, history and TensorBoard events; the others, and "steps alone", only train."""


def ratio(mine: list[float], theirs: list[float]) -> float:
    """Return the median of the rounds' ratios."""
    return statistics.median(a / b for a, b in zip(mine, theirs, strict=True))


def verdict(value: float, aim: float | None) -> str:
    """Return an aim and whether it is met."""
    return "" if aim is None else f"{aim:g} {'met' if value <= aim else 'MISSED'}"


def busy(peer: dict[str, Any]) -> str:
    """Return how much longer a peer takes with a neighbour."""
    if not peer["busy"]:
        return ""
    return f"{statistics.median(peer['busy']) / statistics.median(peer['seconds']):.2f}"


def number(value: float) -> str:
    """Return three digits."""
    return f"{value:.3g}" if value < 100 else f"{value:.0f}"


def subject_table(subject: Subject, found: dict[str, Any]) -> str:
    """Return a row per peer."""
    peers = found["peers"]
    ours = next(iter(peers.values()))["seconds"]
    rows = []
    for name, peer in peers.items():
        seconds, value = peer["seconds"], ratio(ours, peer["seconds"])
        row = [name, number(statistics.median(seconds)), f"{number(min(seconds))} to {number(max(seconds))}"]
        row += [number(value), verdict(value, subject.peers.get(name)), busy(peer)]
        row += [f"{peer['first']:.1f}" if subject.warm else "", f"{peer['megabytes']:.0f}"]
        predicted = [f"{int(n) / statistics.median(s) / 1e6:.2f}" for n, s in peer.get("predict", {}).items()]
        rows.append([*row, *predicted, *([f"{peer['score']:.4f}"] if "score" in peer else [])])
    headers = ["peer", "s", "range", "torchann / peer", "aim", "busy / quiet", "start to end of epoch 1, s", "MB"]
    headers += [f"predicts {int(n):,} rows, M / s" for n in subject.predictions]
    headers += ["best mean R²"] if "score" in next(iter(peers.values())) else []
    return tabulate(rows, headers, "github", disable_numparse=True)


def notes(subject: Subject, found: dict[str, Any]) -> list[str]:
    """Return sentences below a table."""
    peers = found["peers"]
    ours, lines = next(iter(peers.values())), []
    if subject.name == "fashion" and ours["busy"]:
        value = statistics.median(ours["busy"]) / statistics.median(ours["seconds"])
        lines = [
            f"With a neighbour, torchann's epoch takes {value:.2f} of its quiet time; aim {verdict(value, BUSY_AIM)}."
        ]
    if subject.name == "housing" and {"JAX", "torchann, steps alone"} <= peers.keys():
        value = ratio(peers["torchann, steps alone"]["seconds"], peers["JAX"]["seconds"])
        lines = [f"Steps alone take {value:.2f} of JAX's time; aim {verdict(value, 0.35)}."]
    return [*lines, ""] if lines else []


def fits(results: dict[str, Any]) -> list[str]:
    """Return the tables of all estimators: fits, predictions."""
    rows, predictions, measured = [], [], []
    for name, subject in SUBJECTS.items():
        if subject.script != "estimators.py" or name not in results:
            continue
        ours, theirs = (results[name]["peers"][peer] for peer in ("torchann", "scikit-learn"))
        value, measured = ratio(ours["seconds"], theirs["seconds"]), [results[name]["machine"]]
        row = [subject.title, subject.text, *(number(statistics.median(each["seconds"])) for each in (theirs, ours))]
        row += [number(value), verdict(value, subject.peers["scikit-learn"]), busy(theirs), busy(ours)]
        small = subject.title in ("iris", "digits")
        for key, aim in (("ready", START_AIM), ("megabytes", MEMORY_AIM)):
            share = ours[key] / theirs[key]
            row.append(
                f"{number(theirs[key])} / {number(ours[key])}, {share:.2f} {verdict(share, aim if small else None)}"
            )
        rows.append(row)
        row = [subject.title, subject.text]
        for count, aim in PREDICT_AIMS.items():
            value = ratio(ours["predict"][count], theirs["predict"][count])
            both = (f"{1e6 * statistics.median(each['predict'][count]):,.0f}" for each in (theirs, ours))
            row += [" / ".join(both), f"{value:.2f}", verdict(value, aim)]
        predictions.append(row)
    if not rows:
        return []
    headers = ["fit", "dtype", "scikit-learn, s", "torchann, s", "ratio", "aim", "busy / quiet", "torchann's"]
    headers += ["start, s", "MB"]
    of = [part for count in PREDICT_AIMS for part in (f"{int(count):,} rows, µs", "ratio", "aim")]
    lines = ["## fit-…: estimators beside scikit-learn's", ""]
    lines += [tabulate(rows, headers, "github", disable_numparse=True), ""]
    lines += [tabulate(predictions, ["predict", "dtype", *of], "github", disable_numparse=True), ""]
    return [*lines, *(f"Measured {line}." for line in measured), ""]


def write_report(results: dict[str, Any]) -> None:
    """Write RESULTS.md, and the figures that docs/speed.md has places for."""
    lines = ["# Measured beside the peers", "", EXPLANATION, ""]
    for name, subject in SUBJECTS.items():
        if name in results and subject.script != "estimators.py":
            lines += [f"## {subject.title}", "", *([subject.text, ""] if subject.text else [])]
            lines += [subject_table(subject, results[name]), "", *notes(subject, results[name])]
            lines += [f"Measured {results[name]['machine']}.", ""]
    lines += fits(results)
    for name, table in TABLES.items():
        if name in results:
            lines += [f"## {table.title}", "", results[name]["text"], "", f"Measured {results[name]['machine']}.", ""]
    (HERE / "RESULTS.md").write_text("\n".join(lines).rstrip() + "\n")
    write_page(results)


def page_table(results: dict[str, Any]) -> str:
    """Return a row per peer and a column per subject: how many times as long as ours it takes."""
    chosen = {"fashion": "Fashion-MNIST", "housing": "housing", "population": "100 housing nets", "search": "search"}
    chosen = {name: title for name, title in chosen.items() if name in results}
    factors: dict[str, dict[str, str]] = {}
    for name in chosen:
        peers = results[name]["peers"]
        ours = next(iter(peers.values()))["seconds"]
        for peer, found in peers.items():
            told = number(1 / ratio(ours, found["seconds"])) + "×"
            factors.setdefault(peer.partition(", one")[0].partition(", vmap")[0], {})[name] = told
    rows = [[peer, *(row.get(name, "") for name in chosen)] for peer, row in factors.items() if peer != "torchann"]
    return tabulate(rows, ["", *chosen.values()], "github", disable_numparse=True)


def busy_table(results: dict[str, Any]) -> str:
    """Return a row per peer: an epoch with a neighbour by a quiet one."""
    chosen = [name for name in ("fashion", "housing") if name in results]
    names = dict.fromkeys(peer for name in chosen for peer in results[name]["peers"])
    rows = [[peer, *(busy(results[name]["peers"].get(peer, {"busy": []})) for name in chosen)] for peer in names]
    return tabulate(rows, ["", *chosen], "github", disable_numparse=True)


def write_page(results: dict[str, Any]) -> None:
    """Fill the places of docs/speed.md, ``<!-- name -->`` to ``<!-- end -->``, and draw its picture."""
    if not PAGE.exists() or not {"fashion", "housing"} & results.keys():
        return
    draw(results, PICTURE)
    text = PAGE.read_text()
    for name, make in (("peers", page_table), ("busy", busy_table)):
        filled = f"<!-- {name} -->\n{make(results)}\n<!-- end -->"
        text = re.sub(rf"<!-- {name} -->\n.*?<!-- end -->", lambda _, filled=filled: filled, text, flags=re.DOTALL)
    picture = f"<!-- picture -->\n![Seconds of an epoch by peer, quiet and busy](images/{PICTURE.name})\n<!-- end -->"
    PAGE.write_text(re.sub(r"<!-- picture -->\n.*?<!-- end -->", lambda _: picture, text, flags=re.DOTALL))


def draw(results: dict[str, Any], file: Path) -> None:
    """Draw a dot per peer, the range over it, and a ring where it is with a neighbour; logarithmic."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt
    from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

    titles = {
        "fashion": "Fashion-MNIST, an epoch",
        "housing": "California housing, an epoch",
        "population": "100 housing nets, an epoch",
        "search": "random search, 10 x 3 folds",
    }
    chosen = [name for name in titles if name in results]
    figure, axes = plt.subplots(2, 2, figsize=(10.5, 6.4), squeeze=False, layout="constrained")
    for axis in axes.flat[len(chosen) :]:
        axis.remove()
    for name, axis in zip(chosen, axes.flat, strict=False):
        peers = results[name]["peers"]
        for row, (peer, found) in enumerate(peers.items()):
            seconds, color = found["seconds"], "tab:orange" if peer.startswith("torchann") else "tab:gray"
            axis.plot([min(seconds), max(seconds)], [row, row], color=color, linewidth=2)
            axis.plot(statistics.median(seconds), row, "o", color=color, markersize=8)
            if found["busy"]:
                axis.plot(statistics.median(found["busy"]), row, "o", color=color, markersize=8, fillstyle="none")
        axis.set(yticks=range(len(peers)), yticklabels=list(peers), xscale="log", xlabel="seconds", title=titles[name])
        axis.xaxis.set_major_locator(LogLocator())
        axis.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        axis.xaxis.set_minor_formatter(NullFormatter())
        axis.grid(axis="x", alpha=0.3)
        axis.margins(x=0.1, y=0.12)
        axis.invert_yaxis()
    figure.suptitle("filled: the quiet machine; ring: with another process that computes", fontsize=10)
    figure.savefig(file, dpi=110)
    plt.close(figure)
