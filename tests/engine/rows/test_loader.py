import json
import pickle
import subprocess
import sys

import lightning.pytorch as pl
import numpy as np
import pytest
import torch
from sklearn.linear_model import Perceptron as SklearnPerceptron
from torch import nn

import torchann
from torchann.engine.rows import loader as loader_module
from torchann.engine.rows.loader import TensorLoader
from torchann.engine.rows.shuffling import shuffled_order, sklearn_order


def loader_of(num_rows: int, batch_size: int = 4, **options) -> TensorLoader:
    rows = torch.arange(num_rows)
    return TensorLoader(rows.float().unsqueeze(1), rows, batch_size, **options)


def rows_of(loader: TensorLoader) -> list[int]:
    return [row for _, y in loader for row in y.tolist()]


def test_shuffled_order_is_a_permutation_that_depends_on_seed_and_epoch_alone():
    first = shuffled_order(1000, seed=1, epoch=3)
    torch.manual_seed(99)
    torch.rand(5)
    assert torch.equal(first, shuffled_order(1000, seed=1, epoch=3))
    assert torch.equal(first.sort().values, torch.arange(1000))
    assert not torch.equal(first, shuffled_order(1000, seed=1, epoch=4))
    assert not torch.equal(first, shuffled_order(1000, seed=2, epoch=3))


def test_shuffled_order_leaves_the_global_generator_alone():
    before = torch.get_rng_state()
    shuffled_order(10, seed=0, epoch=0)
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize("seed", [-1, 2**63, 10**30])
def test_shuffled_order_takes_any_integer_as_seed(seed):
    assert sorted(shuffled_order(5, seed, epoch=0).tolist()) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("seed", [0, 1, 42, 2**32 - 1])
@pytest.mark.parametrize("num_rows", [2, 7, 150])
def test_sklearn_order_leads_the_perceptron_rule_to_sklearns_weights(seed, num_rows):
    generator = np.random.default_rng(num_rows)
    # Noise has no separating line, so the weights depend on the order of every epoch.
    x, y = generator.normal(size=(num_rows, 3)), np.arange(num_rows) % 2
    reference = SklearnPerceptron(random_state=seed, max_iter=4, tol=None).fit(x, y)
    weights, bias, order = np.zeros(3), 0.0, sklearn_order(num_rows, seed)
    for epoch in range(4):
        for row in order(epoch).tolist():
            sign = 2 * y[row] - 1
            if sign * (weights @ x[row] + bias) <= 0:
                weights, bias = weights + sign * x[row], bias + sign
    np.testing.assert_array_equal(weights, reference.coef_[0])
    assert bias == reference.intercept_[0]


def test_loader_in_stored_order_serves_the_rows_with_a_ragged_last_batch():
    served = [(x.shape, y.tolist()) for x, y in loader_of(10)]
    assert served == [((4, 1), [0, 1, 2, 3]), ((4, 1), [4, 5, 6, 7]), ((2, 1), [8, 9])]
    assert len(loader_of(10)) == 3
    assert len(loader_of(8)) == 2
    assert len(loader_of(1, batch_size=100)) == 1


def test_loader_serves_every_row_once_per_epoch_with_its_own_target():
    loader = loader_of(10, shuffle=True)
    for _ in range(3):
        pairs = [(row, target) for x, y in loader for row, target in zip(x[:, 0].tolist(), y.tolist(), strict=True)]
        assert all(row == target for row, target in pairs)
        assert sorted(target for _, target in pairs) == list(range(10))


def test_loader_shuffles_by_seed_and_epoch():
    loader = loader_of(100, shuffle=True, seed=7)
    epochs = [rows_of(loader), rows_of(loader)]
    assert epochs == [shuffled_order(100, seed=7, epoch=epoch).tolist() for epoch in range(2)]
    loader.set_epoch(0)
    assert rows_of(loader) == epochs[0]


def test_loader_visits_the_rows_in_a_given_order():
    loader = loader_of(3, order=lambda epoch: torch.tensor([2, 0, 1]).roll(epoch))
    assert [rows_of(loader), rows_of(loader)] == [[2, 0, 1], [1, 2, 0]]


def test_loader_iterated_anew_starts_the_epoch_at_its_beginning():
    loader = loader_of(10, shuffle=True)
    first = next(iter(loader))[1].tolist()
    assert next(iter(loader))[1].tolist() == first
    assert rows_of(loader)[:4] == first


