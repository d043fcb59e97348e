"""Train far past solved: an agent that has learned a game should not unlearn it.

`python train.py` stops once a game is solved. If another way of playing earns more, the agent would
have found it later, and nobody sees that the reward asks for something else than the score.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from itertools import groupby
from statistics import mean
from threading import Event
from typing import Annotated, Any

import torch
import tyro
from rich.console import Console

from agents.validation import at_least_one
from benchmarks.command import BenchmarkCommand, Names, select_names
from benchmarks.report import number, show_table
from benchmarks.training import in_processes, new_run, preset_config
from training.loop import train
from training.messages import say

GAMES: dict[str, tuple[str, ...]] = {
    "paddle": ("--env", "paddle"),
    "bicycle, balance": ("--env", "bicycle"),
    "bicycle, slow": ("--env", "bicycle", "--env-options", "task=slow"),
    "bicycle, path": ("--env", "bicycle", "--env-options", "task=path", "--solved-score", "90"),
    "bicycle, goal": ("--env", "bicycle", "--env-options", "task=goal"),
}
"""Arguments for `python train.py`. The preset of `path` has no solved score; 90 m are nine tenths
of the way at the mean commanded speed."""

HEADINGS = (
    "seed",
    "steps to solved",
    "later evaluations",
    "below the bar",
    "most in a row",
    "lowest score",
    "stays solved",
    "return if solved",
    "return below the bar",
)


@dataclass
class Curve:
    """A logger that keeps evaluations only: mean scores and returns by the number of steps."""

    scores: dict[int, float] = field(default_factory=dict)
    returns: dict[int, float] = field(default_factory=dict)

    def scalars(self, values: dict[str, float], step: int) -> None:
        """Keep the values of an evaluation."""
        if "eval/mean_score" in values:
            self.scores[step] = values["eval/mean_score"]
            self.returns[step] = values["eval/mean_reward"]

    def gif(self, *_: Any) -> None:
        """Keep no videos."""

    def embedding(self, *_: Any) -> None:
        """Keep no embeddings."""


@dataclass(frozen=True)
class Result:
    """Evaluations of a run that went on after it had solved the game."""

    game: str
    seed: int
    bar: float
    """Mean score from which on the game is solved."""
    solved_at: int | None
    """Steps until solved; None if it was not, and training ended."""
    curve: Curve

    @property
    def later_steps(self) -> list[int]:
        """Numbers of steps of the evaluations after the one that solved the game."""
        solved_at = self.solved_at
        return [n for n in self.curve.scores if solved_at is not None and n > solved_at]

    @property
    def later(self) -> list[float]:
        """Scores of these evaluations."""
        return [self.curve.scores[n] for n in self.later_steps]

    def mean_return(self, solved: bool) -> float | None:
        """Return the mean return of later evaluations that reach the bar, or of those that do not.

        If those that do not reach it earn more, the reward asks for something else than the score.
        If they earn less, learning was unstable.
        """
        scores, returns = self.curve.scores, self.curve.returns
        earned = [returns[n] for n in self.later_steps if (scores[n] >= self.bar) == solved]
        return mean(earned) if earned else None

    @property
    def below(self) -> int:
        """Number of later evaluations below the bar."""
        return sum(score < self.bar for score in self.later)

    @property
    def most_in_a_row(self) -> int:
        """Greatest number of successive later evaluations below the bar."""
        stretches = groupby(self.later, lambda score: score < self.bar)
        return max((len(list(scores)) for below, scores in stretches if below), default=0)

    @property
    def stays_solved(self) -> bool:
        """Whether no two successive later evaluations were below the bar; one may be bad luck."""
        return self.solved_at is not None and self.most_in_a_row <= 1


@dataclass(frozen=True)
class PastSolvedCommand(BenchmarkCommand):
    """Train ppo far past solved, and see whether what it learned stays."""

    games: Names = ()
    """Names of games as in the tables. Default: all."""
    factor: float = 10.0
    """How long to train altogether, as a multiple of the steps to solved."""
    reward: Annotated[str | None, tyro.conf.arg(metavar="REWARD", help_behavior_hint="")] = None
    """A reward as in train.py. Default: that of the game."""
    seeds: Annotated[tuple[int, ...], tyro.conf.arg(metavar="NUMBER ...")] = (1, 2, 3, 4, 5)
    """Seeds, one run for each."""
    jobs: int = 1
    """Number of runs in parallel, each in its own process."""

    def __post_init__(self) -> None:
        at_least_one(self, "jobs")
        if self.factor < 1:
            raise ValueError(f"--factor must be at least 1, got {self.factor}")

    def run(self, console: Console) -> dict[str, Any]:
        """Train; print a line per run, then a table per game."""
        games = select_names(self.games, GAMES)
        reward = () if self.reward is None else ("--reward", self.reward)
        results = []
        for result in train_all(games, self.seeds, self.factor, reward, self.jobs):
            say(console, describe(result))
            results.append(result)
        show_past_solved(console, results)
        return {"past_solved": [asdict(result) for result in results]}


def train_all(
    games: Sequence[str], seeds: Sequence[int], factor: float, options: Sequence[str], jobs: int
) -> Iterator[Result]:
    """Yield the result of each run as it ends; `jobs` at a time, in separate processes."""
    trials = [(game, seed) for game in games for seed in seeds]
    return in_processes(partial(train_past_solved, factor=factor, options=options), trials, jobs)


def train_past_solved(
    trial: tuple[str, int], factor: float = 10.0, options: Sequence[str] = ()
) -> Result:
    """Train ppo on (game, seed) until solved, then on to `factor` times as many steps.

    `options` are further arguments for `python train.py`.
    """
    game, seed = trial
    given = [*GAMES[game], "--agent", "ppo", "--video-frames", "0", *options]
    config = preset_config(seed, options=given)
    assert config.solved_score is not None
    torch.set_num_threads(config.threads)
    curve, solved_at = Curve(), None
    with new_run(config) as (run, _, display):
        train(run, curve, display, Event())
        if run.solved:
            solved_at = run.progress.steps
            run.config = replace(config, steps=round(factor * solved_at), solved_score=None)
            train(run, curve, display, Event())
    return Result(game, seed, config.solved_score, solved_at, curve)


def describe(result: Result) -> str:
    """Return the line to print when a run has ended."""
    run = f"{result.game}, seed {result.seed}"
    if result.solved_at is None:
        return f"{run}: not solved"
    return (
        f"{run}: solved after {result.solved_at:,} steps, then {result.below} of "
        f"{len(result.later)} evaluations below {number(result.bar)}"
    )


def show_past_solved(console: Console, results: Sequence[Result]) -> None:
    """Print a table per game with a row per seed."""
    for game in dict.fromkeys(result.game for result in results):
        mine = sorted((r for r in results if r.game == game), key=lambda result: result.seed)
        stay = f"{sum(result.stays_solved for result in mine)} of {len(mine)}"
        command = f"python train.py {' '.join(GAMES[game])}"
        bar = number(mine[0].bar)
        say(console, f"\n{game}: {command}; solved at {bar}; {stay} stay solved\n")
        show_table(console, HEADINGS, [_line(result) for result in mine])


def _line(result: Result) -> tuple[str, ...]:
    later, returns = result.later, (result.mean_return(True), result.mean_return(False))
    return (
        str(result.seed),
        "not reached" if result.solved_at is None else f"{result.solved_at:,}",
        str(len(later)),
        str(result.below),
        str(result.most_in_a_row),
        number(min(later)) if later else "",
        "yes" if result.stays_solved else "NO",
        *("" if earned is None else number(earned) for earned in returns),
    )
