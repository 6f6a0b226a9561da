"""Draws the package's map from its code: each room on its floor, an arrow for each room that it imports from.

Run by `make map`; `tests/test_imports.py` reads the code with the same functions, and compares the picture with it.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "torchann"
PICTURE = ROOT / "docs" / "images" / "map.svg"


def floors_of(text: str) -> dict[str, int]:
    """Return the floor of each room from a table with rows such as "| 1 | [`nets/`](torchann/nets) | … |"."""
    return {room: int(floor) for floor, room in re.findall(r"^\| (\d+) \| \[?`(\w+)/`", text, re.MULTILINE)}


FLOORS = floors_of((ROOT / "README.md").read_text())


def is_module(name: str) -> bool:
    """Return whether the package has a module of that dotted name."""
    place = ROOT.joinpath(*name.split("."))
    return place.with_suffix(".py").exists() or (place / "__init__.py").exists()


def named_modules(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield line and name of each module of this package that a file names: imported anywhere, or in a string."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level:
            names = ["torchann.(a relative import)"]
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            # Strings of one word only: prose may point the reader anywhere. An f-string's first part ends with a dot.
            words = node.value.rstrip(".").split(":")[0]
            names = [words] if re.fullmatch(r"torchann(\.\w+)+", words) and is_module(words) else []
        else:
            continue
        yield from ((node.lineno, name) for name in names if name.split(".")[0] == "torchann")


def named_rooms(room: str, source: str) -> Iterator[tuple[str, str]]:
    """Yield a place and a room for each name of another room's module in a file of a room."""
    for line, name in named_modules(ast.parse(source)):
        to = [*name.split("."), ""][1]
        if to != room:
            yield f"line {line}: {name}", to


def arrows() -> list[tuple[str, str]]:
    """Return each pair of a room and a room that it imports from."""
    found = {
        (room, to)
        for room in FLOORS
        for file in (PACKAGE / room).rglob("*.py")
        for _, to in named_rooms(room, file.read_text())
    }
    return sorted(found)


def description() -> str:
    """Return the map in words, as the picture has it among its metadata."""
    return "; ".join(f"{room} imports {to}" for room, to in arrows())


def draw() -> None:
    """Write the picture."""
    import matplotlib
    from matplotlib.figure import Figure
    from matplotlib.patches import FancyBboxPatch

    matplotlib.rcParams["svg.hashsalt"] = "torchann"  # the same file from the same code
    figure = Figure(figsize=(9, 9), layout="constrained")
    axes = figure.subplots()
    axes.set(xlim=(-0.6, 9), ylim=(0.4, max(FLOORS.values()) + 0.6))
    axes.axis("off")
    places = {}
    for floor in sorted(set(FLOORS.values())):
        rooms = [room for room, on in FLOORS.items() if on == floor]
        for number, room in enumerate(rooms):
            places[room] = 4.5 + 3.4 * (number - (len(rooms) - 1) / 2) + 0.9 * (-1) ** floor * (len(rooms) == 1)
            lines = sum(len(file.read_text().splitlines()) for file in (PACKAGE / room).rglob("*.py"))
            box = FancyBboxPatch(
                (places[room] - 0.95, floor - 0.21), 1.9, 0.42, boxstyle="round,pad=0.04", fc="#eaf2fb", ec="#2b5c8a"
            )
            axes.add_patch(box)
            axes.text(places[room], floor + 0.05, f"{room}/", ha="center", va="center", weight="bold", fontsize=11)
            axes.text(places[room], floor - 0.13, f"{lines:,} lines", ha="center", va="center", fontsize=7.5)
        axes.text(-0.5, floor, f"floor {floor}", va="center", color="#666666", fontsize=9)
    for room, to in arrows():
        below = FLOORS[room] - FLOORS[to]
        axes.annotate(
            "",
            xy=(places[to], FLOORS[to] + 0.25),
            xytext=(places[room], FLOORS[room] - 0.25),
            zorder=0,
            arrowprops={
                "arrowstyle": "->",
                "color": "#2b5c8a" if below == 1 else "#b9c9da",
                "linewidth": 1.1 if below == 1 else 0.7,
                "connectionstyle": f"arc3,rad={0.0 if below == 1 else 0.12}",
            },
        )
    figure.savefig(PICTURE, metadata={"Date": None, "Description": description()})
    print(f"{PICTURE.relative_to(ROOT)}: {len(FLOORS)} rooms, {len(arrows())} arrows")


if __name__ == "__main__":
    draw()
