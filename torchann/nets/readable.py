"""Results that show themselves: the same text by ``print``, at a prompt and in a notebook."""

from html import escape

from torchann.nets.names import printable


def in_digits(value: float) -> str:
    """Return a number as people read it: four digits, from 1,000 on a whole number.

    Example:
        >>> in_digits(61234.5), in_digits(0.123456), in_digits(float("nan"))
        ('61,234', '0.1235', 'nan')
    """
    return f"{value:,.0f}" if 1_000 <= abs(value) < 1e15 else f"{value:.4g}"


class Readable:
    """A result whose text, by ``str``, is also what a prompt and a notebook show of it.

    Example:
        >>> class Score(Readable):
        ...     def __str__(self):
        ...         return "accuracy < 1"
        >>> Score()
        accuracy < 1
        >>> Score()._repr_html_()
        '<pre>accuracy &lt; 1</pre>'
    """

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return f"<pre>{escape(printable(str(self)))}</pre>"
