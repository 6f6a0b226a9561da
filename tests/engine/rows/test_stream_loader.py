"""Mini-batches of rows that are read in blocks: complete, shuffled by seed and epoch, resumable, read ahead."""

import threading
from itertools import chain

import pytest
import torch

from torchann.engine.rows import stream_loader
from torchann.engine.rows.loader import Block
from torchann.engine.rows.stream_loader import StreamLoader


class Numbered:
    """Rows 0, 1, 2, ... in units of these sizes, given a few at a time; remembers what was asked for."""

    width = 2

    def __init__(self, counts, at_once=7):
        self.counts, self.at_once, self.asked, self.threads = counts, at_once, [], set()

    def read(self, units, skip):
        self.asked.append((list(units), skip))
        starts = [sum(self.counts[:unit]) for unit in range(len(self.counts))]
        rows = torch.cat([torch.arange(starts[unit], starts[unit] + self.counts[unit]) for unit in units])[skip:]
        for part in rows.split(self.at_once):
            self.threads.add(threading.current_thread().name)
            yield torch.stack([part, -part], 1).float(), part


def loader(counts=(40, 3, 57), batch_size=8, rows=24, **options):
    return StreamLoader(Numbered(list(counts)), batch_size, block_bytes=rows * 2 * 4, **options)


def served(batches) -> list[list[int]]:
    return [y.tolist() for batch in batches for _, y in (batch.batches() if isinstance(batch, Block) else [batch])]


def test_rows_in_stored_order_come_in_their_batches():
    found = loader()
    assert served(found) == [list(range(start, min(start + 8, 100))) for start in range(0, 100, 8)]
    assert (len(found), found.num_batches(), found.block_rows) == (13, 13, 24)


def test_inputs_go_with_their_targets():
    for x, y in loader(shuffle=True):
        assert torch.equal(x, torch.stack([y, -y], 1).float())


@pytest.mark.parametrize("steps", [1, 2, 3, None])
def test_each_epoch_has_every_row_once_in_an_order_of_its_own_whatever_the_steps_per_call(steps):
    found, expected = loader(shuffle=True, steps_per_execution=steps), loader(shuffle=True)
    epochs = []
    for epoch in range(3):
        for each in (found, expected):
            each.set_epoch(epoch)
        batches = list(found)
        assert len(batches) == len(found)
        epochs.append(served(batches))
        assert epochs[-1] == served(expected)
        assert sorted(chain(*epochs[-1])) == list(range(100)) and {len(batch) for batch in epochs[-1][:-1]} == {8}
    assert epochs[0] != epochs[1] != epochs[2]


def test_order_is_a_function_of_seed_and_epoch():
    orders = []
    for seed, epoch in ((1, 0), (1, 0), (2, 0), (1, 1)):
        found = loader(shuffle=True, seed=seed)
        found.set_epoch(epoch)
        orders.append(served(found))
    assert orders[0] == orders[1] and orders[0] != orders[2] and orders[0] != orders[3]


def test_block_mixes_the_rows_of_units_that_are_not_neighbours():
    found = loader(counts=[10] * 10, rows=40, batch_size=40, shuffle=True)
    units = [{row // 10 for row in batch} for batch in served(found)]
    assert all(len(unit) == 4 for unit in units[:2]) and units[0] != {0, 1, 2, 3}
    assert served(found)[0] != sorted(served(found)[0])


@pytest.mark.parametrize("steps", [1, 2])
@pytest.mark.parametrize("stop", range(1, 14))
def test_iteration_goes_on_where_its_state_was_taken(stop, steps):
    whole = loader(shuffle=True, steps_per_execution=steps)
    expected = [served(whole), served(whole)]
    first = loader(shuffle=True, steps_per_execution=steps)
    done, state = [], None
    for batch in first:
        done += served([batch])
        state = first.state_dict()
        if len(done) >= stop:
            break
    rest = loader(shuffle=True, steps_per_execution=steps)
    rest.load_state_dict(state)
    if state["batch"]:
        assert done + served(rest) == expected[0] and rest.epoch == 1
    assert served(rest) == expected[1]


def test_state_at_the_end_is_the_beginning_of_the_next_epoch_before_the_loop_ends():
    found = loader()
    for _ in found:
        pass
    assert found.state_dict() == {"epoch": 1, "batch": 0, "block_rows": 24}
    iterator = iter(loader_at_end := loader())
    for _ in range(13):
        next(iterator)
    assert loader_at_end.state_dict()["epoch"] == 1  # Lightning asks for no fourteenth


def test_units_before_the_state_are_not_read_again():
    found = loader()
    found.load_state_dict({"epoch": 0, "batch": 7, "block_rows": 24})
    assert served(found)[0] == list(range(56, 64)) and found.stream.asked == [([0, 1, 2], 48)]


def test_blocks_are_read_by_a_thread_that_is_gone_at_the_end():
    before = set(threading.enumerate())
    found = loader()
    iterator = iter(found)
    for _ in range(13):
        next(iterator)
    assert all(name.startswith("torchann-blocks") for name in found.stream.threads)
    assert set(threading.enumerate()) <= before  # though the loop was not ended


def test_error_of_the_reading_thread_comes_out_of_the_loop():
    found = loader()

    def broken(units, skip):
        yield torch.zeros(30, 2), torch.zeros(30)
        raise OSError("the disk is gone")

    found.stream.read = broken
    with pytest.raises(OSError, match="the disk is gone"):
        list(found)


def test_loop_that_is_broken_off_can_be_begun_again():
    found = loader(shuffle=True)
    expected = served(loader(shuffle=True))
    next(iter(found))
    found.load_state_dict({"epoch": 0, "batch": 0, "block_rows": 24})
    assert served(found) == expected


def test_other_epoch_forgets_the_position():
    found = loader()
    found.load_state_dict({"epoch": 0, "batch": 5, "block_rows": 24})
    found.sampler.set_epoch(0)
    assert found.state_dict()["batch"] == 5
    found.sampler.set_epoch(1)
    assert found.state_dict()["batch"] == 0


@pytest.mark.parametrize(
    "state", [{"batch": 13}, {"batch": -1}, {"batch": 0, "block_rows": 16}], ids=["late", "early", "other blocks"]
)
def test_state_of_other_data_is_refused(state):
    match = (
        r"the state is (at batch .*; give the batch_size and the data|in blocks of 16 .* the max_memory that) it was"
    )
    with pytest.raises(ValueError, match=match):
        loader().load_state_dict({"epoch": 0, "block_rows": 24, **state})


def test_no_rows_are_refused():
    with pytest.raises(ValueError, match="there are no rows; give at least one"):
        loader(counts=[0, 0])


def test_block_has_room_for_one_batch_at_least():
    assert loader(rows=1).block_rows == 8 and served(loader(rows=1)) == served(loader())


def test_several_processes_are_refused(monkeypatch):
    monkeypatch.setattr(stream_loader, "rank_and_world", lambda: (1, 2))
    with pytest.raises(RuntimeError, match="2 processes would each train on all rows .*; use one process"):
        next(iter(loader()))
