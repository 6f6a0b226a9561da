"""The loss of each step while the learning rate grows."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from torchann.pictures.picture import Picture

LOOKS = (("tab:green", "-"), ("tab:red", "--"), ("black", "-"), ("tab:purple", ":"))
OF_LOG_SCALE = 8  # as of learning curves


def rate_curve(
    rates: Sequence[float], losses: Sequence[float], window: int, marks: Mapping[str, float], title: str = ""
) -> Figure:
    """Raw losses over rates on a logarithmic axis, their mean over the latest few, and rates worth a line.

    What lies far above the loss at the start is beyond the picture.

    Args:
        rates: of the steps, growing.
        losses: of the steps' batches, ``(steps,)``; what is no number is left out.
        window: how many losses each mean is over.
        marks: rates by what they are called.
        title: above the picture.

    Example:
        >>> figure = rate_curve([0.01, 0.1, 1.0], [2.0, 1.0, 9.0], 1, {"shoots up": 1.0})
        >>> figure.axes[0].get_xscale()
        'log'
    """
    figure = Picture(figsize=(7, 4.2), layout="constrained")
    figure.suptitle(title)
    panel, raw = figure.subplots(), np.asarray(losses, float)
    panel.plot(rates, raw, color="0.75", linewidth=0.6, label="each batch")
    smooth = raw
    if 1 < window <= len(raw):
        smooth = np.convolve(raw, np.full(window, 1 / window), "valid")
        panel.plot(rates[window - 1 :], smooth, color="tab:blue", linewidth=1.4, label=f"mean of the last {window}")
    for (name, rate), (colour, style) in zip(marks.items(), LOOKS, strict=False):
        panel.axvline(rate, color=colour, linestyle=style, linewidth=1.2, label=f"{name}: {rate:.2g}")
    seen = raw[np.isfinite(raw)]
    if seen.size:
        level = smooth[np.isfinite(smooth)] if np.isfinite(smooth).any() else seen
        low, high = float(seen.min()), max(float(np.quantile(level, 0.1)) * 3, float(level[0])) * 1.3
        panel.set_ylim(0, high)
        if 0 < OF_LOG_SCALE * level.min() < high:
            panel.set_yscale("log")
            panel.set_ylim(max(low, level.min() / 3), high * 1.5)
            panel.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            panel.yaxis.set_major_formatter("{x:g}")
            panel.yaxis.set_minor_formatter(NullFormatter())
    panel.set(xlabel="learning rate", ylabel="training loss of a batch", xscale="log")
    panel.grid(alpha=0.3)
    panel.legend(fontsize=9)
    return figure
