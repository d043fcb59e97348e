"""Prints the tables and warnings of `python -m rewards check`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table


def show_findings(console: Console, expression: str, found: dict[str, Any]) -> None:
    """Print two tables, the warnings, and the failed tests."""
    rewards = found["rewards"]
    say(console, f"What [bold]{escape(expression)}[/] pays in {found['game']}, on average:")
    steps = [(row["name"], f"{row['count']:,}", row["values"]) for row in found["events"]]
    show_table(console, ("in a step of", "steps", *rewards), steps)
    episodes = [
        (row["name"], f"{row['steps']:,.0f}", [row["score"], *row["values"]])
        for row in found["players"]
    ]
    show_table(console, ("in an episode of", "steps", "score", *rewards), episodes)
    _show_range(console, expression, found)
    _show_warnings(console, found["warnings"])
    for text in found["failures"]:
        say(console, f"[red]failed:[/] {escape(short(text))}")


def show_outcome(console: Console, verdict: dict[str, Any], warnings: Sequence[str]) -> None:
    """Print the `warnings` that are new, and one line with the result."""
    _show_warnings(console, warnings)
    passed = verdict["tests"] - len(verdict["failures"])
    tests = f", {passed} of {verdict['tests']} tests passed" if verdict["tests"] else ""
    outcome = "[red]not ready[/]" if verdict["failures"] else "[green]can be used[/]"
    plain = verdict["compiled"].count(False)
    runs = "compiled" if not plain else f"{plain} of {len(verdict['compiled'])} as plain Python"
    say(console, f"{outcome} ({runs}){tests}")


def _show_range(console: Console, expression: str, found: dict[str, Any]) -> None:
    """Print the scale of the reward; of several functions in a file, of the one to train on."""
    ranges, stem = found["ranges"], Path(expression).stem
    name = stem if stem in ranges else next(iter(ranges))
    low, high, earned = map(number, ranges[name])
    say(
        console,
        f"scale: {escape(name)} pays {low} to {high} in a step, and {earned} in an episode of "
        f"{escape(found['players'][-1]['name'])}; agents adapt to any scale",
    )


def _show_warnings(console: Console, warnings: Sequence[str]) -> None:
    for text in warnings:
        say(console, f"[yellow]warning:[/] {escape(short(text))}")


def show_table(
    console: Console, headings: Sequence[str], lines: Sequence[tuple[str, str, list[Any]]]
) -> None:
    """Print a table; its first column is text, the others are numbers."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 0, 0, 1))
    for k, heading in enumerate(headings):
        table.add_column(escape(heading), justify="right" if k else "left", overflow="fold")
    for name, count, values in lines:
        table.add_row(escape(name).replace("_", " "), count, *map(number, values))
    console.print(table, highlight=False)


def number(value: float | None) -> str:
    """Format a number with three significant digits, or as a whole number from 1,000 on."""
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def short(text: str) -> str:
    """Shorten the paths of files in the working directory to their names."""
    return text.replace(f"{Path.cwd()}{os.sep}", "")


def say(console: Console, text: str) -> None:
    """Print one line; in a file or a pipe it is not wrapped, so that it can be searched."""
    console.print(text, highlight=False, soft_wrap=not console.is_terminal)
