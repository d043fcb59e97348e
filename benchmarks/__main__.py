"""The command line: python -m benchmarks [engine | training | startup | bicycle | compare ...]"""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro
from rich.console import Console

from benchmarks.machine import machine_facts
from benchmarks.measuring import Row
from benchmarks.report import show_facts, show_rows

Theme = Literal["engine", "training", "startup", "bicycle", "compare"]
MISSING_LIBRARY = 2


@dataclass(frozen=True)
class Options:
    """Measure this project's speed on this machine, and compare its learning with others'."""

    themes: tyro.conf.Positional[tuple[Theme, ...]] = ("engine", "training", "startup", "bicycle")
    """Which: all but compare make one table; compare is a table of its own."""
    json: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = None
    """Also write everything that was measured to a file."""
    seconds: float = 85.0
    """compare: seconds of learning after which a run is given up."""
    steps: int = 500_000
    """compare: environment steps after which a run is given up."""
    seeds: tuple[int, ...] = (1, 2, 3)
    """compare: one run of each learner for each."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; returns the exit code."""
    options = tyro.cli(Options, prog="python -m benchmarks", args=arguments)
    console = Console()
    try:
        found = measure(options, console)
    except ModuleNotFoundError as error:
        Console(stderr=True).print(f"benchmarks: {error}", markup=False, soft_wrap=True)
        return MISSING_LIBRARY
    if options.json is not None:
        options.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    return 0


def measure(options: Options, console: Console) -> dict[str, Any]:
    """Everything asked for, printed; what --json writes."""
    if "compare" in options.themes:
        from benchmarks.learners import load_libraries

        load_libraries()
    facts = machine_facts()
    show_facts(console, facts)
    found: dict[str, Any] = {"machine": facts}
    rows = [row for theme in options.themes if theme != "compare" for row in THEMES[theme]()]
    if rows:
        show_rows(console, rows)
        found["rows"] = [row.to_json() for row in rows]
    if "compare" in options.themes:
        found |= compare(options, console)
    return found


def compare(options: Options, console: Console) -> dict[str, Any]:
    """The comparison, a line at each run's end and a table at the end of all."""
    from benchmarks import comparison

    examination = comparison.make_examination(options.seconds, options.steps)
    console.print(comparison.describe_examination(examination), highlight=False, soft_wrap=True)
    trials = []
    for trial in comparison.run_trials(examination, options.seeds):
        console.print(comparison.describe_trial(trial), highlight=False, soft_wrap=True)
        trials.append(trial)
    comparison.show_comparison(console, trials)
    return {
        "examination": dataclasses.asdict(examination),
        "trials": [dataclasses.asdict(trial) for trial in trials],
    }


def _engine() -> list[Row]:
    from benchmarks.engine import measure_engine

    return measure_engine()


def _training() -> list[Row]:
    from benchmarks.training import measure_training

    return measure_training()


def _startup() -> list[Row]:
    from benchmarks.startup import measure_startup

    return measure_startup()


def _bicycle() -> list[Row]:
    from benchmarks.bicycle import measure_bicycle

    return measure_bicycle()


THEMES: dict[str, Callable[[], list[Row]]] = {
    "engine": _engine,
    "training": _training,
    "startup": _startup,
    "bicycle": _bicycle,
}


if __name__ == "__main__":
    sys.exit(main())
