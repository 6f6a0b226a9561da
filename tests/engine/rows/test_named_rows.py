"""Inputs and targets by name: the loader gathers, splits and joins them like single tensors."""

import pytest
import torch

from torchann.engine.rows.loader import Block, TensorLoader, cat_rows, num_rows, split_rows

X = {"wide": torch.arange(10.0).view(5, 2), "deep": torch.arange(5.0)}


def test_named_rows_stay_together_in_every_batch():
    loader = TensorLoader(X, torch.arange(5), batch_size=2, shuffle=True)
    for x, y in loader:
        assert torch.equal(x["deep"], y.float()) and torch.equal(x["wide"][:, 0], 2 * y.float())


def test_block_of_named_rows_splits_into_its_batches():
    (block,) = TensorLoader(X, {"y": torch.arange(5)}, batch_size=2, steps_per_execution=3)
    assert isinstance(block, Block)
    assert [(x["deep"].tolist(), y["y"].tolist()) for x, y in block.batches()] == [
        ([0.0, 1.0], [0, 1]),
        ([2.0, 3.0], [2, 3]),
        ([4.0], [4]),
    ]


def test_joining_what_was_split_gives_the_rows_again():
    again = cat_rows(split_rows(X, 2))
    assert list(again) == ["wide", "deep"] and all(torch.equal(again[name], X[name]) for name in X)


def test_prepare_is_applied_to_each_input():
    loader = TensorLoader(X, torch.arange(5), batch_size=5, prepare=lambda part: part / 2)
    ((x, _),) = loader
    assert x["deep"].tolist() == [0.0, 0.5, 1.0, 1.5, 2.0] and x["wide"][4].tolist() == [4.0, 4.5]


def test_named_rows_of_different_lengths_are_refused():
    with pytest.raises(ValueError, match=r"rows \{'wide': 5, 'deep': 4\}|\{'wide': 5, 'deep': 4\} rows"):
        num_rows({"wide": torch.zeros(5), "deep": torch.zeros(4)})
