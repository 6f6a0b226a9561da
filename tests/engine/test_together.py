"""Fits in threads: each as alone, and all of them stop when one fails or nobody wants more."""

import threading
import time

import numpy as np
import pytest

from torchann.engine.compiled import learner as compiled_learner
from torchann.engine.compiled.learner import CompiledLearner
from torchann.engine.compiled.net import lay_out
from torchann.engine.compiled.objectives import make_objective
from torchann.engine.compiled.solvers import make_solver
from torchann.engine.compiled.threads import beside_others
from torchann.engine.together import Stopped, check_stop, run_together


class Endless:
    """Work that ends when it is told to."""

    ended = None

    def run(self):
        try:
            for _ in range(1000):
                check_stop()
                time.sleep(0.01)
        except Stopped:
            self.ended = "stopped"


class Quick:
    def __init__(self, error=None):
        self.error = error

    def run(self):
        self.thread = threading.get_ident()
        if self.error:
            raise self.error


def test_each_fit_is_yielded_once_when_it_has_run():
    fits = [Quick() for _ in range(20)]
    assert sorted(map(id, run_together(fits, threads=3))) == sorted(map(id, fits))
    threads = {fit.thread for fit in fits}
    assert len(threads) <= 3 and threading.get_ident() not in threads
    assert list(run_together([])) == []


@pytest.mark.parametrize("error", [ValueError("no"), KeyboardInterrupt()])
def test_error_of_a_fit_is_raised_and_stops_the_others(error):
    endless, waiting = Endless(), [Quick() for _ in range(5)]
    with pytest.raises(type(error)):
        list(run_together([endless, Quick(error), *waiting], threads=2))
    assert endless.ended == "stopped"


def test_caller_that_wants_no_more_stops_the_others():
    endless, quick = Endless(), Quick()
    ended = run_together([endless, quick], threads=2)
    assert next(ended) is quick
    ended.close()
    assert endless.ended == "stopped"


def test_work_outside_of_such_threads_is_never_stopped():
    check_stop()


def test_network_beside_others_leaves_them_the_other_core(monkeypatch):
    def second_thread():
        raise AssertionError("a second thread")

    monkeypatch.setattr(compiled_learner, "second_thread", second_thread)
    monkeypatch.setattr(compiled_learner, "free_cores", lambda: 2)
    ends = make_objective("identity", "mse"), make_solver("sgd", decayed=0)
    laid_out = lay_out([2, 1], [0], [2], activation=0, rows=4, dtype=np.float32)
    learner = CompiledLearner(np.ones(3, np.float32), *laid_out, *ends)
    learner._two = True
    x, y, rates = np.ones((8, 2), np.float32), np.zeros(8, np.float32), np.full(4, 0.1)
    with pytest.raises(AssertionError, match="a second thread"):
        learner.steps(x, y, rates, 2)
    with beside_others() as others:
        assert others == 0
        assert learner.steps(x, y, rates, 2).loss > 0
