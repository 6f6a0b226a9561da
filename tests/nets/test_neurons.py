import itertools

import pytest
import torch

from torchann.nets.functional import heaviside
from torchann.nets.neurons import GATES, LogicNeurons, ThresholdLogicUnits

LOGIC = {
    "identity": lambda a: a,
    "AND": lambda a, b: a and b,
    "OR": lambda a, b: a or b,
    "A and not B": lambda a, b: a and not b,
    "NAND": lambda a, b: not (a and b),
    "XOR": lambda a, b: a != b,
}


def all_inputs(size: int) -> torch.Tensor:
    return torch.tensor(list(itertools.product([0, 1], repeat=size)))


@pytest.mark.parametrize("name", GATES)
def test_gates_have_the_truth_tables_of_logic(name):
    x = all_inputs(len(GATES[name].inputs))
    assert GATES[name](x).tolist() == [int(LOGIC[name](*map(bool, row))) for row in x.tolist()]


def test_a_single_active_connection_fires_no_neuron_and_two_do():
    x = all_inputs(3)
    at_least_two = LogicNeurons("ABC", {"D": {"A": 1, "B": 1, "C": 1}})
    assert torch.equal(at_least_two(x), (x.sum(1) >= 2).long())


def test_an_inhibitory_connection_takes_one_from_the_count():
    # A twice, B once, C inhibits: 2a + b - c at least 2.
    x = all_inputs(3)
    neuron = LogicNeurons("ABC", {"D": {"A": 2, "B": 1, "C": -1}})
    assert neuron(x).tolist() == [int(2 * a + b - c >= 2) for a, b, c in x.tolist()]


@pytest.mark.parametrize("name", GATES)
def test_gates_are_the_same_where_inhibition_is_a_veto_as_in_1943(name):
    # McCulloch and Pitts: one active inhibitory connection keeps a neuron silent, whatever excites it.
    def fires(row):
        signals = {"1": 1, **dict(zip(gate.inputs, row, strict=True))}
        for neuron, connections in gate.neurons.items():
            vetoed = any(signals[source] for source, count in connections.items() if count < 0)
            excited = sum(count * signals[source] for source, count in connections.items() if count > 0)
            signals[neuron] = int(excited >= 2 and not vetoed)
        return signals[neuron]

    gate = GATES[name]
    x = all_inputs(len(gate.inputs))
    assert gate(x).tolist() == [fires(row) for row in x.tolist()]


def test_exclusive_or_is_four_nands():
    nand, x = GATES["NAND"], all_inputs(2)
    a, b = x.unbind(1)
    neither = nand(x)
    sides = [nand(torch.stack([signal, neither], 1)) for signal in (a, b)]
    assert torch.equal(nand(torch.stack(sides, 1)), GATES["XOR"](x))


@pytest.mark.parametrize("dtype", [torch.bool, torch.uint8, torch.int64, torch.float32])
def test_outputs_have_the_type_of_the_inputs(dtype):
    fired = GATES["AND"](torch.tensor([[1, 0], [1, 1]], dtype=dtype))
    assert fired.dtype == dtype and fired.tolist() == [0, 1]


@pytest.mark.parametrize("value", [0.5, -1.0, 2.0])
def test_logic_neurons_refuse_what_is_neither_on_nor_off(value):
    with pytest.raises(ValueError, match=rf"an input is {value:g}; logic neurons take 0 \(off\) and 1 \(on\)"):
        GATES["AND"](torch.tensor([[1.0, value]]))


@pytest.mark.parametrize("shape", [(4,), (4, 3)])
def test_logic_neurons_refuse_inputs_of_another_shape(shape):
    wanted = r"these neurons take \(batch, 2\), a column for each of A, B"
    with pytest.raises(ValueError, match=rf"inputs of shape \({shape[0]},.*\); {wanted}"):
        GATES["AND"](torch.zeros(shape))


def test_logic_neurons_refuse_a_connection_from_nowhere():
    with pytest.raises(ValueError, match="neuron 'C' listens to 'D', which is neither an input nor an earlier neuron"):
        LogicNeurons("AB", {"C": {"A": 1, "D": 1}, "D": {"B": 2}})


def test_units_weigh_their_inputs_and_step_at_zero():
    x = torch.tensor([[1.0, 2.0], [0.0, 0.5], [-1.0, 0.0]])
    for step, expected in (("heaviside", [[1, 0], [1, 1], [0, 0]]), ("sign", [[1, -1], [0, 0], [-1, -1]])):
        units = ThresholdLogicUnits(2, 2, step)
        units.weight[:], units.bias[:] = torch.tensor([[1.0, 2.0], [2.0, -2.0]]), torch.tensor([-1.0, 1.0])
        # x.w + b: 1 + 4 - 1 = 4 and 2 - 4 + 1 = -1; 0 + 1 - 1 = 0 and 0 - 1 + 1 = 0; -1 + 0 - 1 = -2 and -2 + 1 = -1
        assert units.sums(x).tolist() == [[4, -1], [0, 0], [-2, -1]]
        assert units(x).tolist() == expected


@pytest.mark.parametrize("name", ["identity", "AND", "OR", "A and not B"])
def test_a_logic_neuron_is_a_threshold_logic_unit_with_whole_weights_and_bias_minus_two(name):
    (connections,) = GATES[name].neurons.values()
    unit = ThresholdLogicUnits(len(connections), 1)
    unit.weight[0], unit.bias[:] = torch.tensor(list(connections.values())), -2
    x = all_inputs(len(connections))
    assert torch.equal(unit(x.float())[:, 0].long(), GATES[name](x))


def test_units_start_at_zero_and_have_no_gradient():
    units = ThresholdLogicUnits(3, 2)
    assert [parameter.abs().max().item() for parameter in units.parameters()] == [0, 0]
    assert not any(parameter.requires_grad for parameter in units.parameters())
    assert torch.equal(units(torch.ones(1, 3)), heaviside(torch.zeros(1, 2)))


def test_units_refuse_a_step_they_do_not_know():
    with pytest.raises(ValueError, match="there is no step function 'heavyside'; did you mean 'heaviside'"):
        ThresholdLogicUnits(2, 1, step="heavyside")
    with pytest.raises(ValueError, match="there is no step function 'relu'; choose one of heaviside, sign"):
        ThresholdLogicUnits(2, 1, step="relu")
