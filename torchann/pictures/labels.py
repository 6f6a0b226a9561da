"""Names as labels of a picture: as they were given, but not too long."""

from contextlib import ContextDecorator

from matplotlib import rc_context

as_given: ContextDecorator = rc_context({"text.parse_math": False})
"""Decorates what draws names: dollar signs in them are no formulas, which could be wrong ones that cannot be drawn."""


def shorten(name: str, length: int = 20) -> str:
    """A name that fits its place.

    Args:
        name: one line.
        length: characters, at most.

    Example:
        >>> shorten("T-shirt/top"), shorten("soft-coated wheaten terrier")
        ('T-shirt/top', 'soft-coated wheaten…')
    """
    return name if len(name) <= length else f"{name[: length - 1].rstrip()}…"
