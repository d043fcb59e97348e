"""The commands that train learners with one protocol: agents, compare, tune."""

from __future__ import annotations

import dataclasses
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro
from rich.console import Console

from agents.validation import at_least_one
from benchmarks import agents, comparison, learners, runs, tuning
from benchmarks.command import BenchmarkCommand, Names, Steps, interruptible_runs, select_names
from benchmarks.learners import Learner
from benchmarks.learning_curves import draw_curves
from benchmarks.protocol import GAMES, EvalProtocol
from benchmarks.runs import Lines, Run
from envs.registry import AGENTS
from training.cli import File, Switch
from training.evaluation import TUNING_SEEDS
from training.messages import say
from training.workers import check_workers

RESULTS = Path("runs", "benchmarks")


@dataclass(frozen=True)
class LearnersCommand(BenchmarkCommand):
    """Options of the commands that train learners."""

    games: Names = ()
    """Names of games as in the tables. Default: all."""
    steps: Steps = None
    """Step budget of each run. Default: one for each game."""
    workers: Annotated[str, tyro.conf.arg(metavar="NUMBER|ray")] = "1"
    """Number of runs in parallel, each in its own process; or `ray`, or ray://HOST:PORT."""

    def __post_init__(self) -> None:
        check_workers(self.workers)
        if self.steps is not None:
            at_least_one(self, "steps")

    @property
    def protocols(self) -> list[EvalProtocol]:
        """The protocols of the chosen games, with the chosen budget."""
        chosen = [GAMES[name] for name in select_names(self.games, GAMES)]
        if self.steps is None:
            return chosen
        return [dataclasses.replace(protocol, steps=self.steps) for protocol in chosen]


@dataclass(frozen=True)
class TableCommand(LearnersCommand):
    """Options of the commands that print tables of learners."""

    seeds: Annotated[tuple[int, ...], tyro.conf.arg(metavar="NUMBER ...")] = (1, 2, 3, 4, 5)
    """Seeds, one run for each."""
    results: File = None
    """File to which each result is appended as it comes. Results that it holds already are not
    measured again. Default: runs/benchmarks/COMMAND.jsonl."""
    figures: File = None
    """Folder for pictures of the learning curves."""
    show: Switch = False
    """Only show the results that the file holds."""

    @property
    @abstractmethod
    def file(self) -> Path:
        """Default of `results`."""

    @abstractmethod
    def learners_of_games(self, console: Console) -> Mapping[str, Sequence[Learner]]:
        """Return what is trained on each game."""

    def run(self, console: Console) -> dict[str, Any]:
        """Run the learners of each game; print a line per run, then the tables.

        Ctrl-C ends the runs; the tables then show those that were over.
        """
        chosen = self.learners_of_games(console)
        if used := set(self.seeds) & set(TUNING_SEEDS):
            least = TUNING_SEEDS[0]
            raise ValueError(f"seed {min(used)} is for tuning: choose seeds below {least}")
        jobs = comparison.plan(self.protocols, chosen, self.seeds)
        if not jobs:
            raise ValueError("no learner has such a name; use names of the tables, as `our ppo`")
        lines = Lines(self.results or self.file)
        stored = len(runs.stored_runs(lines, jobs))
        say(console, f"{lines.path} holds {stored} of {len(jobs)} runs")
        content: dict[str, Any] = {}
        with interruptible_runs(content):
            for run in runs.run_all(jobs, self.workers, lines) if not self.show else ():
                say(console, run if isinstance(run, str) else runs.describe(run))
        order = {job.key: k for k, job in enumerate(jobs)}
        found = sorted(runs.stored_runs(lines, jobs), key=lambda run: order[run.key])
        comparison.show_runs(console, self.protocols, found)
        if self.figures is not None:
            draw(self.figures, self.protocols, found)
        return content | {self.file.stem: [dataclasses.asdict(run) for run in found]}


@dataclass(frozen=True)
class AgentsCommand(TableCommand):
    """Train every agent on every game that it supports, and compare them."""

    agents: Names = ()
    """Names of agents as in train.py. Default: all."""
    file = RESULTS / "agents.jsonl"

    def learners_of_games(self, console: Console) -> Mapping[str, Sequence[Learner]]:
        names = select_names(self.agents, AGENTS)
        return {each.game: agents.learners_of(each, names) for each in self.protocols}


@dataclass(frozen=True)
class CompareCommand(TableCommand):
    """Train this project's agents and those of other libraries, and compare them."""

    seeds: Annotated[tuple[int, ...], tyro.conf.arg(metavar="NUMBER ...")] = tuple(range(1, 11))
    """Seeds, one run for each."""
    learners: Names = ()
    """Names of learners as in the tables, or how they begin. Default: all."""
    file = RESULTS / "compare.jsonl"

    def check(self) -> None:
        learners.check_installed()

    def learners_of_games(self, console: Console) -> Mapping[str, Sequence[Learner]]:
        for line in learners.left_out():
            say(console, line)
        sweeps, chosen = Lines(tuning.FILE), {}
        for protocol in self.protocols:
            of_game = learners.learners_of(protocol)
            chosen[protocol.game] = select_learners(self.learners, of_game)
            for learner in select_learners(self.learners, learners.tunable(of_game)):
                best = tuning.tuned(sweeps, protocol, learner)
                if best is None:
                    line = f"{protocol.game}, {learner.name} is left out: python -m benchmarks tune"
                    say(console, line)
                else:
                    chosen[protocol.game].append(best)
        return chosen


@dataclass(frozen=True)
class TuneCommand(LearnersCommand):
    """Search settings for the learners of `compare`."""

    learners: Names = ()
    """Names of learners as in the tables, or how they begin. Default: all."""
    trials: int = 20
    """Number of trials for each learner, each with seeds 100 to 102."""
    results: File = None
    """File to which each trial is appended as it comes. Default: benchmarks/tuned.jsonl, from which
    `compare` reads."""

    def check(self) -> None:
        learners.check_installed()

    def run(self, console: Console) -> dict[str, Any]:
        """Search; print a line per trial. Ctrl-C ends the search."""
        for line in learners.left_out():
            say(console, line)
        lines = Lines(self.results or tuning.FILE)
        content: dict[str, Any] = {}
        with interruptible_runs(content):
            for protocol in self.protocols:
                all_of_game = learners.tunable(learners.learners_of(protocol))
                for learner in select_learners(self.learners, all_of_game):
                    for line in tuning.tune(protocol, learner, lines, self.trials, self.workers):
                        say(console, line)
        return content


def select_learners(names: Sequence[str], learners: Sequence[Learner]) -> list[Learner]:
    """Return the learners whose names begin with one of `names`, or all if there are none."""
    return [each for each in learners if not names or each.name.startswith(tuple(names))]


def draw(folder: Path, protocols: Sequence[EvalProtocol], found: Sequence[Run]) -> None:
    """Write a picture of the learning curves of each game."""
    for protocol in protocols:
        if of_game := [run for run in found if run.game == protocol.game]:
            name = "".join(letter if letter.isalnum() else "_" for letter in protocol.game)
            draw_curves(protocol, of_game, folder / f"{name}.png")
