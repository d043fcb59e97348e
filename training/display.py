"""Progress of training on the screen: a live panel in a terminal, plain lines elsewhere."""

from __future__ import annotations

import io
import itertools
import math
import sys
import time
from collections import deque
from typing import Any, Protocol

from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

PLAIN_SECONDS = 5.0
NOTEBOOK_SECONDS = 0.5
NOTEBOOK_WIDTH = 90  # characters
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
    """Return a live display for a terminal or a notebook, and a plain one for anything else."""
    if in_notebook() and not console.quiet:  # its output says that it is a terminal
        return NotebookDisplay(title, first_step, steps)
    if console.is_terminal and not console.quiet:
        return LiveDisplay(console, title, first_step, steps)
    return PlainDisplay(console, title, steps)


def no_display() -> Display:
    """Return a display that shows nothing."""
    return PlainDisplay(Console(quiet=True), "", 0)


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


class Board:
    """A panel with progress, time left, the newest numbers and small curves of the scores."""

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

    def update(self, step: int, numbers: dict[str, float]) -> None:
        """Take the newest numbers."""
        self._numbers = numbers
        for name, values in self._curves.items():
            if name in numbers:
                values.append(numbers[name])
        self._progress.update(self._task, completed=step)

    def panel(self) -> Panel:
        """Return what is shown."""
        table = Table.grid(padding=(0, 3))
        table.add_row(*(Text(name, style="dim") for name in self._numbers))
        table.add_row(*(Text(_short(v), style="bold") for v in self._numbers.values()))
        curves = (
            Text(f"{name:<10} ", style="dim") + Text(sparkline(list(values)), style="green")
            for name, values in self._curves.items()
            if values
        )
        return Panel(Group(self._progress, table, *curves), title=self._title, title_align="left")


class LiveDisplay:
    """Shows a `Board` in a terminal."""

    def __init__(self, console: Console, title: str, first_step: int, steps: int) -> None:
        self._board = Board(console, title, first_step, steps)
        panel = self._board.panel()
        self._live = Live(panel, console=console, refresh_per_second=5, transient=True)

    def __enter__(self) -> LiveDisplay:
        self._live.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._live.stop()

    def update(self, step: int, numbers: dict[str, float]) -> None:
        """Show the newest numbers; the panel is redrawn five times a second."""
        self._board.update(step, numbers)
        self._live.update(self._board.panel())


class NotebookDisplay:
    """Shows a `Board` below a notebook's cell, as text that is replaced."""

    def __init__(self, title: str, first_step: int, steps: int) -> None:
        self._console = Console(
            file=io.StringIO(), width=NOTEBOOK_WIDTH, force_jupyter=False, color_system=None
        )
        self._board = Board(self._console, title, first_step, steps)
        self._last = -math.inf
        self._handle: Any = None

    def __enter__(self) -> NotebookDisplay:
        from IPython import display

        show: Any = display.display
        self._handle = show(self._content(), raw=True, display_id=True)
        return self

    def __exit__(self, *exception: object) -> None:
        self._show()

    def update(self, step: int, numbers: dict[str, float]) -> None:
        """Show the newest numbers, at most once in `NOTEBOOK_SECONDS`."""
        self._board.update(step, numbers)
        if time.monotonic() - self._last >= NOTEBOOK_SECONDS:
            self._last = time.monotonic()
            self._show()

    def _show(self) -> None:
        self._handle.update(self._content(), raw=True)

    def _content(self) -> dict[str, str]:
        with self._console.capture() as captured:
            self._console.print(self._board.panel())
        return {"text/plain": captured.get()}


def in_notebook() -> bool:
    """Return whether this process is the kernel of a notebook."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return getattr(shell, "kernel", None) is not None


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
