"""The suites that share one table: the speed of this project on this machine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import tyro
from rich.console import Console

from benchmarks.command import BenchmarkCommand
from benchmarks.report import show_rows
from envs.names import load
from training.cli import Switch

SUITES: dict[str, tuple[str, ...]] = {
    "engine": ("engine",),
    "training": ("training",),
    "startup": ("startup",),
    "bicycle": ("bicycle",),
    "rewards": ("rewards", "workshop"),
}
"""Modules of each suite, imported when used; `measure_NAME` in module NAME returns its rows."""
QUICK: dict[str, dict[str, Any]] = {
    "engine": {"repeats": 2, "seconds": 0.1},
    "training": {"seeds": (1,)},
    "startup": {"repeats": 1},
    "bicycle": {"seeds": (1,)},
    "rewards": {"repeats": 1},
    "workshop": {"repeats": 1},
}
"""Arguments of these functions with `--quick`."""
Suite = Literal["engine", "training", "startup", "bicycle", "rewards"]


@dataclass(frozen=True)
class TablesCommand(BenchmarkCommand):
    """Measure the speed of this project on this machine."""

    suites: Annotated[
        tuple[Suite, ...], tyro.conf.Positional, tyro.conf.arg(name="SUITE", metavar="[SUITE ...]")
    ] = ("engine", "training", "startup", "bicycle", "rewards")
    """What to measure; the suites share one table."""
    quick: Switch = False
    """Measure everything once or twice: it takes a quarter of the time and says less."""

    def run(self, console: Console) -> dict[str, Any]:
        rows = []
        for name in (name for suite in self.suites for name in SUITES[suite]):
            rows += load(f"benchmarks.{name}:measure_{name}")(**(QUICK[name] if self.quick else {}))
        show_rows(console, rows)
        return {"rows": [row.to_json() for row in rows]}
