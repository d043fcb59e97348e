"""Progress of training on the screen: a live panel in a terminal, plain lines elsewhere."""

from __future__ import annotations

import itertools
import time
from collections import deque
from typing import Protocol

from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

PLAIN_SECONDS = 5.0
BARS = "▁▂▃▄▅▆▇█"
CURVE_WIDTH = 48
CURVES = ("evaluation", "score")
"""Numbers of which the live display draws curves, the most trustworthy first."""


class Display(Protocol):
    """Shows the newest numbers after each update of the agent."""

    def __enter__(self) -> Display: ...

    def __exit__(self, *exception: object) -> None: ...

    def update(self, step: int, numbers: dict[str, float]) -> None:
        """Show `numbers` by name, such as `evaluation`, `score`, `return` and `steps/s`."""


def make_display(console: Console, title: str, first_step: int, steps: int) -> Display:
    """Return a live display for a terminal, and a plain one for anything else."""
    if console.is_terminal:
        return LiveDisplay(console, title, first_step, steps)
    return PlainDisplay(console, title, steps)


class PlainDisplay:
    """Prints a line every few seconds, for logs and pipes."""

    def __init__(self, console: Console, title: str, steps: int) -> None:
        self._console = console
        self._steps = steps
        self._last = time.monotonic()
        console.print(title, markup=False, highlight=False, soft_wrap=True)

    def __enter__(self) -> PlainDisplay:
        return self

    def __exit__(self, *exception: object) -> None:
        return None

    def update(self, step: int, numbers: dict[str, float]) -> None:
        """Print a line if the last one is `PLAIN_SECONDS` old."""
        if time.monotonic() - self._last >= PLAIN_SECONDS:
            self._last = time.monotonic()
            shown = "  ".join(f"{name} {_short(value)}" for name, value in numbers.items())
            self._console.print(
                f"{step:,} of {self._steps:,} steps  {shown}", highlight=False, soft_wrap=True
            )


class LiveDisplay:
    """Shows progress, time left, the newest numbers and small curves of the scores."""

    def __init__(self, console: Console, title: str, first_step: int, steps: int) -> None:
        self._progress = Progress(
            TextColumn("{task.completed:>11,.0f} of {task.total:,.0f} steps"),
            BarColumn(bar_width=None),
            TaskProgressColumn(),
            TextColumn("at most"),
            TimeRemainingColumn(),
            console=console,
            expand=True,
        )
        self._task = self._progress.add_task("", total=steps, completed=first_step)
        self._title = title
        self._numbers: dict[str, float] = {}
        self._curves = {name: deque[float](maxlen=4096) for name in CURVES}
        self._live = Live(self._panel(), console=console, refresh_per_second=5, transient=True)

    def __enter__(self) -> LiveDisplay:
        self._live.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._live.stop()

    def update(self, step: int, numbers: dict[str, float]) -> None:
        """Show the newest numbers; the panel is redrawn five times a second."""
        self._numbers = numbers
        for name, values in self._curves.items():
            if name in numbers:
                values.append(numbers[name])
        self._progress.update(self._task, completed=step)
        self._live.update(self._panel())

    def _panel(self) -> Panel:
        table = Table.grid(padding=(0, 3))
        table.add_row(*(Text(name, style="dim") for name in self._numbers))
        table.add_row(*(Text(_short(v), style="bold") for v in self._numbers.values()))
        curves = (
            Text(f"{name:<10} ", style="dim") + Text(sparkline(list(values)), style="green")
            for name, values in self._curves.items()
            if values
        )
        return Panel(Group(self._progress, table, *curves), title=self._title, title_align="left")


def sparkline(values: list[float], width: int = CURVE_WIDTH) -> str:
    """Return a curve of block characters, each for the mean of an equal share of `values`."""
    if not values:
        return ""
    count = min(width, len(values))
    edges = [k * len(values) // count for k in range(count + 1)]
    means = [sum(values[a:b]) / (b - a) for a, b in itertools.pairwise(edges)]
    low, high = min(means), max(means)
    scale = (len(BARS) - 1) / (high - low) if high > low else 0.0
    return "".join(BARS[round((mean - low) * scale)] for mean in means)


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 or isinstance(value, int) else f"{value:.2f}"
