"""The command line: python -m benchmarks [engine | training | ... | agents | compare | tune]"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import math
import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro
from rich.console import Console

from agents.validation import at_least_one, positive
from benchmarks.machine import machine_facts
from benchmarks.report import show_facts, show_rows
from envs.names import load
from rewards.command_line import USAGE_ERROR, use_utf8
from rewards.output import forgiving_output
from training.cli import File, read_options

if TYPE_CHECKING:
    from benchmarks.learners import Learner
    from benchmarks.protocol import EvalProtocol
    from benchmarks.runs import Run

Suite = Literal[
    "engine",
    "training",
    "startup",
    "bicycle",
    "rewards",
    "agents",
    "scale",
    "past_solved",
    "compare",
    "tune",
    "damage",
]
Names = Annotated[tuple[str, ...], tyro.conf.arg(metavar="NAME ...", help_behavior_hint="")]
Seconds = Annotated[float | None, tyro.conf.arg(metavar="SECONDS", help_behavior_hint="")]
Steps = Annotated[int | None, tyro.conf.arg(metavar="STEPS", help_behavior_hint="")]
OWN_TABLES = ("agents", "scale", "past_solved", "compare", "tune", "damage")
RESULTS = Path("runs", "benchmarks")


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
    """What to measure. `agents`, `scale`, `past_solved` and `compare` print tables of their own,
    `tune` searches settings for `compare`, `damage` prints what went wrong; the others share one
    table."""
    json: File = None
    """Also write all measured values to this JSON file."""
    results: File = None
    """agents, compare, tune: file to which each result is appended as it comes. Results that it
    holds already are not measured again. Default: runs/benchmarks/SUITE.jsonl, and for tune
    benchmarks/tuned.jsonl, from which compare reads."""
    figures: File = None
    """agents, compare: folder for pictures of the learning curves."""
    games: Names = ()
    """agents, scale, past_solved, compare, tune: names of games as in the tables. Default: all."""
    agents: Names = ()
    """agents, scale: names of agents as in train.py. Default: all."""
    learners: Names = ()
    """compare, tune: names of learners as in the tables, or how they begin. Default: all."""
    scales: tuple[float, ...] = (1e-6, 1e-3, 1.0, 1e3, 1e6)
    """scale: what all rewards are multiplied by."""
    factor: float = 10.0
    """past_solved: how long to train altogether, as a multiple of the steps to solved."""
    reward: Annotated[str | None, tyro.conf.arg(metavar="REWARD", help_behavior_hint="")] = None
    """past_solved: a reward as in train.py. Default: that of the game."""
    seconds: Seconds = None
    """scale: time limit of all runs together; those that are not over by then are left out."""
    steps: Steps = None
    """agents, compare, tune, scale: step budget of each run. Default: one for each game."""
    seeds: Annotated[
        tuple[int, ...] | None, tyro.conf.arg(metavar="NUMBER ...", help_behavior_hint="")
    ] = None
    """Seeds, one run for each. Default: 1 to 5, or 1 to 10 for compare."""
    trials: int = 20
    """tune: number of trials for each learner, each with seeds 100 to 102."""
    jobs: int = 1
    """agents, compare, tune, scale, past_solved: number of runs in parallel, each in its own
    process."""
    show: bool = False
    """agents, compare: only show the results that the file holds."""
    mutations: int = 1_000
    """damage: number of ways in which run folders are damaged."""
    first_mutation: int = 0
    """damage: number of the first of them, such as one that an earlier run printed."""
    seed: int = 1
    """damage: seed of the damages."""

    def __post_init__(self) -> None:
        """Raise ValueError for an impossible number."""
        at_least_one(self, "jobs", "mutations")
        if self.factor < 1:
            raise ValueError(f"--factor must be at least 1, got {self.factor}")
        if self.seconds is not None:
            positive(self, "seconds")
        if self.steps is not None:
            at_least_one(self, "steps")
        if not all(0 < scale < math.inf for scale in self.scales):
            raise ValueError(f"--scales must be positive, got {' '.join(map(str, self.scales))}")


class UnknownNameError(ValueError):
    """The name of an unknown game or agent; the message is one line."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    given = sys.argv[1:] if arguments is None else arguments
    console = Console()
    try:
        options: Options = read_options(Options, given, "-m benchmarks")
        found = measure(options, console)
    except (ModuleNotFoundError, OSError, ValueError) as error:
        Console(stderr=True).print(f"benchmarks: {error}", markup=False, soft_wrap=True)
        return USAGE_ERROR
    if options.json is not None:
        options.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    return 0


def measure(options: Options, console: Console) -> dict[str, Any]:
    """Measure and print the chosen suites; return what --json writes."""
    if {"compare", "tune"} & set(options.suites):
        from benchmarks.learners import check_installed

        check_installed()
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
    if "past_solved" in options.suites:
        found |= train_past_solved(options, console)
    if "compare" in options.suites:
        found |= compare(options, console)
    if "tune" in options.suites:
        tune(options, console)
    if "damage" in options.suites:
        from benchmarks.damage import run_damages

        outcomes = run_damages(options.mutations, options.seed, console, options.first_mutation)
        found["damage"] = [dataclasses.asdict(outcome) for outcome in outcomes]
    return found


def compare_agents(options: Options, console: Console) -> dict[str, Any]:
    """Train every agent on every game that it supports, and compare them."""
    from benchmarks import agents
    from envs.registry import AGENTS

    names = select_names(options.agents, AGENTS)
    learners = {each.game: agents.learners_of(each, names) for each in protocols(options)}
    return run_learners("agents", learners, options.seeds or tuple(range(1, 6)), options, console)


