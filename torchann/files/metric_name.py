"""The name of a logged metric as its parts, joined and taken apart in this one place."""

from typing import NamedTuple

STAGES = {"train": "training", "val": "validation", "test": "test"}
"""Stages that metrics belong to, and the rows that they are measured on, in words."""


class MetricName(NamedTuple):
    """The parts of a logged key: ``val_main_rmse`` is the ``rmse`` of the output ``main`` in the stage ``val``.

    Attributes:
        stage: a key of :data:`STAGES`, or ``""`` for a metric of no stage, such as the learning rate.
        output: name of the output, ``""`` for a task of one output and for a metric of them all.
        name: the metric's own; of a parsed key this begins with the output, as only a task knows its outputs' names.

    Example:
        >>> MetricName("val", "main", "rmse").key
        'val_main_rmse'
        >>> MetricName.parse("val_main_rmse"), MetricName.parse("valid").stage
        (MetricName(stage='val', output='', name='main_rmse'), '')
    """

    stage: str
    output: str
    name: str

    @classmethod
    def parse(cls, key: str) -> "MetricName":
        """Return the stage of a logged key and the rest; a key without a stage is a name as a whole."""
        stage, _, name = key.partition("_")
        return cls(stage, "", name) if stage in STAGES and name else cls("", "", key)

    @property
    def tag(self) -> str:
        """The key without its stage, which the metrics of all stages share."""
        return f"{self.output}_{self.name}" if self.output else self.name

    @property
    def key(self) -> str:
        """The name under which the metric is logged."""
        return f"{self.stage}_{self.tag}" if self.stage else self.tag
