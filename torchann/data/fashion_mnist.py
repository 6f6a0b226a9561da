"""Fashion-MNIST: 70,000 grey images of clothes in ten classes, the book's replacement for handwritten digits."""

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from torchann.data.augmentation import flip_and_shift
from torchann.data.fashion_mnist_files import FILES, fetch_fashion_mnist, file_in
from torchann.data.idx import read_idx
from torchann.data.in_memory import InMemoryDataModule, Split, Splits
from torchann.nets.preprocessing import Pixels, Preprocessing

VALIDATION_ROWS = 5_000  # the first training rows, as in the book

CLASS_NAMES = [
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
]


class FashionMNISTDataModule(InMemoryDataModule):
    """Fashion-MNIST: images ``(batch, 28, 28)``, float32 pixels in 0–1; the class ``(batch,)``, int64 in 0–9.

    Split as in the book: the first 5,000 training rows validate, the other 55,000 train, and Zalando's 10,000 test
    rows test. In memory the images are uint8, 55 MB; a batch is turned into floats when it is served.

    Args:
        data_dir: the folder with the four IDX files, gzipped or not. By default the folder named by the environment
            variable TORCHANN_DATA, that of the Debian package dataset-fashion-mnist, or the user's cache.
        batch_size: rows per training batch, at least 1.
        seed: seed of the training loader's shuffle.
        download: download the files (31 MB) into the user's cache if they are nowhere else.
        flip: mirror half of the training images, others in each epoch.
        shift: move each training image by up to so many pixels, another way in each epoch.

    Raises:
        ValueError: if ``shift`` is below 0.

    Example:
        >>> fashion = FashionMNISTDataModule()
        >>> fashion.in_features, fashion.num_classes, fashion.class_names[9]
        (784, 10, 'Ankle boot')
        >>> fashion.prepare_data()  # doctest: +SKIP
        >>> fashion.setup()  # doctest: +SKIP
        >>> fashion.splits.test.y[:3]  # doctest: +SKIP
        tensor([9, 2, 1])
    """

    name = "fashion-mnist"
    in_features = 28 * 28
    num_classes = 10
    flip: bool
    shift: int

    def __init__(
        self,
        data_dir: str | os.PathLike[str] | None = None,
        batch_size: int = 32,
        seed: int = 42,
        download: bool = True,
        flip: bool = False,
        shift: int = 0,
    ) -> None:
        super().__init__(batch_size, seed)
        self.data_dir = data_dir
        self.download = download
        if shift < 0:
            raise ValueError(f"shift is {shift}; give 0 or a number of pixels")
        self.flip, self.shift = flip, shift
        if flip or shift:
            self.augmentation: Callable[..., Tensor] = partial(flip_and_shift, flip=flip, shift=shift)
        self.class_names: list[str] = list(CLASS_NAMES)
        self.preprocessing: Preprocessing = Preprocessing(Pixels())

    def prepare_data(self) -> None:
        """Finds the files, or downloads them.

        Raises:
            DataNotFoundError: if they can neither be found nor downloaded.
        """
        fetch_fashion_mnist(self.data_dir, download_missing=self.download)

    def read(self) -> Splits:
        """The book's three splits, the images uint8 ``(rows, 28, 28)``.

        Raises:
            DataNotFoundError: if the files are not on this machine; nothing is downloaded here.
            DataFileError: if one of them is damaged or another one than its name says.
        """
        folder = fetch_fashion_mnist(self.data_dir, download_missing=False)
        train = Split(_tensor(folder, "train-images-idx3-ubyte"), _tensor(folder, "train-labels-idx1-ubyte").long())
        test = Split(_tensor(folder, "t10k-images-idx3-ubyte"), _tensor(folder, "t10k-labels-idx1-ubyte").long())
        val = Split(train.x[:VALIDATION_ROWS], train.y[:VALIDATION_ROWS])
        return Splits(Split(train.x[VALIDATION_ROWS:], train.y[VALIDATION_ROWS:]), val, test)


def _tensor(folder: Path, name: str) -> Tensor:
    path = file_in(folder, name) or folder / f"{name}.gz"
    return torch.from_numpy(read_idx(path, *FILES[name]))
