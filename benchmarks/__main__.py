"""The command line: python -m benchmarks [engine | training | ... | agents | compare]"""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro
from rich.console import Console

from benchmarks.machine import machine_facts
from benchmarks.measuring import Row
from benchmarks.report import show_facts, show_rows

Theme = Literal["engine", "training", "startup", "bicycle", "rewards", "agents", "compare"]
USAGE_ERROR = 2
TABLES_OF_THEIR_OWN = ("agents", "compare")


@dataclass(frozen=True)
class Options:
    """Measure this project's speed on this machine, and compare its learning with others'."""

    themes: tyro.conf.Positional[tuple[Theme, ...]] = (
        "engine",
        "training",
        "startup",
        "bicycle",
        "rewards",
    )
    """Which: agents and compare make tables of their own, the others one together."""
    json: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = None
    """Also write everything that was measured to a file."""
    games: tuple[str, ...] = ()
    """agents, compare: which games, as the tables call them; by default all."""
    agents: tuple[str, ...] = ()
    """agents: which agents, as train.py calls them; by default all."""
    seconds: float | None = None
    """Seconds after which a run is given up. By default 30 (agents; from the screen three times as
    long), or 85 of learning (compare)."""
    steps: int = 500_000
    """compare: environment steps after which a run is given up."""
    seeds: tuple[int, ...] | None = None
    """One run for each; by default 1 to 5 (agents), or 1 to 3 (compare)."""
    jobs: int = 1
    """agents: runs at a time, in processes of their own."""


class UnknownNameError(ValueError):
    """A game or an agent that there is not; the message is one line."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; returns the exit code."""
    options = tyro.cli(Options, prog="python -m benchmarks", args=arguments)
    console = Console()
    try:
        found = measure(options, console)
    except (ModuleNotFoundError, UnknownNameError) as error:
        Console(stderr=True).print(f"benchmarks: {error}", markup=False, soft_wrap=True)
        return USAGE_ERROR
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
    themes = [theme for theme in options.themes if theme not in TABLES_OF_THEIR_OWN]
    rows = [row for theme in themes for row in THEMES[theme]()]
    if rows:
        show_rows(console, rows)
        found["rows"] = [row.to_json() for row in rows]
    if "agents" in options.themes:
        found |= compare_agents(options, console)
    if "compare" in options.themes:
        found |= compare(options, console)
    return found


def compare_agents(options: Options, console: Console) -> dict[str, Any]:
    """Every agent on every game that it serves: a line at each run's end, tables at the end."""
    from benchmarks import agents
    from envs.registry import AGENTS

    chosen = agents.pairs(chosen_of(options.games, agents.GAMES), chosen_of(options.agents, AGENTS))
    outcomes = []
    seeds, seconds = options.seeds or (1, 2, 3, 4, 5), options.seconds or 30.0
    for outcome in agents.run_all(chosen, seeds, seconds, options.jobs):
        console.print(agents.describe(outcome), highlight=False, soft_wrap=True)
        outcomes.append(outcome)
    agents.show_agents(console, outcomes)
    return {"agents": [dataclasses.asdict(outcome) for outcome in outcomes]}


def compare(options: Options, console: Console) -> dict[str, Any]:
    """Learners side by side: a line at each run's end and tables at the end of all."""
    from benchmarks import comparison

    games = chosen_of(options.games, comparison.CONTESTS)
    examinations = {
        game: comparison.make_examination(game, options.seconds or 85.0, options.steps)
        for game in games
    }
    trials = []
    for trial in comparison.run_trials(examinations, options.seeds or (1, 2, 3)):
        console.print(comparison.describe_trial(trial), highlight=False, soft_wrap=True)
        trials.append(trial)
    comparison.show_comparison(console, examinations, trials)
    return {
        "examinations": {game: dataclasses.asdict(e) for game, e in examinations.items()},
        "trials": [dataclasses.asdict(trial) for trial in trials],
    }


def chosen_of(names: Sequence[str], known: Collection[str]) -> Sequence[str]:
    """The names asked for, or all.

    Raises:
        UnknownNameError: for one that there is not.
    """
    for name in names:
        if name not in known:
            raise UnknownNameError(f"there is no `{name}`; there are {', '.join(known)}")
    return names or list(known)


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


def _rewards() -> list[Row]:
    from benchmarks.rewards import measure_rewards
    from benchmarks.workshop import measure_workshop

    return [*measure_rewards(), *measure_workshop()]


THEMES: dict[str, Callable[[], list[Row]]] = {
    "engine": _engine,
    "training": _training,
    "startup": _startup,
    "bicycle": _bicycle,
    "rewards": _rewards,
}


if __name__ == "__main__":
    sys.exit(main())
