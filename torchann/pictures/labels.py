"""Names as labels of a picture: as they were given, but not too long."""

from torchann.pictures.style import Styled

as_given: Styled = Styled(names=True)
"""Decorates what draws names: dollar signs in them are no formulas, which could be wrong ones that cannot be drawn."""


LONGEST = 20  # characters of a label


def shorten(name: str) -> str:
    """Cut a name to the length of a label.

    Args:
        name: one line.

    Example:
        >>> shorten("T-shirt/top"), shorten("soft-coated wheaten terrier")
        ('T-shirt/top', 'soft-coated wheaten…')
    """
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 1].rstrip()}…"
