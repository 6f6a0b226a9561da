"""A figure that a notebook shows where a cell ends with it, also without pyplot."""

from io import BytesIO

from matplotlib.figure import Figure


class Picture(Figure):
    """A ``matplotlib.figure.Figure`` that is its own PNG in a notebook.

    Example:
        >>> Picture(figsize=(1, 1))._repr_png_()[1:4]
        b'PNG'
    """

    def _repr_png_(self) -> bytes:
        file = BytesIO()
        self.savefig(file, format="png")
        return file.getvalue()
