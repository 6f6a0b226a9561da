"""A block as one CUDA graph: when it is recorded and what is copied, on any machine; the same weights, on a GPU."""

import pytest
import torch

import torchann
from torchann.engine.backprop import Backprop
from torchann.engine.cuda_graph import BlockGraph
from torchann.nets.mlp import MLP

needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device on this machine")


class Recorder:
    """Records as CUDA does, without a GPU: nothing happens when it is recorded, and replays read fixed memory."""

    def __init__(self, net):
        self.net, self.recorded, self.replayed = net, 0, 0

    def __call__(self, function):
        self.recorded += 1
        state = {name: value.clone() for name, value in self.net.state_dict().items()}
        outputs = function()
        self.net.load_state_dict(state)

        def replay():
            self.replayed += 1
            outputs.copy_(function())

        return replay, outputs


def block_steps(net, rate):
    backprop = Backprop(net, lambda y_hat, y: 2 * (y_hat - y))
    return lambda x, y: torch.cat(
        [backprop.descend(*batch, rate[0]) for batch in zip(x.split(4), y.split(4), strict=True)]
    )


def blocks(number=6, rows=8):
    generator = torch.Generator().manual_seed(0)
    return [
        (torch.randn(rows, 3, generator=generator), torch.randn(rows, 1, generator=generator)) for _ in range(number)
    ]


@torch.no_grad()
def trained(graph, rates):
    torch.manual_seed(0)
    net, rate = MLP(3, [5], 1), [0.0]
    recorder = Recorder(net)
    runner = BlockGraph(block_steps(net, rate), recorder)
    outputs = []
    for (x, y), rate[0] in zip(blocks(len(rates)), rates, strict=True):
        outputs.append(runner.run(x, y, key=rate[0]) if graph else block_steps(net, rate)(x, y))
    return outputs, torch.nn.utils.parameters_to_vector(net.parameters()), recorder


@pytest.mark.parametrize(
    "rates", [[0.1] * 6, [0.1, 0.1, 0.1, 0.05, 0.05, 0.05], [0.6, 0.5, 0.4, 0.3, 0.2, 0.1]], ids=str
)
def test_replayed_blocks_train_like_step_after_step(rates):
    by_graph, by_steps = trained(True, rates), trained(False, rates)
    assert all(torch.equal(*pair) for pair in zip(by_graph[0], by_steps[0], strict=True))
    assert torch.equal(by_graph[1], by_steps[1])


def test_graph_is_recorded_when_its_numbers_come_a_second_time():
    # six equal blocks: the first by steps, then one record and five replays; three and three: twice that for each rate
    assert (lambda r: (r.recorded, r.replayed))(trained(True, [0.1] * 6)[2]) == (1, 5)
    assert (lambda r: (r.recorded, r.replayed))(trained(True, [0.1] * 3 + [0.05] * 3)[2]) == (2, 4)
    assert (lambda r: (r.recorded, r.replayed))(trained(True, [0.3, 0.2, 0.1])[2]) == (0, 0)


@torch.no_grad()
def test_block_of_another_shape_is_not_replayed():
    net = MLP(3, [5], 1)
    recorder = Recorder(net)
    runner = BlockGraph(block_steps(net, [0.1]), recorder)
    for rows in (8, 8, 4, 8):
        assert runner.run(torch.randn(rows, 3), torch.randn(rows, 1), key=0.1).shape == (rows, 1)
    assert (recorder.recorded, recorder.replayed) == (1, 1)


@torch.no_grad()
def test_outputs_of_a_block_stay_when_the_next_one_runs():
    outputs = trained(True, [0.1] * 6)[0]
    assert len({block.sum().item() for block in outputs}) == 6


@needs_gpu
@pytest.mark.parametrize(
    "knobs",
    [
        {},
        {"momentum": 0.9},
        {"optimizer": "adam"},
        {"lr_schedule": "exponential", "lr_schedule_options": {"gamma": 0.9}},
    ],
    ids=str,
)
def test_fit_on_a_gpu_by_graphs_equals_one_step_by_step(tmp_path, knobs):
    ends = []
    for single in (False, True):
        torch.manual_seed(0)
        model = torchann.RegressionMLP([30], lr=1e-3, **knobs)
        options = {"gradient_clip_val": 1e9} if single else {}
        trainer = torchann.Trainer(
            runs=str(tmp_path), max_epochs=3, quiet=True, accelerator="gpu", devices=1, **options
        )
        data = torchann.CaliforniaHousingDataModule()
        trainer.fit(model, datamodule=data)
        assert next(iter(data.train_dataloader()))[0].is_cuda
        ends.append(torch.nn.utils.parameters_to_vector(model.parameters()).cpu())
    torch.testing.assert_close(*ends, rtol=1e-3, atol=1e-4)
