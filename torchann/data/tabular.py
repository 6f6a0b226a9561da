"""A table of one's own: what its columns hold is found out, and can be said otherwise."""

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, Literal

import torch
from torch import Tensor

from torchann.data.in_memory import EVALUATION_ROWS, InMemoryDataModule, Split, Splits
from torchann.data.tables.known_table import KnownTable, table_of_checkpoint, table_of_model
from torchann.data.tables.number_choices import Numbers
from torchann.data.tables.part_rows import PartRows
from torchann.data.tables.read_table import ReadTable, read_table
from torchann.data.tables.row_splits import Size, SplitKind
from torchann.data.tables.table_report import TableReport
from torchann.data.tables.table_settings import TableSettings
from torchann.data.tables.table_target import TaskKind
from torchann.engine.rows.loader import TensorLoader, split_rows
from torchann.engine.rows.stream_loader import StreamLoader, give_back, read_whole
from torchann.nets.preprocessing import Preprocessing

STEPS_PER_EPOCH = 100  # about so many, where the size of a batch is not given
LARGEST_BATCH = 1024
READING = 12 * 10**7  # bytes of max_memory that are not for blocks: pages, slices, what malloc keeps
Part = Literal["train", "val", "test"]
BLOCKS_IN_MEMORY = 5  # as many as the rest has room for: two, the batches of one, what it takes, validation rows


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
            boolean, date, dd/mm/yyyy, mm/dd/yyyy, hh:mm or ignore.
        numbers: encoding of numbers and dates: standard (deviations from the mean), robust (quartiles from the median,
            outliers bent), quantile (as normally distributed), piecewise (bins by quantiles), piecewise_target (bins by
            the target) or waves (sines and cosines); or of single columns, as {longitude: waves, income: quantile}.
        val_source: validation rows in files of their own.
        test_source: test rows in files of their own.
        val_size: share or number of rows to choose by, where they have no file; a fifth if not given, and at most
            100,000 rows of a table that is read in blocks.
        test_size: the same of the rows to be judged by.
        split: random; stratified, each class with the same share in each part, which is taken for classes; group, no
            group in two parts; or time, the last rows to be judged by.
        split_by: the column of groups or times; it is not learnt from unless kinds names it.
        split_seed: of a random split.
        batch_size: rows per training batch; by default 32, and more in large tables, up to 1024.
        seed: of the training loader's shuffle.
        max_one_hot: categories with more values than this get vectors that the net learns.
        max_categories: of a column; the rarer ones count as unseen.
        scale_target: whether a regression learns standard deviations of its targets.
        missing_values: texts or numbers that stand for a missing value, beside the usual texts.
        delimiter: between the values of a CSV file, one character or tab, if it is not found by itself.
        encoding: of a CSV file, if it is not UTF-8.
        max_memory: that the rows may take, such as 200MB; half of what is free if not given. A larger Parquet table is
            read in blocks, split at random, by group or by time; in blocks of 2 GB in all if it is not given.
        default_missing: whether the usual texts, such as NA, null or ?, stand for one; an empty text always does.
        decimal: sign of numbers in texts, ``.`` or ``,``, where they could be read both ways.

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
        column    kind           such as      missing  becomes
        --------  -------------  ---------  ---------  ------------
        size      number         0                  0  standardised
        city      category of 2  Rome               0  one-hot
        random split: 24 rows to train on, 8 to validate, 8 to test
    """

    report: TableReport
    task: TaskKind | None
    in_features: int
    embeddings: list[list[int]] | None
    num_classes: int
    class_names: list[str]
    out_features: int
    target_names: list[str]
    target_mean: list[float]
    target_std: list[float]
    steps_per_execution: int

    def __init__(
        self,
        source: str | list[str] | Any,
        target: str | list[str] | Any,
        task: TaskKind | None = None,
        kinds: dict[str, str] | None = None,
        val_source: str | list[str] | Any = None,
        test_source: str | list[str] | Any = None,
        val_size: Size | None = None,
        test_size: Size | None = None,
        split: SplitKind | None = None,
        split_by: str | None = None,
        split_seed: int = 42,
        batch_size: int | None = None,
        seed: int = 42,
        max_one_hot: int = 50,
        max_categories: int = 10_000,
        scale_target: bool = True,
        missing_values: list[str | int | float] | None = None,
        delimiter: str | None = None,
        encoding: str | None = None,
        max_memory: int | str | None = None,
        default_missing: bool = True,
        decimal: str | None = None,
        numbers: Numbers = "standard",
    ) -> None:
        named = {name: value for name, value in locals().items() if name in TableSettings.__dataclass_fields__}
        named |= {"kinds": dict(kinds or {}), "missing_values": list(missing_values or [])}
        super().__init__(32 if batch_size is None else batch_size, seed)
        self._given_batch_size = batch_size
        self.settings: TableSettings = TableSettings(**named)
        vars(self).update(named)  # what was told can be read here, too
        self.name: str = "table"
        self._prepared: dict[int, Split] = {}
        self._table: ReadTable | None = None
        self._follows = False  # whether the rows were read as a model knows them
        self._resumed: KnownTable | None = None  # of the fit to come
        self._block_memory: int | None = None

    def setup(self, stage: str | None = None) -> None:
        """Reads the table, the first time it is called, or looks at all of it once where it is read in blocks.

        For a model that was trained on a table before, to be judged or to be trained on, it is read as the model knows
        it: columns by name, prepared by the means and categories of the rows that the model was trained on.

        Warns:
            UserWarning: if the training rows are not those of the model that is to be judged.
        """
        model = None if stage in (None, "fit") else getattr(self.trainer, "lightning_module", None)
        known = self._resumed if stage == "fit" else table_of_model(model)
        if self._splits is not None or self._table is not None:
            own = stage != "fit" or not self._follows
            if stage is None or (own if known is None else known.is_like(self._read_by)):
                return
            self._forget()
        self._follows = known is not None
        table = self.settings.open()
        self._block_memory = self.settings.block_memory(table)
        self._table = read_table(self.settings, table, known, in_blocks=self._block_memory is not None)
        if self._block_memory is None:
            self._splits = Splits(**self._table.parts)  # type: ignore[arg-type]
        give_back()
        self._describe(self._table)
        if stage != "fit" and known is not None:
            known.compare(self.data_info)

    def resume(self, checkpoint: Mapping[str, Any] | None) -> None:
        """Have the next fit prepare rows as a checkpoint does, in place of what it would find out of the table.

        Args:
            checkpoint: its content; None for a fit that begins anew.
        """
        self._resumed = table_of_checkpoint(checkpoint or {})

    def _forget(self) -> None:
        self._splits = self._table = None
        self._prepared, self._resident = {}, {}
        for name in ("data_info", "run_settings"):
            self.__dict__.pop(name, None)

    def read(self) -> Splits:
        """The rows as numbers, split."""
        self.setup()
        return self.splits

    @property
    def splits(self) -> Splits:
        """The rows as numbers, as they are held in memory.

        Raises:
            RuntimeError: if :meth:`setup` has not been called, or the table is read in blocks.
        """
        if self._block_memory is not None:
            raise RuntimeError(
                f"the table {self.name!r} is read in blocks, and not in memory; give a larger max_memory"
            )
        return super().splits

    def _describe(self, table: ReadTable) -> None:
        target, step, rows = table.target, table.step, table.rows["train"]
        self._read_by: KnownTable = KnownTable(step, target, None, None, table.numbers)
        self.report, self.name, self.task = table.report, table.name, target.task
        self.preprocessing: Preprocessing = self._read_by.preprocessing
        self.feature_names: list[str] = [column.name for column in step.table]
        self.in_features, self.embeddings = (table.numbers or step).out_features, step.embeddings or None
        if self._given_batch_size is None:
            self.batch_size: int = max(32, min(LARGEST_BATCH, 2 ** ((rows // STEPS_PER_EPOCH).bit_length() - 1)))
        if target.class_names:
            self.num_classes, self.class_names = len(target.class_names), list(target.class_names)
            return
        self.out_features, self.target_names = len(target.names), list(target.names)
        if min(table.target_std) == 0 and not self._follows:
            name = target.names[table.target_std.index(0)]
            raise ValueError(f"the target {name!r} is the same in all training rows; give another column")
        if self.settings.scale_target:
            self.target_mean, self.target_std = table.target_mean, table.target_std

    @cached_property
    def data_info(self) -> dict[str, Any]:
        """What a model says of its training data; a fingerprint of rows in blocks is of their columns, by name."""
        self.setup()
        assert self._table is not None
        told = {"target": self._read_by.describe_target()}
        if self._splits is not None:
            return {**super().data_info, **told}
        return {"name": self.name, "fingerprint": self._table.fingerprint, "rows": self.num_rows("train"), **told}

    @cached_property
    def run_settings(self) -> dict[str, Any]:
        """What a run that goes on must have as it was: which rows it is trained on and judged by."""
        return {**self.settings.of_run, **super().run_settings}

    def num_rows(self, part: Part) -> int:
        """Return the number of rows to train on, to validate or to test."""
        rows = self._part(part)
        return len(rows.y) if isinstance(rows, Split) else sum(rows.counts)

    def prepared_rows(self, part: Part) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield all rows of a part as a net gets them, however many processes there are; training rows shuffled."""
        rows = self._part(part)
        if not isinstance(rows, Split):
            yield from self._stream_loader(part, rows)  # type: ignore[misc]  # of a table they have no names
            return
        shuffled = torch.randperm(len(rows.y), generator=torch.Generator().manual_seed(self.seed))
        for places in split_rows(shuffled if part == "train" else torch.arange(len(rows.y)), EVALUATION_ROWS):
            assert isinstance(places, Tensor)
            yield self.prepare(rows.x[places]), rows.y[places]

    def train_dataloader(self) -> Any:
        """The training rows, in another order in each epoch."""
        return self._loader_of("train")

    def val_dataloader(self) -> Any:
        """The validation rows, in stored order."""
        return self._loader_of("val")

    def test_dataloader(self) -> Any:
        """The test rows, in stored order.

        Raises:
            ValueError: if there are none.
        """
        if self._table is not None and not self.num_rows("test"):
            raise ValueError("there are no test rows, as test_size is 0; give a test_size or a test_source")
        return self._loader_of("test")

    def _part(self, part: Part) -> Split | PartRows:
        # Folds of a table put other splits in the place of its own.
        if self._splits is not None or self._table is None:
            return getattr(self.splits, part)  # type: ignore[no-any-return]
        return self._table.parts[part]

    def _loader_of(self, part: Part) -> Any:
        rows = self._part(part)
        if not isinstance(rows, Split):
            return self._stream_loader(part, rows)
        if part == "train":
            return self._training_loader(shuffle=True)
        return self._loader(rows, batch_size=self.evaluation_batch_size)

    def _stream_loader(self, part: Part, rows: PartRows) -> StreamLoader | TensorLoader:
        assert self._block_memory is not None
        train = part == "train"
        block_bytes = (self._block_memory - READING) // BLOCKS_IN_MEMORY
        if not train and 4 * rows.width * sum(rows.counts) <= block_bytes:  # read once
            if id(rows) not in self._prepared:
                self._prepared[id(rows)] = Split(*read_whole(rows))
            loader = TensorLoader(*self._prepared[id(rows)], self.evaluation_batch_size)
            loader.prepared = True
            return loader
        steps: int | None = 1
        if train:
            steps, self.steps_per_execution = self.steps_per_execution, 1
        return StreamLoader(
            rows,
            self.batch_size if train else self.evaluation_batch_size,
            block_bytes=block_bytes,
            shuffle=train,
            seed=self.seed,
            steps_per_execution=steps,
        )

    def _loader(self, split: Split, **options: Any) -> TensorLoader:
        # Prepared once: an epoch only gathers rows.
        key = id(split.x)
        if key not in self._prepared:
            self._prepared[key] = Split(self.prepare(split.x), split.y)
        loader = super()._loader(self._prepared[key], **options)
        loader.prepare, loader.prepared = None, True
        return loader
