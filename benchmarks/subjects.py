"""What is measured: subjects with their peers, and what the ratio of ours to each of theirs is to be at most."""

from typing import NamedTuple

from estimators import FITS
from nets import BATCH, TASKS
from population import ALONE, EPOCHS, NETS
from search import TEXT as SEARCH

Aims = dict[str, float | None]
BUSY_AIM = 2.2
START_AIM, MEMORY_AIM = 1.2, 1.6
PREDICT_AIMS = {"1": 0.8, "100": 0.8, "100000": 1.0}
NET_AIMS: dict[str, Aims] = {
    "fashion": {
        "torchann": None,
        "torchann, steps alone": None,
        "plain PyTorch": 0.45,
        "JAX": 0.9,
        "scikit-learn": 0.38,
        "skorch": 0.36,
        "Lightning, DataLoader": 0.15,
        "Keras, torch": 0.14,
        "Keras, TensorFlow": 0.18,
    },
    "housing": {
        "torchann": None,
        "torchann, steps alone": None,
        "plain PyTorch": 0.12,
        "JAX": 2.0,
        "scikit-learn": 0.28,
        "skorch": 0.06,
        "Lightning, DataLoader": 0.02,
        "Keras, torch": 0.02,
        "Keras, TensorFlow": 0.025,
    },
}


class Subject(NamedTuple):
    """What the peers do in turns.

    Attributes:
        name: of the subject, for options.
        title: of its section.
        text: below it.
        script: of the peers.
        task: what the script is asked for.
        peers: ours first; at most which ratio of ours to theirs is wanted.
        epochs: in a turn; their median counts.
        scale: of a peer's seconds.
        predictions: numbers of rows to predict, and how often in a turn.
        quick: whether it has an aim.
        slow: peers that take minutes, and have one turn, if the run is not a quick one.
        busy: whether it is measured with a neighbour, too.
        warm: whether an epoch is spent before those that count.
    """

    name: str
    title: str
    text: str
    script: str
    task: str
    peers: Aims
    epochs: int = 1
    scale: dict[str, float] = {}
    predictions: dict[int, int] = {}
    quick: bool = True
    slow: tuple[str, ...] = ()
    busy: bool = True
    warm: bool = True


class Table(NamedTuple):
    """What a script prints as a table."""

    title: str
    script: str
    quick: bool


def _nets() -> list[Subject]:
    subjects = []
    for task, (data, hidden, lr) in TASKS.items():
        aims = NET_AIMS.get(task, dict.fromkeys(NET_AIMS["housing"]))
        title = f"{task}: an epoch, hidden layers {hidden}, SGD {lr}, batch {BATCH}"
        rows, epochs = (55_000, 1) if data == "fashion" else (11_610, 9)
        predictions = {rows: 3}
        subjects.append(
            Subject(task, title, "", "peers.py", task, aims, epochs, predictions=predictions, quick=task in NET_AIMS)
        )
    return subjects


POPULATION: Aims = {
    "torchann": None,
    "plain PyTorch, one by one": 0.008,
    "JAX, vmap": 0.12,
    "TabM, shared weights": None,
}
POPULATION_TEXT = f"""\
{NETS} nets 8-30-1 on California housing, 11,610 rows, batch {BATCH}, SGD, each with its own weights, rate and order of
rows; ours one after the other in as many threads as there are cores. Plain PyTorch trains {ALONE} of them and its
seconds are times {NETS} / {ALONE}. TabM's net is an ensemble whose {NETS} members share all weights but scalings, and
the order of rows: another model, whose loop is the one that people use for many nets on a table."""
RULE: Aims = {"torchann, the rule": None, "torchann, Trainer.fit": None, "scikit-learn": 1.5}
RULE_TEXT = f"""\
{EPOCHS} epochs of 1,000,000 rows of 20 numbers in their order, of which one in seven is a mistake; the weights are the
same to the last bit. Through the Trainer with loss, accuracy, history and checkpoints, set-up included."""
_ALL = [
    *_nets(),
    Subject(
        "population",
        f"population: an epoch of {NETS} networks",
        POPULATION_TEXT,
        "population.py",
        "population",
        POPULATION,
        3,
        {"plain PyTorch, one by one": NETS / ALONE},
    ),
    Subject("perceptron", "perceptron: the Perceptron rule", RULE_TEXT, "population.py", "perceptron", RULE),
    Subject(
        "search",
        "search: the book's random search",
        SEARCH,
        "search.py",
        "random",
        {"torchann": None, "scikit-learn": 0.09, "Keras": 0.01},
        slow=("Keras",),
        busy=False,
        warm=False,
    ),
    *(
        Subject(
            "fit-" + name.replace(", ", "-").replace(" ", "-"),
            name,
            dtype,  # where others have a text; these share a table
            "estimators.py",
            name,
            {"torchann": None, "scikit-learn": aim},
            predictions={1: 200, 100: 200, 100_000: 2},
            quick=aim is not None,
        )
        for name, (_, dtype, _, aim) in FITS.items()
    ),
]
SUBJECTS = {subject.name: subject for subject in _ALL}
TABLES = {
    "first-use": Table("Before the first step", "first_use.py", True),
    "cost": Table("Cost of an epoch as rows, width and depth grow", "cost.py", False),
    "tables": Table("A table of numbers, texts and dates read, beside pandas, polars and pyarrow", "tables.py", False),
    "dashboard": Table("Cost of TensorBoard's report, by the seconds in its hooks", "dashboard.py", False),
}
