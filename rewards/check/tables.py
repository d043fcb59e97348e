"""Prints the tables and warnings of `python -m rewards check`."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table


def show_findings(
    console: Console, expression: str, found: Mapping[str, Any], texts: Mapping[str, Any]
) -> None:
    """Print two tables, the warnings, and the failed tests."""
    words = texts["tables"]
    heading = words["heading"].format(reward=f"[bold]{escape(expression)}[/]", game=found["game"])
    say(console, heading)
    for columns, rows in tables_of(found, texts):
        lines = [(name, f"{count:,.0f}", values) for name, count, *values in rows]
        show_table(console, columns, lines)
    stem, ranges = Path(expression).stem, found["ranges"]
    name = stem if stem in ranges else next(iter(ranges))
    say(console, escape(scale_of(name, found, words)))
    _show_warnings(console, found["warnings"], texts)
    for text in found["failures"]:
        say(console, f"[red]{texts['verdict']['failed']}[/] {escape(short(text))}")


def show_outcome(
    console: Console, verdict: Mapping[str, Any], warnings: Sequence[str], texts: Mapping[str, Any]
) -> None:
    """Print the `warnings` that are new, and one line with the result."""
    _show_warnings(console, warnings, texts)
    words, failures = texts["verdict"], verdict["failures"]
    passed = verdict["tests"] - len(failures)
    tests = words["tests"].format(passed=passed, all=verdict["tests"]) if verdict["tests"] else ""
    outcome = f"[red]{words['not_ready']}[/]" if failures else f"[green]{words['usable']}[/]"
    plain, count = verdict["compiled"].count(False), len(verdict["compiled"])
    runs = words["plain"].format(plain=plain, all=count) if plain else words["compiled"]
    say(console, f"{outcome} ({runs}){tests}")


def readable(name: str, names: Mapping[str, str]) -> str:
    """Return an event or player in words; those of games without texts keep their names."""
    return names.get(name, name.replace("_", " "))


def tables_of(
    found: Mapping[str, Any], texts: Mapping[str, Any]
) -> list[tuple[list[str], list[list[Any]]]]:
    """Return what is paid for events and for players: their columns and rows.

    A row begins with a name in words and a number of steps; None is unknown.
    """
    words, rewards = texts["tables"], found["rewards"]
    events = [
        [readable(row["name"], texts["events"]), row["count"], *row["values"]]
        for row in found["events"]
    ]
    players = [
        [readable(row["name"], texts["players"]), row["steps"], row["score"], *row["values"]]
        for row in found["players"]
    ]
    return [
        ([words["event"], words["steps"], *rewards], events),
        ([words["player"], words["steps"], words["score"], *rewards], players),
    ]


def scale_of(name: str, found: Mapping[str, Any], words: Mapping[str, str]) -> str:
    """Return a sentence about the scale of a reward; of several in a file, the one to train on."""
    low, high, earned = map(number, found["ranges"][name])
    player = found["players"][-1]["name"]
    return words["scale"].format(name=name, player=player, low=low, high=high, earned=earned)


def _show_warnings(console: Console, warnings: Sequence[str], texts: Mapping[str, Any]) -> None:
    for text in warnings:
        say(console, f"[yellow]{texts['verdict']['warning']}[/] {escape(short(text))}")


def show_table(
    console: Console, headings: Sequence[str], lines: Sequence[tuple[str, str, list[Any]]]
) -> None:
    """Print a table; its first column is text, the others are numbers."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 0, 0, 1))
    for k, heading in enumerate(headings):
        table.add_column(escape(heading), justify="right" if k else "left", overflow="fold")
    for name, count, values in lines:
        table.add_row(escape(name), count, *map(number, values))
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
