import shutil

import numpy as np
import pytest
import torch

from torchann.data import DataFileError, DataNotFoundError, FashionMNISTDataModule
from torchann.data import fashion_mnist_files as files
from torchann.data.fashion_mnist_files import file_in
from torchann.data.idx import read_idx


@pytest.fixture
def synthetic(synthetic_fashion_mnist):
    module = FashionMNISTDataModule(synthetic_fashion_mnist)
    module.setup()
    return module


def test_fashion_mnist_says_what_it_is_before_it_is_read():
    module = FashionMNISTDataModule()
    assert (module.name, module.in_features, module.num_classes) == ("fashion-mnist", 784, 10)
    assert module.feature_names is None
    # the names of Zalando's README, in the order of their numbers
    assert module.class_names == [
        "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
    ]  # fmt: skip


def test_fashion_mnist_validates_on_the_first_5000_rows_and_trains_on_the_rest(synthetic, synthetic_fashion_mnist):
    stored = {name: read_idx(file_in(synthetic_fashion_mnist, name), *wanted) for name, wanted in files.FILES.items()}
    train, val, test = synthetic.splits
    assert len(val.y) == 5_000
    np.testing.assert_array_equal(torch.cat([val.x, train.x]), stored["train-images-idx3-ubyte"])
    np.testing.assert_array_equal(torch.cat([val.y, train.y]), stored["train-labels-idx1-ubyte"])
    np.testing.assert_array_equal(test.x, stored["t10k-images-idx3-ubyte"])
    np.testing.assert_array_equal(test.y, stored["t10k-labels-idx1-ubyte"])


def test_fashion_mnist_stays_uint8_in_memory(synthetic):
    for x, y in synthetic.splits:
        assert x.dtype == torch.uint8 and x.shape[1:] == (28, 28)
        assert y.dtype == torch.int64


def test_fashion_mnist_serves_float_pixels_between_0_and_1(synthetic):
    x, y = next(iter(synthetic.val_dataloader()))
    assert x.shape[1:] == (28, 28) and x.dtype == torch.float32
    assert y.shape == x.shape[:1] and y.dtype == torch.int64
    assert 0 <= x.min() < 0.01 and 0.99 * 253 / 255 < x.max() <= 1  # noise 0-63 and bands up to 63 + 190 = 253
    torch.testing.assert_close(x, synthetic.splits.val.x[: len(x)].double().div(255).float())


def test_fashion_mnist_prepares_0_51_and_255_as_0_a_fifth_and_1():
    pixels = FashionMNISTDataModule().prepare(torch.tensor([0, 51, 255], dtype=torch.uint8))
    torch.testing.assert_close(pixels, torch.tensor([0.0, 0.2, 1.0]))  # 51 / 255 = 1 / 5


def test_fashion_mnist_refuses_test_labels_under_the_name_of_the_training_labels(synthetic_fashion_mnist, tmp_path):
    folder = shutil.copytree(synthetic_fashion_mnist, tmp_path / "swapped")
    shutil.copy(folder / "t10k-labels-idx1-ubyte.gz", folder / "train-labels-idx1-ubyte.gz")
    message = r"train-labels-idx1-ubyte\.gz holds an array of shape \(1000,\); expected shape \(6000,\)"
    with pytest.raises(DataFileError, match=message):
        FashionMNISTDataModule(folder).setup()


def test_fashion_mnist_prepares_and_sets_up_from_a_mirror(bare_machine, synthetic_table, mirror, monkeypatch):
    monkeypatch.setattr(files, "MIRRORS", [mirror.url("good")])
    module = FashionMNISTDataModule()
    module.prepare_data()
    module.setup()
    assert len(module.splits.test.y) == 1_000


def test_fashion_mnist_does_not_download_during_setup(bare_machine, synthetic_table, mirror, monkeypatch):
    monkeypatch.setattr(files, "MIRRORS", [mirror.url("good")])
    with pytest.raises(DataNotFoundError, match=r"prepare_data\(\)"):
        FashionMNISTDataModule().setup()
    assert mirror.served == []


def test_fashion_mnist_does_not_download_when_told_not_to(bare_machine, mirror, monkeypatch):
    monkeypatch.setattr(files, "MIRRORS", [mirror.url("good")])
    with pytest.raises(DataNotFoundError, match="a download was not asked for"):
        FashionMNISTDataModule(download=False).prepare_data()
    assert mirror.served == []


def test_fashion_mnist_has_the_splits_of_the_book(real_fashion_mnist):
    assert [len(split.y) for split in real_fashion_mnist.splits] == [55_000, 5_000, 10_000]


def test_fashion_mnist_begins_its_test_set_with_ankle_boot_pullover_trouser(real_fashion_mnist):
    _, y = next(iter(real_fashion_mnist.predict_dataloader()))
    assert y[:3].tolist() == [9, 2, 1]  # the book's y_test[:3]


def test_fashion_mnist_has_as_many_of_each_class_as_zalando_says(real_fashion_mnist):
    train, val, test = real_fashion_mnist.splits
    assert torch.bincount(torch.cat([train.y, val.y])).tolist() == [6_000] * 10
    assert torch.bincount(test.y).tolist() == [1_000] * 10


def test_fashion_mnist_first_training_image_is_a_coat(real_fashion_mnist):
    assert real_fashion_mnist.class_names[real_fashion_mnist.splits.train.y[0]] == "Coat"  # the book's y_train[0]
