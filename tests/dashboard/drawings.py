"""What one card of TensorBoard draws, read from the page."""

import re
from typing import Any, NamedTuple

from PIL import Image


class Chart(NamedTuple):
    """Lines in one frame: how many points each has, in the order in which they are drawn."""

    tag: str
    points: list[int]

    @property
    def drawn(self) -> bool:
        return bool(self.points) and all(self.points)


class Picture(NamedTuple):
    """An image that arrived: its size in the file, and how many steps its slider has."""

    tag: str
    run: str
    steps: int
    width: int
    height: int

    @property
    def drawn(self) -> bool:
        return self.width > 0


class Slices(NamedTuple):
    """A histogram card has a slice per step, a distribution card a band per pair of percentiles."""

    tag: str
    run: str
    slices: int

    @property
    def drawn(self) -> bool:
        return self.slices > 0


class Page(NamedTuple):
    """A text as Markdown shows it: its words, the rows of its tables, its code blocks, of all steps."""

    tag: str
    run: str
    text: str
    rows: list[list[str]]
    code: list[str]

    @property
    def drawn(self) -> bool:
        return bool(self.text)


class Projection(NamedTuple):
    """What the projector holds, and the share of its pixels that are drawn on (bare axes: less than 0.01)."""

    tensors: list[str]
    shown: str
    columns: list[str]
    points: int
    dimension: int
    ink: float


def points_of(path: str) -> int:
    """The number of points of a line in SVG.

    >>> points_of("M29,22L87,60.8L145,90")
    3
    """
    return len(re.findall("[ML]", path))


def ink_of(picture: Image.Image) -> float:
    """The share of pixels that are not almost white.

    >>> picture = Image.new("L", (10, 10), "white")
    >>> picture.putpixel((3, 3), 0)
    >>> ink_of(picture)
    0.01
    """
    counts = picture.convert("L").histogram()
    return sum(counts[:240]) / sum(counts)


def tag_of(card: Any) -> str:
    """The whole tag of a card of the older tabs, whose name may lack the group."""
    tag = card.locator(".heading-row", has_text="tag:").locator("span")
    return str((tag if tag.count() else card.locator(".heading-label.name")).first.inner_text())


def heading(card: Any) -> tuple[str, str]:
    """The tag and the run of a card of the older tabs."""
    return tag_of(card), card.locator("#heading-run").inner_text()


def chart(card: Any) -> Chart:
    """A card of SCALARS, CUSTOM SCALARS or PR CURVES, without the pale lines that are not smoothed."""
    return Chart(tag_of(card), _points(card, ".line-plot:not(.ghost) path.line"))


def _points(card: Any, lines: str) -> list[int]:
    shapes = card.locator(lines).evaluate_all("shapes => shapes.map(shape => shape.getAttribute('d'))")
    return [1 if shape is None else points_of(shape) for shape in shapes]  # a circle stands for a single point


def _size(card: Any) -> list[int]:
    return list(card.locator("img").evaluate("image => [image.naturalWidth, image.naturalHeight]"))


def picture(card: Any) -> Picture:
    """A card of IMAGES; an image that did not arrive has width 0."""
    slider = card.locator("paper-slider#steps")
    steps = int(slider.get_attribute("aria-valuemax")) + 1 if slider.count() else 1
    return Picture(*heading(card), steps, *_size(card))


def histogram(card: Any) -> Slices:
    """A card of HISTOGRAMS."""
    return Slices(*heading(card), card.locator("g.histogram path").count())


def distribution(card: Any) -> Slices:
    """A card of DISTRIBUTIONS."""
    return Slices(*heading(card), card.locator("path.area").count())


def text(card: Any) -> Page:
    """A card of TEXT."""
    shown = card.locator("#steps-container")
    words = "\n".join(shown.locator("#markdown").all_inner_texts())
    rows = [row.locator("th, td").all_inner_texts() for row in shown.locator("table table tr").all()]
    return Page(*heading(card), words, rows, [code.strip() for code in shown.locator("pre code").all_inner_texts()])


def _tag_and_run(card: Any) -> tuple[str, str]:
    return "".join(card.locator("tb-truncated-path span").all_inner_texts()), "".join(
        card.locator("card-run-name span").all_inner_texts()
    )


def time_series_chart(card: Any) -> Chart:
    """A scalar's card of TIME SERIES, where it draws in SVG."""
    return Chart(_tag_and_run(card)[0], _points(card, ".series-view > svg path, .series-view > svg circle"))


def time_series_picture(card: Any) -> Picture:
    """An image's card of TIME SERIES."""
    slider = card.locator("input[type=range]")
    steps = int(slider.get_attribute("max")) + 1 if slider.count() else 1
    return Picture(*_tag_and_run(card), steps, *_size(card))


def time_series_histogram(card: Any) -> Slices:
    """A histogram's card of TIME SERIES."""
    return Slices(*_tag_and_run(card), card.locator("g.histogram path").count())
