"""A column of a table as a net knows it: its name, its kind, its categories."""

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from torchann.nets.names import composed

Kind = Literal["number", "category", "boolean", "date"]
KINDS = get_args(Kind)
DAY_FIRST, MONTH_FIRST, TIME = "dd/mm/yyyy", "mm/dd/yyyy", "hh:mm"
NUMBER_FORM = re.compile(r"=?[.,][^\x00-\x1f]{0,20}")


@dataclass(frozen=True)
class Column:
    """A column that a net learns from.

    Attributes:
        name: as the table has it.
        kind: number, category, boolean or date.
        missing: whether training rows lacked a value, so that the net has learnt what that means.
        categories: of a category, the texts whose places are the codes; others are unseen.
        embedding: numbers that the net learns for each category; 0 for one-hot.
        periods: of a date, the days after which something comes again, such as 7.
        form: of its texts, where they do not say it themselves: of numbers the decimal sign and then the unit, as in
            ``,kg``; of dates dd/mm/yyyy, mm/dd/yyyy or, for times of day, hh:mm.

    Raises:
        ValueError: if they do not fit each other, as in a file that was tampered with.

    Example:
        >>> Column("city", "category", categories=("Paris", "Rome")).describe()
        {'name': 'city', 'kind': 'category', 'categories': ['Paris', 'Rome']}
    """

    name: str
    kind: Kind
    missing: bool = False
    categories: Sequence[str] = ()
    embedding: int = 0
    periods: Sequence[float] = ()
    form: str = ""

    def __post_init__(self) -> None:
        """Refuses what is no column."""
        named = type(self.name) is str and type(self.missing) is bool
        listed = all(isinstance(part, (tuple, list)) for part in (self.categories, self.periods))
        if not named or not listed or type(self.embedding) is not int or self.kind not in KINDS:
            raise ValueError(
                f"a column of name {self.name!r:.40} and kind {self.kind!r:.40}; wanted {', '.join(KINDS)}"
            )
        object.__setattr__(self, "name", composed(self.name))
        category, date = self.kind == "category", self.kind == "date"
        if category != bool(self.categories) or not all(type(text) is str for text in self.categories):
            raise ValueError(f"column {self.name!r:.40} is a {self.kind} with categories {self.categories!r:.80}")
        if len(set(self.categories)) < len(self.categories):
            raise ValueError(f"column {self.name!r:.40} has a category twice")
        if self.embedding < 0 or (self.embedding and not category):
            raise ValueError(f"column {self.name!r:.40} is a {self.kind} with an embedding of {self.embedding}")
        if not all(type(days) in (int, float) and 0 < days < 1e6 for days in self.periods) or len(self.periods) > (
            8 * date
        ):
            raise ValueError(f"column {self.name!r:.40} is a {self.kind} with periods {self.periods!r:.80}")

        wanted = {
            "number": bool(NUMBER_FORM.fullmatch(str(self.form))),
            "date": self.form in (DAY_FIRST, MONTH_FIRST, TIME),
        }
        if type(self.form) is not str or (self.form and not wanted.get(self.kind)):
            raise ValueError(f"column {self.name!r:.40} is a {self.kind} of the form {self.form!r:.40}")

    @property
    def words(self) -> str:
        """The kind, and the unit of its numbers or the order of its dates."""
        return f"{self.kind} {self.form.lstrip('=.,')}".rstrip()

    def describe(self) -> dict[str, Any]:
        """Plain values, without those that are as they are by themselves."""
        message = {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}
        return {name: value for name, value in message.items() if value or name in ("name", "kind")}
