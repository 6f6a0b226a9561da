"""TensorBoard in a real browser: opens its tabs and reads what they draw, from the page itself."""

import contextlib
import io
import json
import operator
import re
import shutil
import urllib.parse
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import pytest
from PIL import Image

from tests.dashboard import drawings
from tests.dashboard.drawings import Chart, Page, Picture, Projection, Slices
from tests.dashboard.served import PATIENCE, settle

QUIET = ["--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
IN_SOFTWARE = ["--no-sandbox", "--disable-gpu", "--enable-unsafe-swiftshader"]  # WebGL too, for the projector
WINDOW = {"width": 1400, "height": 900}
TALL = {"width": 1400, "height": 6000}  # TIME SERIES draws only the cards in sight
SETTINGS = {"paginationSize": 1000}  # all cards of a group on one page
HEADINGS = "tf-category-paginated-view button.heading:visible, button.group-toolbar:visible"
FOLDED = (
    "tf-category-paginated-view button.heading:has(+ iron-collapse:not(.iron-collapse-opened)):visible, "
    ".card-group:not(:has(.card-grid)) button.group-toolbar:visible"
)
UNGROUPED = ("graphs", "hparams", "projector")
Card = TypeVar("Card", Chart, Picture, Slices, Page)


@contextlib.contextmanager
def chromium() -> Iterator[Any]:
    """Playwright's browser; skips the test where Playwright or Chromium is missing."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("chromium is not installed")
    with playwright.sync_playwright() as play:
        browser = play.chromium.launch(executable_path=program, args=[*IN_SOFTWARE, *QUIET])
        yield browser
        browser.close()


class Tabs:
    """TensorBoard's tabs: each method opens its own and returns what is drawn there.

    Attributes:
        page: Playwright's page, on the tab that was opened last.
        outside: requests to other addresses than the server's.
        errors: JavaScript's uncaught errors and the server's failures.
    """

    def __init__(self, browser: Any, address: str) -> None:
        self.address = address.rstrip("/")
        kept = {"name": "_tb_global_settings", "value": json.dumps(SETTINGS)}
        state = {"cookies": [], "origins": [{"origin": self.address, "localStorage": [kept]}]}
        self.page = browser.new_page(viewport=WINDOW, storage_state=state)
        self.page.set_default_timeout(PATIENCE * 1000)
        self.outside: list[str] = []
        self.errors: list[str] = []
        own = (f"{self.address}/", "data:", "blob:", "about:")
        self.page.on("request", lambda asked: asked.url.startswith(own) or self.outside.append(asked.url))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("response", lambda got: got.status < 400 or self.errors.append(f"{got.status} {got.url}"))

    def open(self, tab: str, **parameters: object) -> None:
        """Opens a tab by its name in the address (`scalars`, `pr_curves`, ...) and unfolds its groups.

        Args:
            tab: to open; by a click in the header where the page is there already.
            parameters: of the address; with them the page is loaded anew.
        """
        self.page.set_viewport_size(TALL if tab == "timeseries" else WINDOW)
        label = self.page.locator("plugin-selector [role=tab]", has_text=re.compile(f"^{tab.replace('_', '.')}$", re.I))
        if parameters or not label.count():
            self.page.goto("about:blank")  # else only the part after # changes, and the old page stays
            query = urllib.parse.urlencode(parameters)
            self.page.goto(f"{self.address}/{query and '?'}{query}#{tab}")
        else:
            label.dispatch_event("click")  # it may be scrolled out of the header
        if tab in UNGROUPED:
            return
        headings = self.page.locator(HEADINGS)
        settle(headings.count, seconds=3)
        for group in reversed(self.page.locator(FOLDED).all()):  # the first ones keep their places
            group.click()
        if headings.count():
            headings.first.scroll_into_view_if_needed()

    def screenshot(self, path: Path, height: int = WINDOW["height"]) -> None:
        """Keeps a picture of the tab that was opened last, in a window of 1400 pixels, once it stands still."""
        self.page.set_viewport_size({**WINDOW, "height": height})
        path.write_bytes(settle(self.page.screenshot, seconds=3))  # the projector turns for ever

    def names(self) -> list[str]:
        """The tabs that the header offers, in capitals."""
        self.open("text")
        tabs = self.page.locator("plugin-selector [role=tab]").all()
        return [tab.inner_text() for tab in tabs if tab.is_visible()]

    def _cards(self, kind: str, read: Callable[[Any], Card], among: str = "") -> list[Card]:
        """All cards of a kind, once each is drawn; there may be none, if no card `among` these kinds comes soon."""
        cards = self.page.locator(kind).locator("visible=true")
        settle(self.page.locator(among or kind).locator("visible=true").count, seconds=3)
        return settle(lambda: [read(card) for card in cards.all()], lambda found: all(card.drawn for card in found))

    def smoothing(self) -> float:
        """The number beside Smoothing in TIME SERIES, at the address that the command prints."""
        self.page.goto(f"{self.address}/?smoothing=0")
        return float(self.page.locator(".scalars-smoothing input[type=number]").input_value())

    def time_series(self, tags: str = "") -> tuple[list[Chart], list[Picture], list[Slices]]:
        """The scalars, the images and the histograms of TIME SERIES whose tags a regular expression finds."""
        # nobody can count the lines on its canvas
        self.open("timeseries", forceSVG="true", smoothing=0, tagFilter=tags)
        any_card = "scalar-card, image-card, histogram-card"
        return (
            self._cards("scalar-card", drawings.time_series_chart, any_card),
            self._cards("image-card", drawings.time_series_picture, any_card),
            self._cards("histogram-card", drawings.time_series_histogram, any_card),
        )

    def scalar_charts(self) -> list[Chart]:
        """The charts of SCALARS; a run without the figure has no line."""
        self.open("scalars")
        return self._cards("tf-scalar-card", drawings.chart)

    def custom_scalars(self) -> list[Chart]:
        """The charts of CUSTOM SCALARS, by their titles."""
        self.open("custom_scalars")
        return self._cards("tf-custom-scalar-multi-line-chart-card, tf-custom-scalar-margin-chart-card", drawings.chart)

    def pr_curves(self) -> list[Chart]:
        """The charts of PR CURVES, at the last step."""
        self.open("pr_curves")
        return self._cards("tf-pr-curve-card", drawings.chart)

    def images(self) -> list[Picture]:
        """The pictures of IMAGES, each at its last step."""
        self.open("images")
        return self._cards("tf-image-loader", drawings.picture)

    def histograms(self) -> list[Slices]:
        """The cards of HISTOGRAMS."""
        self.open("histograms")
        return self._cards("tf-histogram-loader", drawings.histogram)

    def distributions(self) -> list[Slices]:
        """The cards of DISTRIBUTIONS."""
        self.open("distributions")
        return self._cards("tf-distribution-loader", drawings.distribution)

    def text_pages(self) -> list[Page]:
        """The cards of TEXT."""
        self.open("text")
        return self._cards("tf-text-loader", drawings.text)

    def graph_nodes(self, *unfold: str, run: str | None = None) -> list[str]:
        """The full names of the nodes that GRAPHS draws; `unfold` names scopes to open, the outer ones first."""
        self.open("graphs")
        labelled = self.page.locator("tf-graph-scene g.nodes g.node:has(> text.nodelabel)")
        drawn = partial(labelled.evaluate_all, "nodes => nodes.map(node => node.dataset.name)")
        names = settle(drawn)
        menu = self.page.locator("paper-dropdown-menu.run-dropdown").first  # the second is of tags
        if run is not None and menu.evaluate("menu => menu.value") != run:
            menu.click()
            menu.locator("paper-item", has_text=run).click()
            names = settle(drawn, partial(operator.ne, names))
        for scope in unfold:
            self.page.locator(f"tf-graph-scene g.node[data-name='{scope}'] > g.nodeshape").dblclick()
            names = settle(drawn, partial(operator.ne, names))
        return names

    def graph_edges(self) -> list[str]:
        """The arrows of the graph that `graph_nodes` opened, each as `from--to`."""
        edges = self.page.locator("tf-graph-scene path.edgeline").all()
        return [edge.get_attribute("id").removeprefix("path_") for edge in edges]

    def projector_points(self) -> Projection:
        """What PROJECTOR shows at first."""
        self.open("projector")
        inner = self.page.frame_locator("iframe").frame_locator("iframe")
        points = inner.locator(".numDataPoints")
        settle(points.inner_text, str.isdigit)
        menus = inner.locator("vz-projector-data-panel paper-dropdown-menu")
        read = """(menus, label) => menus.filter(menu => menu.label.match(label)).map(
            menu => [menu.value, [...menu.querySelectorAll('paper-item')].map(item => item.value)])[0]"""
        (shown, tensors), (_, columns) = settle(
            lambda: [menus.evaluate_all(read, label) for label in ("tensors? found", "Label by")],
            lambda found: all(items for _, items in found),  # the labels come after the points
        )
        ink = drawings.ink_of(Image.open(io.BytesIO(inner.locator("#scatter").screenshot())))
        dimension = int(inner.locator(".dim").inner_text())
        return Projection(tensors, shown, columns, int(points.inner_text()), dimension, ink)

    def hparams_rows(self) -> list[dict[str, str]]:
        """The rows of HPARAMS' table, by the names of its columns."""
        self.open("hparams")
        cells = "row => [...row.cells].map(cell => cell.querySelector('slot').assignedElements()[0].innerText.trim())"
        rows = self.page.locator("tf-hparams-table-view vaadin-grid tr")
        shown = settle(
            lambda: [row.evaluate(cells) for row in rows.all() if row.is_visible()], lambda all: len(all) > 1
        )
        return [dict(zip(shown[0], row, strict=False)) for row in shown[1:]]  # the grid has spare cells
