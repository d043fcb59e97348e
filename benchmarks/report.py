"""Prints tables: drawn with lines on a terminal, as Markdown in a file."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.measuring import Row
from training.messages import say

HEADINGS = ("what", "unit", "target", "median", "lowest .. highest", "repeats", "processor", "met")
PROCESSOR = (
    "processor: median CPU seconds of the measured process per second of wall time; below 1 with "
    "one thread, other programs were running."
)
MET = {True: "yes", False: "NO", None: ""}


def show_facts(console: Console, facts: dict[str, Any]) -> None:
    """Print one line per fact."""
    for name, value in facts.items():
        say(console, f"{name}: {value}")


def show_rows(console: Console, rows: Sequence[Row]) -> None:
    """Print the table of measures, followed by what each of them counts."""
    show_table(console, HEADINGS, [_cells(row) for row in rows])
    for row in rows:
        line = f"{row.measure.what} ({row.measure.unit}): {row.measure.counted}."
        say(console, line)
    say(console, PROCESSOR)


def show_table(console: Console, headings: Sequence[str], lines: Sequence[Sequence[str]]) -> None:
    """Print a table; the first column is text, the others are numbers."""
    if not console.is_terminal:
        rule = ["---", *["---:"] * (len(headings) - 1)]
        for cells in (headings, rule, *lines):
            say(console, f"| {' | '.join(cells)} |")
        return
    table = Table()
    for k, heading in enumerate(headings):
        table.add_column(heading, justify="right" if k else "left")
    for cells in lines:
        table.add_row(*cells)
    console.print(table)


def number(value: float, beyond: str = "not reached") -> str:
    """Format a number with three significant digits, or as an integer from 100 on.

    An infinite number, of a goal that was not reached, becomes `beyond`.
    """
    if not math.isfinite(value):
        return beyond
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def spread(values: Sequence[float], beyond: str = "not reached") -> str:
    """Format the median, with the lowest and highest value if they differ."""
    ordered = (statistics.median(values), min(values), max(values))
    middle, low, high = (number(value, beyond) for value in ordered)
    return middle if low == high else f"{middle} ({low} .. {high})"


def _cells(row: Row) -> tuple[str, ...]:
    measure = row.measure
    sign = ">=" if measure.better == "more" else "<="
    return (
        measure.what,
        measure.unit,
        "" if measure.target is None else f"{sign} {number(measure.target)}",
        number(row.median),
        f"{number(min(row.values))} .. {number(max(row.values))}",
        _reached(row),
        f"{statistics.median(row.processor):.2f}",
        MET[row.met],
    )


def _reached(row: Row) -> str:
    """Format how many of the repeats reached the goal."""
    reached = sum(map(math.isfinite, row.values))
    return f"{reached} of {len(row.values)}"
