"""What `python -m rewards check` prints."""

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
    """Two tables, what is suspicious, and which tests failed."""
    rewards = found["rewards"]
    say(console, f"What [bold]{escape(expression)}[/] pays in {found['game']}, on average:")
    steps = [(row["name"], f"{row['count']:,}", row["values"]) for row in found["moments"]]
    show_table(console, ("in a step of", "steps", *rewards), steps)
    episodes = [
        (row["name"], f"{row['steps']:,.0f}", [row["score"], *row["values"]])
        for row in found["players"]
    ]
    show_table(console, ("in an episode of", "steps", "score", *rewards), episodes)
    _show_warnings(console, found["warnings"])
    for text in found["failures"]:
        say(console, f"[red]failed:[/] {escape(short(text))}")


def show_outcome(console: Console, verdict: dict[str, Any], warnings: Sequence[str]) -> None:
    """The `warnings` that have come since, and in a line what came of it all."""
    _show_warnings(console, warnings)
    passed = verdict["tests"] - len(verdict["failures"])
    tests = f", {passed} of {verdict['tests']} tests passed" if verdict["tests"] else ""
    outcome = "[red]not good yet[/]" if verdict["failures"] else "[green]can be used[/]"
    plain = verdict["compiled"].count(False)
    runs = "compiled" if not plain else f"{plain} of {len(verdict['compiled'])} as plain Python"
    say(console, f"{outcome} ({runs}){tests}")


def _show_warnings(console: Console, warnings: Sequence[str]) -> None:
    for text in warnings:
        say(console, f"[yellow]warning:[/] {escape(short(text))}")


def show_table(
    console: Console, headings: Sequence[str], lines: Sequence[tuple[str, str, list[Any]]]
) -> None:
    """A table; the first column is text, the others are numbers."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 0, 0, 1))
    for k, heading in enumerate(headings):
        table.add_column(escape(heading), justify="right" if k else "left", overflow="fold")
    for name, count, values in lines:
        table.add_row(escape(name).replace("_", " "), count, *map(number, values))
    console.print(table, highlight=False)


def number(value: float | None) -> str:
    """Three digits where they matter."""
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def short(text: str) -> str:
    """Files of the folder one is in by their name alone."""
    return text.replace(f"{Path.cwd()}{os.sep}", "")


def say(console: Console, text: str) -> None:
    """One line, however long, for who searches in a file."""
    console.print(text, highlight=False, soft_wrap=not console.is_terminal)
