"""Names and tables in Markdown, whatever letters there are in the names."""

import re
from collections.abc import Iterable, Sequence

from torchann.data.tables.columns import shown

MOST = 50  # names in a row


def code(text: str, longest: int = 60) -> str:
    """Return up to ``longest`` letters of a text between backticks: none of them is markup.

    Example:
        >>> print(code("a_b"), code("`rm`"), code("x\\x1b[2J"))
        `a_b` `` `rm` `` `x?[2J`
    """
    text = shown(text, longest) or " "
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", text)), default=0))
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def listed(names: Iterable[str]) -> str:
    """Names one after the other, the first of many.

    Example:
        >>> print(listed(["a", "b"]))
        `a`, `b`
    """
    every = list(names)
    more = [f"and {len(every) - MOST:,} more"] if len(every) > MOST else []
    return ", ".join([*map(code, map(str, every[:MOST])), *more])


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table of GitHub's Markdown, of cells that are Markdown already but for bars, which are escaped.

    Example:
        >>> print(table(["figure", "test"], [["`a|b`", "0.5"]]))
        | figure | test |
        |---|---|
        | `a\\|b` | 0.5 |
    """
    lines = [[cell.replace("|", "\\|") for cell in line] for line in (head, *rows)]
    message = [f"| {' | '.join(line)} |" for line in lines]
    return "\n".join([message[0], f"|{'---|' * len(head)}", *message[1:]])


def block(language: str, text: str) -> str:
    """A block of code, whatever backticks are in it.

    Example:
        >>> print(block("python", "print(1)"))
        ```python
        print(1)
        ```
    """
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", text)), default=0))
    return f"{fence}{language}\n{text}\n{fence}"
