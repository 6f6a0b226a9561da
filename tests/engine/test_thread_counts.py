import pytest
import torch

from torchann.engine.threads import at_most, threads_for


@pytest.fixture
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def test_small_products_get_one_thread_and_large_ones_what_there_is(two_threads):
    assert threads_for([8, 30, 1], 32) == 1  # 2 * 32 * 8 * 30 = 15,360 operations
    assert threads_for([784, 300, 100, 10], 32) == 2  # 15 million


def test_threads_are_given_back_also_after_an_error(two_threads):
    seen = []

    @at_most(1)
    def fail():
        seen.append(torch.get_num_threads())
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert [*seen, torch.get_num_threads()] == [1, 2]


def test_there_are_never_more_threads_than_the_caller_has(two_threads):
    with at_most(8):
        assert torch.get_num_threads() == 2


def test_more_threads_than_the_caller_has_are_for_who_says_so_and_the_lowest_number_counts(two_threads):
    seen = []
    with at_most(3, or_more=True):
        seen.append(torch.get_num_threads())
        with at_most(1):
            seen.append(torch.get_num_threads())
        seen.append(torch.get_num_threads())
    assert [*seen, torch.get_num_threads()] == [3, 1, 3, 2]
