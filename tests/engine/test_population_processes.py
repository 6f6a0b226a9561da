"""A population in several processes, interrupted, and without a process it had."""

import copy
from itertools import pairwise

import numpy as np
import pytest
import torch
from joblib.externals.loky import BrokenProcessPool

from torchann.engine.population import Member, Population, SeededOrder, Settings, SharedRows, Workers, population
from torchann.engine.population.rounds import train_for


def members(widths=(2, 3, 5, 8)):
    found = []
    for width in widths:
        for depth in (1, 2):
            sizes = [3, *depth * [width], 1]
            generator = torch.Generator().manual_seed(width)
            start = [torch.rand(b, a + 1, generator=generator) - 0.5 for a, b in pairwise(sizes)]
            solver = ("sgd", "adam")[width % 2]
            settings = Settings(solver=solver, batch_size=8, max_iter=6, learning_rate_init=0.01)
            found.append(Member(settings, start, SeededOrder(np.arange(40), seed=width)))
    return found


@pytest.fixture
def table():
    x = torch.randn(50, 3, generator=torch.Generator().manual_seed(1))
    return SharedRows.of(x, x[:, 0] * x[:, 1])


@pytest.fixture
def no_waiting(monkeypatch):
    monkeypatch.setattr(population, "WORTH_A_PROCESS", 0)
    monkeypatch.setattr(population, "ROUND", 0)  # an epoch at a time: networks go to and fro


def assert_equal(ours, theirs):
    for one, other in zip(ours, theirs, strict=True):
        assert one.loss_curve == other.loss_curve and one.n_iter == other.n_iter
        assert all(map(torch.equal, one.weights, other.weights))


def test_what_networks_become_does_not_depend_on_processes_and_rounds(table, no_waiting, monkeypatch):
    alone, shared = members(), members()
    with monkeypatch.context() as patch:
        patch.setattr(population, "ROUND", 60)
        list(Population(alone, table).train())
    with Workers(n_jobs=2) as workers:
        assert workers.number == 1
        finished = list(Population(shared, table, workers=workers).train())
        folder = workers.share(table)
        assert folder == workers.share(table) and folder.exists()
    assert not folder.exists()
    assert sorted(map(id, finished)) == sorted(map(id, shared))
    assert_equal(alone, shared)


class Gone:
    """In place of workers: the process trains one bucket and then is ended from outside."""

    number = 1

    def __init__(self, table):
        self.table = table
        self.rounds = 0

    def share(self, table):
        assert table is self.table

    def train_for(self, bucket, place, seconds, losses):
        self.rounds += 1
        if self.rounds > 1:
            raise BrokenProcessPool("A worker process managed by the executor was unexpectedly terminated.")
        return train_for(copy.deepcopy(bucket), self.table, seconds, losses)

    def stop(self):
        pass


def test_networks_of_a_process_that_has_ended_are_trained_here(table, no_waiting):
    alone, shared, workers = members(), members(), Gone(table)
    list(Population(alone, table).train())
    with pytest.warns(UserWarning, match="a process that trained networks has ended: A worker .* Going on without"):
        list(Population(shared, table, workers=workers).train())
    assert workers.rounds == 2
    assert_equal(alone, shared)


def test_an_error_in_a_process_is_raised_here(table, no_waiting):
    class Failing(Gone):
        def train_for(self, bucket, place, seconds, losses):
            raise MemoryError("no memory for 3 networks")

    with pytest.raises(MemoryError, match="no memory for 3 networks"):
        list(Population(members(), table, workers=Failing(table)).train())


def test_interrupt_keeps_each_network_as_it_was_after_an_epoch(table, monkeypatch, no_waiting):
    whole, stopped = members(), members()
    list(Population(whole, table).train())
    rounds = []

    def interrupted(bucket, *rest):
        rounds.append(len(bucket))
        if len(rounds) == 6:
            for own in bucket:  # half of an epoch is done when Ctrl-C comes
                own.order.next_epoch()
                own.weights = []
            raise KeyboardInterrupt
        return train_for(bucket, *rest)

    monkeypatch.setattr(population, "train_for", interrupted)
    with pytest.raises(KeyboardInterrupt):
        list(Population(stopped, table).train())
    assert 0 < sum(own.n_iter for own in stopped) < sum(own.n_iter for own in whole)
    monkeypatch.setattr(population, "train_for", train_for)
    list(Population(stopped, table).train())
    assert_equal(whole, stopped)


def test_leaving_the_loop_ends_the_training(table, no_waiting):
    stopped = members()
    for _ in Population(stopped, table).train():
        break
    assert any(own.stopped is None for own in stopped)


def test_a_small_population_starts_no_process(table):
    with Workers(n_jobs=2) as workers:
        list(Population(members(), table, workers=workers).train())
        assert workers._executor is None