def compare(options: Options, console: Console) -> dict[str, Any]:
    """Train this project's agents and those of other libraries, and compare them."""
    from benchmarks import learners, tuning
    from benchmarks.report import show_text
    from benchmarks.runs import Lines

    for line in learners.left_out():
        show_text(console, line)
    sweeps, chosen = Lines(tuning.FILE), {}
    for protocol in protocols(options):
        of_game = learners.learners_of(protocol)
        chosen[protocol.game] = select_learners(options.learners, of_game)
        for learner in select_learners(options.learners, learners.tunable(of_game)):
            best = tuning.tuned(sweeps, protocol, learner)
            if best is None:
                line = f"{protocol.game}, {learner.name} is left out: python -m benchmarks tune"
                show_text(console, line)
            else:
                chosen[protocol.game].append(best)
    return run_learners("compare", chosen, options.seeds or tuple(range(1, 11)), options, console)


def run_learners(
    suite: str,
    learners: Mapping[str, Sequence[Learner]],
    seeds: Sequence[int],
    options: Options,
    console: Console,
) -> dict[str, Any]:
    """Run the learners of each game; print a line per run, then the tables.

    Ctrl-C ends the runs; the tables then show those that were over.

    Raises:
        ValueError: for a seed that is for tuning.
    """
    from benchmarks import comparison, runs
    from benchmarks.report import show_text
    from training.evaluation import TUNING_SEEDS

    if used := set(seeds) & set(TUNING_SEEDS):
        raise ValueError(f"seed {min(used)} is for tuning: choose seeds below {TUNING_SEEDS[0]}")
    jobs = comparison.plan(protocols(options), learners, seeds)
    if not jobs:
        raise ValueError("no learner has such a name; use names of the tables, such as `our ppo`")
    lines = runs.Lines(options.results or RESULTS / f"{suite}.jsonl")
    stored = len(runs.stored_runs(lines, jobs))
    show_text(console, f"{lines.path} holds {stored} of {len(jobs)} runs")
    with contextlib.suppress(KeyboardInterrupt):
        for run in runs.run_all(jobs, str(options.jobs), lines) if not options.show else ():
            show_text(console, run if isinstance(run, str) else runs.describe(run))
    order = {job.key: k for k, job in enumerate(jobs)}
    found = sorted(runs.stored_runs(lines, jobs), key=lambda run: order[run.key])
    comparison.show_runs(console, protocols(options), found)
    if options.figures is not None:
        draw(options.figures, protocols(options), found)
    return {suite: [dataclasses.asdict(run) for run in found]}


def draw(folder: Path, protocols: Sequence[EvalProtocol], found: Sequence[Run]) -> None:
    """Write a picture of the learning curves of each game."""
    from benchmarks.learning_curves import draw_curves

    for protocol in protocols:
        if of_game := [run for run in found if run.game == protocol.game]:
            name = "".join(letter if letter.isalnum() else "_" for letter in protocol.game)
            draw_curves(protocol, of_game, folder / f"{name}.png")


def tune(options: Options, console: Console) -> None:
    """Search settings for every learner; print a line per trial. Ctrl-C ends the search."""
    from benchmarks import learners, runs, tuning
    from benchmarks.report import show_text

    for line in learners.left_out():
        show_text(console, line)
    lines = runs.Lines(options.results or tuning.FILE)
    with contextlib.suppress(KeyboardInterrupt):
        for protocol in protocols(options):
            all_of_game = learners.tunable(learners.learners_of(protocol))
            for learner in select_learners(options.learners, all_of_game):
                for line in tuning.tune(
                    protocol, learner, lines, options.trials, str(options.jobs)
                ):
                    show_text(console, line)


def protocols(options: Options) -> list[EvalProtocol]:
    """Return the protocols of the chosen games, with the chosen budget."""
    from benchmarks.protocol import GAMES

    chosen = [GAMES[name] for name in select_names(options.games, GAMES)]
    if options.steps is None:
        return chosen
    return [dataclasses.replace(protocol, steps=options.steps) for protocol in chosen]


def select_learners(names: Sequence[str], learners: Sequence[Learner]) -> list[Learner]:
    """Return the learners whose names begin with one of `names`, or all if there are none."""
    return [each for each in learners if not names or each.name.startswith(tuple(names))]


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


def train_past_solved(options: Options, console: Console) -> dict[str, Any]:
    """Train ppo far past solved; print a line per run, then a table per game."""
    from benchmarks import past_solved

    games = select_names(options.games, past_solved.GAMES)
    seeds = options.seeds or (1, 2, 3, 4, 5)
    reward = () if options.reward is None else ("--reward", options.reward)
    results = []
    for result in past_solved.train_all(games, seeds, options.factor, reward, options.jobs):
        console.print(past_solved.describe(result), highlight=False, soft_wrap=True)
        results.append(result)
    past_solved.show_past_solved(console, results)
    return {"past_solved": [dataclasses.asdict(result) for result in results]}


def select_names(names: Sequence[str], known: Collection[str]) -> Sequence[str]:
    """Return the requested names, or all known names if none were requested.

    Raises:
        UnknownNameError: for a name that is not known.
    """
    for name in names:
        if name not in known:
            names_known = ", ".join(map(repr, known))
            raise UnknownNameError(f"unknown name {name!r}; choose from {names_known}")
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
