"""Where the time of some steps goes: torch's profiler, its trace as a file and its sums as a table."""

import os
from pathlib import Path

import torch
from tabulate import tabulate
from torch.profiler import ProfilerActivity, profile

LONGEST = 15  # operations in the table


class StepProfiler:
    """Profiles the steps of a range, of the optimiser and counted from 1, in the calls that they come in.

    Args:
        first: step.
        last: step, the same or a later one.

    Raises:
        ValueError: if that is no range.

    Example:
        >>> profiler = StepProfiler(2, 2)
        >>> profiler.before(steps_done=0, steps=1)
        >>> profiler.before(steps_done=1, steps=1)
        >>> profiler.began
        2
        >>> profiler.stop()
    """

    def __init__(self, first: int, last: int) -> None:
        if not 1 <= first <= last:
            raise ValueError(f"profile_batch is {(first, last)}; give a step from 1 on, or the first and the last one")
        self.first: int = first
        self.last: int = last
        self.began: int = 0
        self._profile: profile | None = None

    def before(self, steps_done: int, steps: int) -> None:
        """Begins before the first step of the range, or before the call of several that it comes in.

        Args:
            steps_done: of the optimiser.
            steps: in the call to come.
        """
        if self._profile is None and self.began == 0 and self.first - steps <= steps_done < self.last:
            self.began = steps_done + 1
            os.environ.setdefault("KINETO_LOG_LEVEL", "99")  # it announces itself on the screen
            activities = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if torch.cuda.is_available() else [])]
            recorder = profile(activities=activities, record_shapes=True, acc_events=True)
            recorder.start()
            self._profile = recorder

    def after(self, steps_done: int, folder: Path, ends: bool = False) -> str | None:
        """Ends when the last step is done, and keeps what it has recorded.

        Args:
            steps_done: of the optimiser.
            folder: of the run; the trace is written to its folder ``profile``.
            ends: the fit ends here, though the last step may not be done.

        Returns:
            A table of the operations that took longest, Markdown; None while it goes on.
        """
        recorded = self._profile
        if recorded is None or (steps_done < self.last and not ends):
            return None
        self.stop()
        path = folder / "profile" / f"steps_{self.began}_to_{steps_done}.pt.trace.json.gz"
        path.parent.mkdir(exist_ok=True)
        recorded.export_chrome_trace(str(path))
        steps = steps_done - self.began + 1
        return (
            f"Steps {self.began} to {steps_done}, by torch's profiler. The trace is `{path.relative_to(folder)}`: open "
            f"it at ui.perfetto.dev, or in Chrome at chrome://tracing.\n\n{_table(recorded, steps)}"
        )

    def stop(self) -> None:
        """Records no more."""
        if self._profile is not None:
            self._profile.stop()
            self._profile = None


def _table(recorded: profile, steps: int) -> str:
    events = sorted(recorded.key_averages(), key=lambda event: -event.self_cpu_time_total)
    total = sum(event.self_cpu_time_total for event in events) or 1.0
    rows = [
        [
            event.key,
            f"{event.count:,}",
            f"{event.self_cpu_time_total / steps:,.1f}",
            f"{event.self_cpu_time_total / total:.1%}",
            *([f"{event.self_device_time_total / steps:,.1f}"] if torch.cuda.is_available() else []),
        ]
        for event in events[:LONGEST]
    ]
    headers = ["operation", "calls", "µs per step, itself", "share", *(["GPU"] if torch.cuda.is_available() else [])]
    return tabulate(rows, headers, "pipe", colalign=["left", *["right"] * (len(headers) - 1)], disable_numparse=True)
