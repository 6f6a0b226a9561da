"""Mirrored and moved images: by hand on small ones, and the same in an epoch however its batches are drawn."""

import pytest
import torch

from torchann.data import FashionMNISTDataModule
from torchann.data.augmentation import flip_and_shift
from torchann.engine.rows.loader import TensorLoader

IMAGE = torch.tensor([[[1, 2, 3], [4, 5, 6], [7, 8, 9]]], dtype=torch.uint8)


@pytest.mark.parametrize(
    ("draws", "expected"),
    [
        # 0.9 does not mirror; of three places, 0 is down or right by one, 0.5 stays, 0.99 is up or left
        ([0.9, 0.5, 0.5], [[1, 2, 3], [4, 5, 6], [7, 8, 9]]),
        ([0.1, 0.5, 0.5], [[3, 2, 1], [6, 5, 4], [9, 8, 7]]),
        ([0.9, 0.0, 0.5], [[0, 0, 0], [1, 2, 3], [4, 5, 6]]),
        ([0.9, 0.99, 0.99], [[5, 6, 0], [8, 9, 0], [0, 0, 0]]),
        ([0.1, 0.5, 0.0], [[2, 1, 0], [5, 4, 0], [8, 7, 0]]),  # moved to the right, then mirrored
    ],
)
def test_image_is_mirrored_and_moved_as_drawn(draws, expected):
    assert flip_and_shift(IMAGE, torch.tensor([draws])).tolist() == [expected]


def test_no_flip_and_no_shift_changes_nothing():
    assert torch.equal(flip_and_shift(IMAGE, torch.rand(1, 3), flip=False, shift=0), IMAGE)


def images(**options):
    x = torch.randint(0, 256, (50, 4, 4), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    return TensorLoader(x, torch.arange(50), 8, shuffle=True, augment=flip_and_shift, **options)


def test_epoch_is_augmented_alike_however_many_batches_are_drawn_at_once():
    by_batch, by_block = list(images()), list(images(steps_per_execution=3))
    assert torch.equal(torch.cat([x for x, _ in by_batch]), torch.cat([block.x for block in by_block]))


def test_augmentation_goes_on_where_a_state_was_taken():
    whole = list(images())
    loader = images()
    iterator = iter(loader)
    for _ in range(3):
        next(iterator)
    state = loader.state_dict()
    resumed = images()
    resumed.load_state_dict(state)
    assert all(torch.equal(x, its) for (x, _), (its, _) in zip(whole[3:], resumed, strict=True))


def test_each_epoch_changes_images_in_another_way():
    loader = images()
    epochs = [{int(k): row for x, y in loader for row, k in zip(x, y, strict=True)} for _ in range(2)]
    assert sum(not torch.equal(epochs[0][k], epochs[1][k]) for k in range(50)) > 25  # equal: one in eighteen


def test_only_training_images_are_augmented(synthetic_fashion_mnist):
    plain, moved = (
        FashionMNISTDataModule(synthetic_fashion_mnist, flip=flip, shift=2 * flip) for flip in (False, True)
    )
    for data in (plain, moved):
        data.setup()
    first, its_first = (next(iter(data.train_dataloader()))[0] for data in (plain, moved))
    assert not torch.equal(first, its_first) and first.shape == its_first.shape
    assert its_first.dtype == torch.float32 and its_first.max() <= 1
    assert torch.equal(*(next(iter(data.val_dataloader()))[0] for data in (plain, moved)))


def test_shift_below_zero_is_refused():
    with pytest.raises(ValueError, match="shift is -1; give 0 or a number of pixels"):
        FashionMNISTDataModule(shift=-1)
