"""The command line: python -m benchmarks [engine | training | ... | agents | scale | compare]"""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import tyro
from rich.console import Console

from benchmarks.machine import machine_facts
from benchmarks.report import show_facts, show_rows
from envs.names import load
from rewards.command_line import USAGE_ERROR, use_utf8
from rewards.output import forgiving_output
from training.cli import File, read_options

Suite = Literal[
    "engine", "training", "startup", "bicycle", "rewards", "agents", "scale", "compare", "damage"
]
Names = Annotated[tuple[str, ...], tyro.conf.arg(metavar="NAME ...", help_behavior_hint="")]
Seconds = Annotated[float | None, tyro.conf.arg(metavar="SECONDS", help_behavior_hint="")]
Steps = Annotated[int | None, tyro.conf.arg(metavar="STEPS", help_behavior_hint="")]
OWN_TABLES = ("agents", "scale", "compare", "damage")


@dataclass(frozen=True)
class Options:
    """Measure the speed of this project on this machine, and compare how fast agents learn."""

    suites: Annotated[
        tuple[Suite, ...], tyro.conf.Positional, tyro.conf.arg(name="SUITE", metavar="[SUITE ...]")
    ] = (
        "engine",
        "training",
        "startup",
        "bicycle",
        "rewards",
    )
    """What to measure. `agents`, `scale` and `compare` print tables of their own, `damage` prints
    what went wrong; the others share one table."""
    json: File = None
    """Also write all measured values to this JSON file."""
    games: Names = ()
    """agents, scale, compare: names of games as in the tables. Default: all."""
    agents: Names = ()
    """agents, scale: names of agents as in train.py. Default: all."""
    scales: tuple[float, ...] = (1e-6, 1e-3, 1.0, 1e3, 1e6)
    """scale: what all rewards are multiplied by."""
    seconds: Seconds = None
    """Time limit of each run. Default: 30 for agents (90 from the screen), 85 for compare. For
    scale, of all runs together, without those that are not over by then; default: none."""
    steps: Steps = None
    """compare, scale: step limit of each run, in environment steps. Default: 500,000 for compare;
    for scale, a limit for each game and agent."""
    seeds: Annotated[
        tuple[int, ...] | None, tyro.conf.arg(metavar="NUMBER ...", help_behavior_hint="")
    ] = None
    """Seeds, one run for each. Default: 1 to 5 for agents and scale, 1 to 3 for compare."""
    jobs: int = 1
    """agents, scale: number of runs in parallel, each in its own process."""
    mutations: int = 1_000
    """damage: number of ways in which run folders are damaged."""
    first_mutation: int = 0
    """damage: number of the first of them, such as one that an earlier run printed."""
    seed: int = 1
    """damage: seed of the damages."""


