"""California housing: the median house value of 20,640 districts from eight figures of the 1990 census."""

import gzip
import hashlib
import io
import zlib
from importlib.resources import files

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from torchann.data.errors import DataFileError
from torchann.data.in_memory import InMemoryDataModule, Split, Splits
from torchann.nets.preprocessing import Preprocessing, Standardize
from torchann.nets.waves import Waves

TABLE = files("torchann.data") / "california_housing.csv.gz"
NUM_BYTES = 989_779
SHA256 = "6d4c229ba5838173233e7a8ec8076d27fa1c36695fa8176f9a7a2d0a5d2af318"  # of the decompressed table
REMEDY = "reinstall torchann with `pip install --force-reinstall --no-deps torchann`"

FEATURE_NAMES = ["MedInc", "HouseAge", "AveRooms", "AveBedrms", "Population", "AveOccup", "Latitude", "Longitude"]
TARGET_NAMES = ["MedHouseVal"]


def load_california_housing() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The table that scikit-learn's ``fetch_california_housing(return_X_y=True)`` downloads, from this package.

    The source is the StatLib table of Pace and Barry, *Sparse Spatial Autoregressions* (1997): one row per census
    block group; rooms, bedrooms and occupants are averages per household, as scikit-learn computes them.

    Returns:
        The features ``(20640, 8)`` float64: median income in 10,000 USD, median house age in years, rooms and bedrooms
        per household, people, people per household, latitude and longitude in degrees. The target ``(20640,)``
        float64: median house value in 100,000 USD, cut off at 5.00001.

    Raises:
        DataFileError: if the file in the package is damaged.

    Example:
        >>> features, target = load_california_housing()
        >>> features.shape, target[:3].tolist()
        ((20640, 8), [4.526, 3.585, 3.521])
    """
    table = np.loadtxt(io.BytesIO(_verified_csv()), delimiter=",", skiprows=1, dtype=np.float64)
    longitude, latitude, age, rooms, bedrooms, people, households, income, value = table.T
    per_household = (rooms / households, bedrooms / households, people / households)
    features = np.column_stack([income, age, *per_household[:2], people, per_household[2], latitude, longitude])
    return features, value / 100_000.0


def _verified_csv() -> bytes:
    expected = f"{NUM_BYTES} bytes with SHA-256 {SHA256}"
    try:
        with TABLE.open("rb") as packed:
            content = gzip.GzipFile(fileobj=packed).read(NUM_BYTES + 1)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise DataFileError(str(TABLE), f"is a damaged gzip file ({error})", expected, REMEDY) from None
    found = hashlib.sha256(content).hexdigest()
    if found != SHA256:
        size = len(content) if len(content) <= NUM_BYTES else f"more than {NUM_BYTES}"
        raise DataFileError(str(TABLE), f"unpacks to {size} bytes with SHA-256 {found}", expected, REMEDY)
    return content


class CaliforniaHousingDataModule(InMemoryDataModule):
    """California housing: eight standardised figures ``(batch, 8)`` float32; the value ``(batch,)`` in 100,000 USD.

    Split as in the book: ``train_test_split(random_state=42)`` on all rows, then again on the training part, which
    leaves 11,610 rows to train on, 3,870 to validate and 5,160 to test. ``splits`` holds the features in the units of
    :func:`load_california_housing`, float64. What standardises them comes from the 11,610 training rows alone and
    computes in float64, as scikit-learn's ``StandardScaler`` does.

    Args:
        batch_size: rows per training batch, at least 1.
        seed: seed of the training loader's shuffle; the split does not depend on it.
        periodic_coordinates: for so many frequencies, sine and cosine of the standardised latitude and longitude come
            as further columns, so that a net can tell places apart that are close together; 0 for the book's eight.

    Raises:
        ValueError: if ``periodic_coordinates`` is below 0.

    Attributes:
        feature_mean: ``(8,)`` float64, after :meth:`setup`; units of :func:`load_california_housing`.
        feature_std: ``(8,)`` float64, after :meth:`setup`; divided by the number of rows, not by one less.

    Example:
        >>> housing = CaliforniaHousingDataModule()
        >>> housing.setup()
        >>> housing.splits.test.y[:3]
        tensor([0.4770, 0.4580, 5.0000])
    """

    name = "california-housing"
    out_features = 1
    feature_mean: Tensor
    feature_std: Tensor

    def __init__(self, batch_size: int = 32, seed: int = 42, periodic_coordinates: int = 0) -> None:
        super().__init__(batch_size, seed)
        if not isinstance(periodic_coordinates, int) or periodic_coordinates < 0:
            raise ValueError(f"periodic_coordinates is {periodic_coordinates}; give 0 or a number of frequencies")
        self.periodic_coordinates = periodic_coordinates
        self.feature_names: list[str] = list(FEATURE_NAMES)
        self.in_features: int = len(FEATURE_NAMES) + 4 * periodic_coordinates
        self.target_names: list[str] = list(TARGET_NAMES)

    def read(self) -> Splits:
        """The book's three splits; the first gives the mean and the standard deviation."""
        from sklearn.model_selection import train_test_split  # only here, as it imports pandas and SciPy's statistics
        from sklearn.preprocessing import StandardScaler

        features, target = load_california_housing()
        x_pool, x_test, y_pool, y_test = train_test_split(features, target, random_state=42)
        x_train, x_val, y_train, y_val = train_test_split(x_pool, y_pool, random_state=42)
        scaler = StandardScaler().fit(x_train)
        self.feature_mean = torch.from_numpy(scaler.mean_)
        self.feature_std = torch.from_numpy(scaler.scale_)
        waves = [Waves([6, 7], self.periodic_coordinates)] if self.periodic_coordinates else []
        self.preprocessing: Preprocessing = Preprocessing(Standardize(self.feature_mean, self.feature_std), *waves)

        def split(x: NDArray[np.float64], y: NDArray[np.float64]) -> Split:
            return Split(torch.from_numpy(x), torch.from_numpy(y).float())

        return Splits(split(x_train, y_train), split(x_val, y_val), split(x_test, y_test))
