"""The experiment of section 10.1.2: truth tables, as text and drawn."""

import pytest
import torch
from matplotlib.colors import to_rgba
from matplotlib.text import Annotation

from torchann.chapter.experiment import Setting
from torchann.chapter.logic_neurons import EXPERIMENTS, INHIBITS, truth_table
from torchann.nets.neurons import GATES, LogicNeurons

(EXPERIMENT,) = EXPERIMENTS


@pytest.fixture(scope="module")
def outcome():
    return EXPERIMENT.run(Setting(EXPERIMENT.name))


def test_truth_table_counts_up_in_binary():
    x, answers = truth_table(LogicNeurons("ABC", {"D": {"A": 1, "B": 1, "C": 1}}))
    assert (x * torch.tensor([4, 2, 1])).sum(1).tolist() == list(range(8))
    assert answers.tolist() == [0, 0, 0, 1, 0, 1, 1, 1]  # the majority of three


def test_experiment_meets_the_laws_of_logic(outcome):
    assert {row.measurement for row in EXPERIMENT.published} == set(outcome.measurements)
    assert all(row.met_by(outcome.measurements[row.measurement]) for row in EXPERIMENT.published)


def test_text_has_a_truth_table_for_each_gate(outcome):
    tables = outcome.text.split("\n\n")
    assert [table.split("\n")[0].split()[-1] for table in tables] == [name.split()[-1] for name in GATES]
    assert [line.split() for line in tables[5].split("\n")[2:]] == [list("000"), list("011"), list("101"), list("110")]


def test_picture_draws_every_neuron_and_connection(outcome):
    canvas = EXPERIMENT.draw([outcome], EXPERIMENT.title)
    canvas.draw_without_rendering()
    for panel, (name, gate) in zip(canvas.axes, GATES.items(), strict=True):
        assert panel.get_title() == name
        connections = [count for wires in gate.neurons.values() for count in wires.values()]
        sources = {source for wires in gate.neurons.values() for source in wires}
        assert len(panel.patches) == len({*gate.inputs, *gate.neurons} | sources)
        arrows = [note for note in panel.texts if isinstance(note, Annotation)]
        assert len(arrows) == sum(map(abs, connections))
        assert sum(note.arrow_patch.get_edgecolor() == to_rgba(INHIBITS) for note in arrows) == -sum(
            count for count in connections if count < 0
        )


def test_picture_shows_the_truth_table_of_a_gate_beside_it(outcome):
    panel = EXPERIMENT.draw([outcome], EXPERIMENT.title).axes[-1]
    entries = [text.get_text() for text in panel.texts if text.get_position()[0] > 2]
    assert "".join(entries) == "ABE" + "000" + "011" + "101" + "110"  # XOR
