"""A table of one's own: what its columns hold is found out, and can be said otherwise."""

from typing import Any

from torch import Tensor

from torchann.batches import TensorLoader
from torchann.data.in_memory import InMemoryDataModule, Split, Splits
from torchann.data.row_splits import Size, SplitKind
from torchann.data.table_in_memory import read_in_memory
from torchann.data.table_report import TableReport
from torchann.data.table_settings import TableSettings
from torchann.data.table_target import Target, TaskKind
from torchann.nets.preprocessing import Preprocessing
from torchann.nets.table_columns import TableColumns

STEPS_PER_EPOCH = 300  # about so many, where the size of a batch is not given
LARGEST_BATCH = 1024


class TabularDataModule(InMemoryDataModule):
    """A table of one's own, from a file, a data frame or arrays.

    It finds out what the columns hold and what is to be predicted, says so in :attr:`report`, and prepares the rows:
    numbers and dates standardised, categories one-hot or, where there are many, as codes for vectors that the net
    learns, gaps filled with the mean beside a 1 that marks them. All of that is fitted on the training rows alone.
    ``splits`` holds the rows as numbers: categories as the places of their texts, dates as days since 1970, nan where
    a value is missing.

    Args:
        source: a CSV, TSV, Parquet, NPY or NPZ file, several of one table, or a pattern; california-housing for the
            table in this package; from Python also a data frame, a mapping of columns, or an array (rows, columns).
        target: the column to predict; several for a regression of several values; from Python also the values.
        task: regression, binary or multiclass, in place of what the target looks like.
        kinds: of columns, in place of what they look like, as {zip: category, note: ignore}; number, category,
            boolean, date or ignore.
        val_source: validation rows in files of their own.
        test_source: test rows in files of their own.
        val_size: share or number of rows to choose by, where they have no file.
        test_size: share or number of rows to be judged by, where they have no file.
        split: random; stratified, each class with the same share in each part, which is taken for classes; group, no
            group in two parts; or time, the last rows to be judged by.
        split_by: the column of groups or times; it is not learnt from unless kinds names it.
        split_seed: of a random split.
        batch_size: rows per training batch; by default 32, and more in large tables, up to 1024.
        seed: of the training loader's shuffle.
        max_one_hot: categories with more values than this get vectors that the net learns.
        max_categories: of a column; the rarer ones count as unseen.
        scale_target: whether a regression learns standard deviations of its targets.
        missing_values: texts that stand for a missing value, beside the usual ones.
        delimiter: between the values of a CSV file, if it is not found by itself.
        encoding: of a CSV file, if it is not UTF-8.

    Attributes:
        task: regression, binary or multiclass, after :meth:`setup`.
        report: what was found out, after :meth:`setup`; print it.

    Raises:
        ValueError: from :meth:`setup`, for a table that cannot be learnt from; the message says why.
        OSError: from :meth:`setup`, for files that cannot be read.

    Example:
        >>> table = {"size": range(40), "city": ["Rome", "Paris"] * 20, "rent": range(100, 140)}
        >>> data = TabularDataModule(table, target="rent", kinds={"size": "number"})
        >>> data.setup()
        >>> print(data.report)
        table: regression of 'rent', from 100 to 139
        column    kind             missing  becomes
        --------  -------------  ---------  ------------
        size      number                 0  standardised
        city      category of 2          0  one-hot
        random split: 24 rows to train on, 8 to validate, 8 to test
    """

    report: TableReport

    def __init__(
        self,
        source: Any,
        target: Any,
        task: TaskKind | None = None,
        kinds: dict[str, str] | None = None,
        val_source: Any = None,
        test_source: Any = None,
        val_size: Size = 0.2,
        test_size: Size = 0.2,
        split: SplitKind | None = None,
        split_by: str | None = None,
        split_seed: int = 42,
        batch_size: int | None = None,
        seed: int = 42,
        max_one_hot: int = 50,
        max_categories: int = 10_000,
        scale_target: bool = True,
        missing_values: list[str] | None = None,
        delimiter: str | None = None,
        encoding: str | None = None,
    ) -> None:
        super().__init__(batch_size or 32, seed)
        self._given_batch_size = batch_size
        self.settings = TableSettings(
            source,
            target,
            task,
            dict(kinds or {}),
            val_source,
            test_source,
            val_size,
            test_size,
            split,
            split_by,
            split_seed,
            max_one_hot,
            max_categories,
            scale_target,
            list(missing_values or []),
            delimiter,
            encoding,
        )
        self.task, self.name = task, "table"
        self._prepared: dict[int, Split] = {}

    def read(self) -> Splits:
        """Reads the files, finds out what they hold, splits and prepares the rows."""
        table = read_in_memory(self.settings)
        self.report = table.report
        self._describe(table.name, table.target, table.step, table.splits.train.y)
        return table.splits

    def _describe(self, name: str, target: Target, step: TableColumns, y: Tensor) -> None:
        self.name, self.task = name, target.task
        self.preprocessing = Preprocessing(step)
        self.feature_names = [column.name for column in step.table]
        self.in_features, self.embeddings = step.out_features, step.embeddings or None
        if self._given_batch_size is None:
            steps = len(y) // STEPS_PER_EPOCH
            self.batch_size = max(32, min(LARGEST_BATCH, 2 ** max(0, steps.bit_length() - 1)))
        if target.class_names:
            self.num_classes, self.class_names = len(target.class_names), list(target.class_names)
            return
        self.out_features, self.target_names = len(target.names), list(target.names)
        if self.settings.scale_target:
            values = y.double().reshape(len(y), -1)
            self.target_mean = values.mean(0).tolist()
            self.target_std = values.std(0, correction=0).tolist()
            if min(self.target_std) == 0:
                constant = target.names[self.target_std.index(0)]
                raise ValueError(f"the target {constant!r} is the same in all training rows; give another column")

    def _loader(self, split: Split, **options: Any) -> TensorLoader:
        # Prepared once: an epoch only gathers rows.
        key = id(split.x)
        if key not in self._prepared:
            self._prepared[key] = Split(self.prepare(split.x), split.y)
        loader = super()._loader(self._prepared[key], **options)
        loader.prepare = None
        return loader