@pytest.mark.parametrize("taken", range(7))
def test_loader_goes_on_exactly_where_its_state_was_taken(taken):
    # 10 rows in batches of 4 are 3 batches: 3 and 6 taken end an epoch.
    uninterrupted = loader_of(10, shuffle=True)
    whole = [y.tolist() for _ in range(3) for _, y in uninterrupted]
    stopped, seen = loader_of(10, shuffle=True), []
    while len(seen) < taken:
        for _, y in stopped:
            seen.append(y.tolist())
            if len(seen) == taken:
                break
    state = stopped.state_dict()
    assert state == {"epoch": taken // 3, "batch": taken % 3}
    resumed = loader_of(10, shuffle=True)
    resumed.load_state_dict(json.loads(json.dumps(state)))
    assert resumed.state_dict() == state
    resumed.set_epoch(taken // 3)
    rest = [y.tolist() for _ in range(3 - taken // 3) for _, y in resumed]
    assert seen + rest == whole


def test_loaded_position_holds_for_one_iteration_and_for_its_epoch_alone():
    loader = loader_of(10)
    loader.load_state_dict({"epoch": 0, "batch": 2})
    assert rows_of(loader) == [8, 9]
    assert rows_of(loader) == list(range(10))
    loader.load_state_dict({"epoch": 5, "batch": 2})
    loader.set_epoch(6)
    assert rows_of(loader) == list(range(10))


def test_loader_keeps_bytes_in_storage_and_prepares_each_batch():
    pixels = torch.tensor([[0, 51], [102, 255]], dtype=torch.uint8)
    loader = TensorLoader(pixels, torch.zeros(2), 1, prepare=lambda x: x.float() / 255)
    assert loader.x.dtype == torch.uint8
    assert loader.x.data_ptr() == pixels.data_ptr()
    # 51 / 255 = 0.2, 102 / 255 = 0.4
    assert torch.equal(torch.cat([x for x, _ in loader]), torch.tensor([[0.0, 0.2], [0.4, 1.0]]))


def test_loader_refuses_tensors_of_different_length():
    with pytest.raises(ValueError, match="x has 3 rows and y 2"):
        TensorLoader(torch.zeros(3), torch.zeros(2))


def test_loader_refuses_to_serve_nothing():
    with pytest.raises(ValueError, match="x has 0 rows and y 0"):
        TensorLoader(torch.zeros(0), torch.zeros(0))


def test_loader_refuses_batches_of_no_rows():
    with pytest.raises(ValueError, match="batch_size is 0"):
        loader_of(3, batch_size=0)


def test_loader_refuses_a_shuffle_beside_an_order():
    with pytest.raises(ValueError, match="shuffle=True and an order"):
        loader_of(3, shuffle=True, order=torch.arange)


def shards(monkeypatch, world: int, num_rows: int, batch_size: int, **options) -> list[list[list[int]]]:
    served = []
    for rank in range(world):
        monkeypatch.setattr(loader_module, "rank_and_world", lambda rank=rank: (rank, world))
        loader = loader_of(num_rows, batch_size, **options)
        served.append([y.tolist() for _, y in loader])
        assert len(loader) == len(served[-1])
    return served


@pytest.mark.parametrize("world", [1, 2, 3])
@pytest.mark.parametrize("num_rows", [1, 12, 13, 14, 19])
def test_training_batches_of_all_processes_are_together_those_of_one(monkeypatch, world, num_rows):
    served = shards(monkeypatch, world, num_rows, batch_size=2, shuffle=True)
    order = shuffled_order(num_rows, seed=42, epoch=0).tolist()
    for step, batches_of_step in enumerate(zip(*served, strict=True)):  # equally many
        rows = {row for batch in batches_of_step for row in batch}
        wanted = set(order[step * 2 * world : (step + 1) * 2 * world])
        assert rows == wanted or (len(wanted) < world and rows == wanted | {order[0]})


@pytest.mark.parametrize("num_rows", [12, 13, 14, 19])
def test_blocks_of_several_processes_hold_each_row_once_and_may_end_with_an_empty_batch(monkeypatch, num_rows):
    steps = []
    for rank in range(3):
        monkeypatch.setattr(loader_module, "rank_and_world", lambda rank=rank: (rank, 3))
        loader = loader_of(num_rows, 2, shuffle=True, steps_per_execution=4)
        steps.append([y.tolist() for block in loader for _, y in block.batches()])
    assert len({len(own) for own in steps}) == 1
    assert sorted(row for own in steps for batch in own for row in batch) == list(range(num_rows))
    assert ([] in steps[2]) is (num_rows in (13, 14, 19))  # 12 of 6 a step; 1, 2 and 1 are left: none for the third


def test_process_without_a_row_of_the_last_batch_is_served_one_of_another_or_none_if_asked_for(monkeypatch):
    monkeypatch.setattr(loader_module, "rank_and_world", lambda: (1, 2))
    loader = loader_of(5, 2, shuffle=True)  # 2 and 2, then 1 and none
    first = shuffled_order(5, seed=42, epoch=0).tolist()[0]
    assert [y.tolist() for _, y in loader][-1] == [first]
    loader.set_epoch(0)
    loader.empty_batches = True
    assert [y.tolist() for _, y in loader][-1] == []


@pytest.mark.parametrize("world", [1, 2, 3])
@pytest.mark.parametrize("num_rows", [3, 12, 13, 14])
@pytest.mark.parametrize("batch_size", [1, 2])
def test_validation_shards_hold_each_row_exactly_once_in_equally_many_batches(monkeypatch, world, num_rows, batch_size):
    served = shards(monkeypatch, world, num_rows, batch_size)
    assert len({len(steps) for steps in served}) == 1 and all(batch for steps in served for batch in steps)
    assert sorted(row for steps in served for batch in steps for row in batch) == list(range(num_rows))


def test_fewer_rows_to_evaluate_than_processes_are_refused(monkeypatch):
    monkeypatch.setattr(loader_module, "rank_and_world", lambda: (0, 3))
    with pytest.raises(ValueError, match="2 rows cannot be shared by 3 processes; give each at least one"):
        len(loader_of(2))


TWO_PROCESSES = """
import json, sys, torch
from torchann.engine.rows.loader import TensorLoader
rank, file = int(sys.argv[1]), sys.argv[2]
rows = torch.arange(7)
early = TensorLoader(rows, rows, 2, shuffle=True)  # built before the processes have met
torch.distributed.init_process_group("gloo", init_method="file://" + file, rank=rank, world_size=2)
late = TensorLoader(rows, rows, 2)
torch.distributed.barrier()
print(json.dumps([[y.tolist() for _, y in loader] for loader in (early, late)]))
torch.distributed.destroy_process_group()
"""


def test_two_processes_share_the_rows(tmp_path):
    commands = [[sys.executable, "-c", TWO_PROCESSES, str(rank), str(tmp_path / "meet")] for rank in range(2)]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for command in commands]
    training, validation = zip(*(json.loads(process.communicate(timeout=60)[0]) for process in processes), strict=True)
    assert [[len(batch) for batch in steps] for steps in training] == [[2, 2], [2, 1]]
    order = shuffled_order(7, seed=42, epoch=0).tolist()
    assert [[row for batch in steps for row in batch] for steps in training] == [order[0::2], order[1::2]]
    assert list(validation) == [[[0, 2], [4, 6]], [[1], [3, 5]]]


class Recorder(pl.LightningModule):
    """Notes the targets that Lightning passes on, epoch by epoch."""

    def __init__(self):
        super().__init__()
        self.automatic_optimization = False
        self.weight = nn.Parameter(torch.zeros(1))
        self.epochs: list[list[int]] = []

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)

    def on_train_epoch_start(self):
        self.epochs.append([])

    def training_step(self, batch, batch_idx):
        self.epochs[-1] += batch[1].tolist()


def test_lightning_trains_in_the_order_of_each_epoch_and_a_second_fit_repeats_the_first():
    loader, runs = loader_of(50, shuffle=True, seed=3), []
    for _ in range(2):
        model = Recorder()
        torchann.Trainer(max_epochs=2, logger=False, quiet=True).fit(model, loader)
        runs.append(model.epochs)
    assert runs[0] == [shuffled_order(50, seed=3, epoch=epoch).tolist() for epoch in range(2)]
    assert runs[1] == runs[0]


def test_loader_refuses_a_position_that_an_epoch_does_not_have():
    loader = TensorLoader(torch.arange(10.0), torch.arange(10), batch_size=5)
    with pytest.raises(ValueError, match="the state is at batch 4 and an epoch has 2; .*batch_size is 5"):
        loader.load_state_dict({"epoch": 0, "batch": 4})


def test_shuffled_loader_survives_pickling_with_its_order():
    loader = TensorLoader(torch.arange(10.0), torch.arange(10), batch_size=10, shuffle=True)
    copy = pickle.loads(pickle.dumps(loader))
    assert torch.equal(next(iter(loader))[1], next(iter(copy))[1])
