"""Section 10.1.2: neurons that fire when two of their connections are active, and what they compute."""

import itertools
from collections.abc import Sequence

import torch
from matplotlib.axes import Axes
from matplotlib.patches import Circle
from tabulate import tabulate
from torch import Tensor

from torchann.chapter.experiment import Experiment, Outcome, Published, Setting
from torchann.chapter.picture import picture
from torchann.nets.neurons import ALWAYS_ON, GATES, LogicNeurons

RADIUS = 0.24  # of a neuron
NEIGHBOURS, CONNECTIONS = 1.5, 0.15  # how far apart they are side by side
EXCITES, INHIBITS = "0.25", "#d55e00"
ANSWERS = {"identity": "0, 1", "AND": "0, 0, 0, 1", "OR": "0, 1, 1, 1"}
ANSWERS |= {"A and not B": "0, 0, 1, 0", "NAND": "1, 1, 1, 0", "XOR": "0, 1, 1, 0"}
Place = tuple[float, float]


def truth_table(neurons: LogicNeurons) -> tuple[Tensor, Tensor]:
    """All inputs that there are, ``(2 ** inputs, inputs)``, and what the last neuron does at each.

    Example:
        >>> truth_table(GATES["AND"])[1]
        tensor([0, 0, 0, 1])
    """
    x = torch.tensor(list(itertools.product([0, 1], repeat=len(neurons.inputs))))
    return x, neurons(x)


def _run(setting: Setting) -> Outcome:
    measurements, tables = {}, []
    for name, neurons in GATES.items():
        x, answers = truth_table(neurons)
        measurements[_figure(name)] = ", ".join(map(str, answers.tolist()))
        rows = torch.column_stack([x, answers]).tolist()
        tables.append(tabulate(rows, [*neurons.inputs, name], disable_numparse=True))
    return Outcome(measurements, text="\n\n".join(tables))


def _figure(name: str) -> str:
    return f"{name} of {'0, 1' if len(GATES[name].inputs) == 1 else '00, 01, 10, 11'}"


@picture(11, 6.4, 3, 2)
def _draw(outcomes: Sequence[Outcome], *panels: Axes) -> None:
    for panel, (name, neurons) in zip(panels, GATES.items(), strict=True):
        _draw_neurons(panel, neurons)
        _draw_truth_table(panel, neurons)
        panel.set(xlim=(-1.8, 3.6), ylim=(-0.3, 2.6), aspect="equal", title=name)
        panel.set_axis_off()
    legend = (
        "arrow: a connection that excites;  orange line with a bar: one that inhibits;  1: a signal that is always on"
    )
    panel.figure.supxlabel(legend, fontsize=10)


def _draw_neurons(panel: Axes, neurons: LogicNeurons) -> None:
    places = _places(neurons)
    for name, connections in neurons.neurons.items():
        for source, count in connections.items():
            _connect(panel, places[source], places[name], count)
    for name, place in places.items():
        is_neuron = name in neurons.neurons
        panel.add_patch(Circle(place, RADIUS, facecolor="#fdf3d8" if is_neuron else "white", edgecolor="0.3", zorder=3))
        panel.text(*place, name, ha="center", va="center", fontsize=12, zorder=4)


def _places(neurons: LogicNeurons) -> dict[str, Place]:
    """Inputs on the ground, each neuron one floor above the highest that it listens to."""
    floor = dict.fromkeys(neurons.inputs, 0)
    for name, connections in neurons.neurons.items():
        floor |= {source: 0 for source in connections if source == ALWAYS_ON}
        floor[name] = 1 + max(floor[source] for source in connections)
    height = 2.3 / max(floor.values())
    places: dict[str, Place] = {}
    for number in set(floor.values()):
        names = [name for name in floor if floor[name] == number]
        places |= {name: (NEIGHBOURS * (i - (len(names) - 1) / 2), height * number) for i, name in enumerate(names)}
    return places


def _connect(panel: Axes, start: Place, end: Place, count: int) -> None:
    across, up = end[0] - start[0], end[1] - start[1]
    length = (across**2 + up**2) ** 0.5
    across, up = across / length, up / length
    style, colour = ("-|>", EXCITES) if count > 0 else ("|-|,widthA=0,widthB=0.4", INHIBITS)
    arrow = {"arrowstyle": style, "color": colour, "linewidth": 1.4, "shrinkA": 0, "shrinkB": 0}
    for number in range(abs(count)):
        aside = CONNECTIONS * (number - (abs(count) - 1) / 2)
        tail = (start[0] + RADIUS * across + aside * up, start[1] + RADIUS * up - aside * across)
        reach = length - 2.2 * RADIUS
        panel.annotate("", (tail[0] + reach * across, tail[1] + reach * up), tail, arrowprops=arrow)


def _draw_truth_table(panel: Axes, neurons: LogicNeurons) -> None:
    x, answers = truth_table(neurons)
    lines = [[*neurons.inputs, list(neurons.neurons)[-1]], *torch.column_stack([x, answers]).tolist()]
    for row, line in enumerate(lines):
        for column, entry in enumerate(line):
            weight = "bold" if row == 0 or column == len(line) - 1 else "normal"
            place = (2.4 + 0.4 * column, 2.1 - 0.4 * row)
            panel.text(*place, str(entry), ha="center", va="center", fontsize=12, fontweight=weight)
    panel.plot([2.2, 2.2 + 0.4 * len(lines[0])], [1.9, 1.9], color="0.3", linewidth=0.8)


EXPERIMENTS = (
    Experiment(
        name="logic_neurons",
        section="10.1.2",
        title="Neurons that fire when two of their connections are active",
        published=tuple(Published(_figure(name), answers, by="law") for name, answers in ANSWERS.items()),
        source="figure 10-3; the laws of logic",
        run=_run,
        draw=_draw,
        takes_seeds=False,
    ),
)
