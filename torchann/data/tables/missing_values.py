"""Which values of a table stand for none, whatever they came as."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

DEFAULT_TEXTS = frozenset({"na", "n/a", "#n/a", "nan", "-nan", "null", "none", "<na>", "?"})
"""Texts that usually stand for no value, in small letters; an empty one always does."""


@dataclass(frozen=True)
class MissingValues:
    """Rule by which a value is missing: the same for texts and numbers, in files, frames and rows to predict.

    Attributes:
        texts: in small letters, without spaces around them.
        numbers: those among the texts that are numbers: -999 is missing as "-999", "-999.0" and -999.0, too.

    Example:
        >>> missing = MissingValues.of([-999])
        >>> [missing.has(text) for text in ("n/a", "-999.0", "", "0")]
        [True, True, True, False]
    """

    texts: frozenset[str] = DEFAULT_TEXTS
    numbers: frozenset[float] = frozenset()

    @classmethod
    def of(cls, values: Iterable[Any] = (), default: bool = True) -> "MissingValues":
        """Return the rule for values that a person has named.

        Args:
            values: texts or numbers, beside the usual texts or in their place.
            default: whether the usual texts stand for missing values.
        """
        texts = frozenset(text_of_value(value).strip().lower() for value in values)
        found = {_float(text) for text in texts}
        numbers = frozenset(number for number in found if number is not None and not math.isnan(number))
        return cls(texts | (DEFAULT_TEXTS if default else frozenset()), numbers)

    def has(self, text: str) -> bool:
        """Return whether a text, without spaces around it, stands for no value."""
        return not text or text.lower() in self.texts or (bool(self.numbers) and _float(text) in self.numbers)


def _float(text: str) -> float | None:
    try:
        return None if "_" in text else float(text)
    except ValueError:
        return None


def text_of_value(value: Any) -> str:
    """Return a value as a text: a whole number without a point, however it was stored.

    Example:
        >>> text_of_value(75001.0), text_of_value(0.5), text_of_value(2**63 + 1), text_of_value(None)
        ('75001', '0.5', '9223372036854775809', 'None')
    """
    if isinstance(value, (str, bool)) or value is None or not hasattr(value, "__float__"):
        return str(value)
    if hasattr(value, "__index__"):
        return str(int(value))
    number = float(value)
    return str(int(number)) if number.is_integer() else repr(number)


DEFAULT_MISSING = MissingValues()