class UnknownNameError(ValueError):
    """The name of an unknown game or agent; the message is one line."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    given = sys.argv[1:] if arguments is None else arguments
    console = Console()
    try:
        options: Options = read_options(Options, given, "-m benchmarks")
        found = measure(options, console)
    except (ModuleNotFoundError, ValueError) as error:
        Console(stderr=True).print(f"benchmarks: {error}", markup=False, soft_wrap=True)
        return USAGE_ERROR
    if options.json is not None:
        options.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    return 0


def measure(options: Options, console: Console) -> dict[str, Any]:
    """Measure and print the chosen suites; return what --json writes."""
    if "compare" in options.suites:
        from benchmarks.learners import load_libraries

        load_libraries()
    facts = machine_facts()
    show_facts(console, facts)
    found: dict[str, Any] = {"machine": facts}
    suites = [suite for suite in options.suites if suite not in OWN_TABLES]
    modules = [name for suite in suites for name in SUITES[suite]]
    rows = [row for name in modules for row in load(f"benchmarks.{name}:measure_{name}")()]
    if rows:
        show_rows(console, rows)
        found["rows"] = [row.to_json() for row in rows]
    if "agents" in options.suites:
        found |= compare_agents(options, console)
    if "scale" in options.suites:
        found |= compare_scales(options, console)
    if "compare" in options.suites:
        found |= compare(options, console)
    if "damage" in options.suites:
        from benchmarks.damage import run_damages

        outcomes = run_damages(options.mutations, options.seed, console, options.first_mutation)
        found["damage"] = [dataclasses.asdict(outcome) for outcome in outcomes]
    return found


def compare_agents(options: Options, console: Console) -> dict[str, Any]:
    """Train every agent on every game that it supports; print a line per run, then the tables."""
    from benchmarks import agents
    from envs.registry import AGENTS

    chosen = agents.pairs(
        select_names(options.games, agents.GAMES), select_names(options.agents, AGENTS)
    )
    outcomes = []
    seeds, seconds = options.seeds or (1, 2, 3, 4, 5), options.seconds or 30.0
    for outcome in agents.run_all(chosen, seeds, seconds, options.jobs):
        console.print(agents.describe(outcome), highlight=False, soft_wrap=True)
        outcomes.append(outcome)
    agents.show_agents(console, outcomes)
    return {"agents": [dataclasses.asdict(outcome) for outcome in outcomes]}


def compare_scales(options: Options, console: Console) -> dict[str, Any]:
    """Train with rewards of different scales; print a line per run, then the tables.

    Ctrl-C and the time limit end the runs; the tables then show those that were over.
    """
    from benchmarks import scale

    games = select_names(options.games, scale.BUDGETS)
    agents = select_names(options.agents, {a: 0 for game in games for a in scale.BUDGETS[game]})
    seeds = options.seeds or (1, 2, 3, 4, 5)
    trials = scale.plan(games, agents, options.scales, seeds, options.steps)
    total, seconds = sum(trial.steps for trial in trials), scale.estimate(trials)
    console.print(
        f"{len(trials)} runs of {total:,} steps together: at most about {seconds / 60:.0f} minutes "
        f"on one core, {seconds / 60 / options.jobs:.1f} with {options.jobs} jobs",
        highlight=False,
    )
    results = []
    try:
        for result in scale.run_trials(trials, options.jobs, options.seconds):
            console.print(scale.describe(result), highlight=False, soft_wrap=True)
            results.append(result)
    except KeyboardInterrupt:
        pass
    if len(results) < len(trials):
        console.print(f"\nStopped: {len(results)} of {len(trials)} runs are over.")
    scale.show_scales(console, results)
    return {"scales": [dataclasses.asdict(result) for result in results]}


def compare(options: Options, console: Console) -> dict[str, Any]:
    """Train all learners with the same protocol; print a line per run, then the tables."""
    from benchmarks import comparison

    games = select_names(options.games, comparison.COMPARISONS)
    protocols = {
        game: comparison.make_protocol(game, options.seconds or 85.0, options.steps or 500_000)
        for game in games
    }
    runs = []
    for run in comparison.run_all_learners(protocols, options.seeds or (1, 2, 3)):
        console.print(comparison.describe_run(run), highlight=False, soft_wrap=True)
        runs.append(run)
    comparison.show_comparison(console, protocols, runs)
    return {
        "protocols": {game: dataclasses.asdict(e) for game, e in protocols.items()},
        "runs": [dataclasses.asdict(run) for run in runs],
    }


def select_names(names: Sequence[str], known: Collection[str]) -> Sequence[str]:
    """Return the requested names, or all known names if none were requested.

    Raises:
        UnknownNameError: for a name that is not known.
    """
    for name in names:
        if name not in known:
            raise UnknownNameError(f"unknown name `{name}`; known names: {', '.join(known)}")
    return names or list(known)


SUITES: dict[str, tuple[str, ...]] = {
    "engine": ("engine",),
    "training": ("training",),
    "startup": ("startup",),
    "bicycle": ("bicycle",),
    "rewards": ("rewards", "workshop"),
}
"""Modules of each suite, imported when used; `measure_NAME` in module NAME returns its rows."""


if __name__ == "__main__":
    use_utf8("benchmarks")
    forgiving_output()
    sys.exit(main())
