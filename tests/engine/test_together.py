"""Fits in threads: each as alone, and all of them stop when one fails or nobody wants more."""

import threading
import time

import pytest

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


def wait_for(condition):
    for _ in range(500):
        if condition():
            return True
        time.sleep(0.01)
    return False


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
    assert wait_for(lambda: endless.ended == "stopped")


def test_caller_that_wants_no_more_stops_the_others():
    endless, quick = Endless(), Quick()
    for fit in run_together([endless, quick], threads=2):
        assert fit is quick
        break
    assert wait_for(lambda: endless.ended == "stopped")


def test_work_outside_of_such_threads_is_never_stopped():
    check_stop()
