"""How all pictures look: fonts, grid and colours, in this one place."""

from contextlib import ContextDecorator
from functools import cache
from typing import Any

from matplotlib import rc_context
from matplotlib.font_manager import fontManager

FONTS = (
    "DejaVu Sans",
    "Noto Sans CJK SC",
    "Noto Sans CJK JP",
    "Source Han Sans SC",
    "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei",
    "Droid Sans Fallback",
    "Microsoft YaHei",
    "Yu Gothic",
    "Malgun Gothic",
    "PingFang SC",
    "Hiragino Sans",
    "Apple SD Gothic Neo",
    "Arial Unicode MS",
    "Noto Sans Arabic",
    "Noto Sans Devanagari",
    "Last Resort High-Efficiency",
)
"""Fonts that a letter is looked for in, one after the other; those that are not installed are passed over."""
TRAINING, VALIDATION, ALONE = "tab:blue", "tab:orange", "tab:green"
SEED_ALPHA, SEED_WIDTH, MEDIAN_WIDTH = 0.35, 0.9, 1.8


@cache
def look() -> dict[str, Any]:
    """Return matplotlib's settings of all pictures.

    Example:
        >>> look()["font.family"][0]
        'DejaVu Sans'
    """
    installed = set(fontManager.get_font_names())
    return {
        "font.family": [name for name in FONTS if name in installed],
        "grid.alpha": 0.3,
        "legend.framealpha": 0.8,
        "axes.titlesize": 11,
    }


class Styled(ContextDecorator):
    """The look of all pictures around what draws one; use it as a decorator.

    Args:
        names: whether names from data are drawn, in which dollar signs are no formulas.

    Example:
        >>> from matplotlib.figure import Figure
        >>> @Styled()
        ... def draw():
        ...     return Figure().text(0, 0, "猫").get_fontfamily()[0]
        >>> draw()
        'DejaVu Sans'
    """

    def __init__(self, names: bool = False) -> None:
        self.names: bool = names

    def _recreate_cm(self) -> "Styled":
        return Styled(self.names)

    def __enter__(self) -> "Styled":
        settings: Any = look() | {"text.parse_math": not self.names}
        self._context = rc_context(settings)
        self._context.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self._context.__exit__(*error)
