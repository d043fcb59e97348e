"""Train every agent with the same rewards on different scales: all of them should learn alike."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import product
from operator import mul
from time import time
from typing import Annotated, Any, NamedTuple

import torch
import tyro
from gymnasium.wrappers.vector import TransformReward
from rich.console import Console

from agents.validation import at_least_one, positive
from benchmarks.command import (
    BenchmarkCommand,
    Names,
    Seconds,
    Steps,
    interruptible_runs,
    select_names,
)
from benchmarks.protocol import GAMES
from benchmarks.report import number, show_table, spread
from benchmarks.training import in_processes, new_run, preset_config, time_limit
from rewards.expression import parse, written
from training.evaluation import evaluate, fresh_seed
from training.loop import train
from training.messages import say

FRESH = 99  # part of the final evaluation's seed, so that no other evaluation shares it
HEADINGS = (
    "agent, scale of the reward",
    "solved",
    "steps to solved",
    "mean score",
    "as scale 1",
)


class Budget(NamedTuple):
    """Limit of each run of an agent on a game."""

    steps: int
    seconds: float
    """What they take on one core of about 2022, evaluations included."""


BUDGETS: dict[str, dict[str, Budget]] = {
    "paddle": {
        "reinforce": Budget(300_000, 8),
        "ppo": Budget(600_000, 12),
        "reward_model": Budget(60_000, 25),
        "dqn": Budget(600_000, 20),
        "pqn": Budget(600_000, 16),
    },
    "bicycle": {
        "reinforce": Budget(300_000, 8),
        "ppo": Budget(500_000, 14),
        "sac": Budget(20_000, 20),
        "reward_model": Budget(60_000, 25),
    },
    "CartPole-v1": {
        "reinforce": Budget(300_000, 12),
        "ppo": Budget(100_000, 8),
        "reward_model": Budget(20_000, 20),
        "dqn": Budget(60_000, 50),
        "pqn": Budget(200_000, 25),
    },
    "Acrobot-v1": {"ppo": Budget(60_000, 12)},
    "Pendulum-v1": {"ppo": Budget(60_000, 10)},
    "MountainCarContinuous-v0": {"ppo": Budget(60_000, 6)},
}
"""By game and agent: every agent that learns by gradient from the rewards of the first three games,
and `ppo`, whose losses share a network, on games with other rewards."""


class Trial(NamedTuple):
    """One training run to do."""

    game: str
    agent: str
    scale: float
    seed: int
    steps: int


@dataclass(frozen=True)
class Result:
    """What came out of a trial."""

    game: str
    agent: str
    scale: float
    seed: int
    solved: bool
    steps: int
    score: float
    """Mean score of a final evaluation on new episodes; it does not depend on the scale."""

    @property
    def steps_to_solved(self) -> float:
        """Steps until solved; infinite if it was not."""
        return float(self.steps) if self.solved else math.inf


@dataclass(frozen=True)
class ScaleCommand(BenchmarkCommand):
    """Train every agent with the same rewards on different scales: all should learn alike."""

    games: Names = ()
    """Names of games as in the tables. Default: all."""
    agents: Names = ()
    """Names of agents as in train.py. Default: all."""
    scales: tuple[float, ...] = (1e-6, 1e-3, 1.0, 1e3, 1e6)
    """What all rewards are multiplied by."""
    seconds: Seconds = None
    """Time limit of all runs together; those that are not over by then are left out."""
    steps: Steps = None
    """Step budget of each run. Default: one for each game and agent."""
    seeds: Annotated[tuple[int, ...], tyro.conf.arg(metavar="NUMBER ...")] = (1, 2, 3, 4, 5)
    """Seeds, one run for each."""
    jobs: int = 1
    """Number of runs in parallel, each in its own process."""

    def __post_init__(self) -> None:
        at_least_one(self, "jobs")
        if self.seconds is not None:
            positive(self, "seconds")
        if self.steps is not None:
            at_least_one(self, "steps")
        if not all(0 < scale < math.inf for scale in self.scales):
            raise ValueError(f"--scales must be positive, got {' '.join(map(str, self.scales))}")

    def run(self, console: Console) -> dict[str, Any]:
        """Run all trials; print a line per run, then the tables.

        Ctrl-C and the time limit end the runs; the tables then show those that were over.
        """
        games = select_names(self.games, BUDGETS)
        agents = select_names(self.agents, {a: 0 for game in games for a in BUDGETS[game]})
        trials = plan(games, agents, self.scales, self.seeds, self.steps)
        total, minutes = sum(trial.steps for trial in trials), estimate(trials) / 60
        say(
            console,
            f"{len(trials)} runs of {total:,} steps together: at most about {minutes:.0f} minutes "
            f"on one core, {minutes / self.jobs:.1f} with {self.jobs} jobs",
        )
        results: list[Result] = []
        found: dict[str, Any] = {}
        with interruptible_runs(found):
            for result in run_trials(trials, self.jobs, self.seconds):
                say(console, describe(result))
                results.append(result)
        if len(results) < len(trials):
            say(console, f"\nStopped: {len(results)} of {len(trials)} runs are over.")
        show_scales(console, results)
        return found | {"scales": [asdict(result) for result in results]}


def plan(
    games: Sequence[str],
    agents: Sequence[str],
    scales: Sequence[float],
    seeds: Sequence[int],
    steps: int | None,
) -> list[Trial]:
    """Return all trials, seed by seed, so that the first ones say something about everything."""
    return [
        Trial(game, agent, scale, seed, steps or budget.steps)
        for seed, game in product(seeds, games)
        for agent, budget in BUDGETS[game].items()
        if agent in agents
        for scale in scales
    ]


def estimate(trials: Sequence[Trial]) -> float:
    """Return about how many seconds the trials take on one core, if none is solved early."""
    budgets = [(trial, BUDGETS[trial.game][trial.agent]) for trial in trials]
    return sum(trial.steps / budget.steps * budget.seconds for trial, budget in budgets)


def run_trials(trials: Sequence[Trial], jobs: int, seconds: float | None) -> Iterator[Result]:
    """Yield each result as it comes; `jobs` trials at a time, in separate processes.

    Trials that are not over after `seconds` altogether are left out.
    """
    deadline = math.inf if seconds is None else time() + seconds
    for result in in_processes(partial(learn, deadline=deadline), trials, jobs):
        if result is not None:
            yield result


def learn(trial: Trial, deadline: float = math.inf) -> Result | None:
    """Train until the game is solved or the steps are used up; None if the time is over before."""
    left = deadline - time()
    if left <= 0.0:
        return None
    options = [*GAMES[trial.game].arguments, "--agent", trial.agent, "--video-frames", "0"]
    config = preset_config(trial.seed, trial.steps, options)
    wrap = None
    if config.reward is None:
        wrap = partial(TransformReward, func=partial(mul, trial.scale))
    else:
        config = replace(config, reward=scaled(config.reward, trial.scale))
    torch.set_num_threads(config.threads)
    with new_run(config, wrap) as (run, logger, display):
        with time_limit(min(left, 1e6)) as over:
            train(run, logger, display, over)
        if over.is_set():
            return None
        seed = fresh_seed(config.seed, FRESH)
        found = evaluate(run.agent, config.env, run.make_options, config.eval_episodes, seed)
        return Result(*trial[:4], run.solved, run.progress.steps, found.mean_score)


def scaled(expression: str, scale: float) -> str:
    """Return a weighted sum of reward terms with all weights multiplied by `scale`."""
    return written([part._replace(weight=scale * part.weight) for part in parse(expression)])


def describe(result: Result) -> str:
    """Return the line to print when a trial has ended."""
    how = "solved" if result.solved else "not solved"
    return (
        f"{result.game}, {result.agent}, scale {result.scale:g}, seed {result.seed}: {how} after "
        f"{result.steps:,} steps, score {result.score:.3g}"
    )


def show_scales(console: Console, results: Sequence[Result]) -> None:
    """Print a table per game with a row per agent and scale: median and range over the seeds."""
    for game in dict.fromkeys(trial.game for trial in results):
        arguments = " ".join(GAMES[game].arguments)
        say(console, f"\n{game}: python train.py {arguments} --agent NAME --reward ...\n")
        lines = []
        for agent in BUDGETS[game]:
            of_agent = [r for r in results if (r.game, r.agent) == (game, agent)]
            at_one = [result for result in of_agent if result.scale == 1.0]
            for scale in sorted({result.scale for result in of_agent}):
                here = [result for result in of_agent if result.scale == scale]
                lines.append(_line(agent, scale, here, at_one))
        show_table(console, HEADINGS, lines)


def _line(
    agent: str, scale: float, results: Sequence[Result], at_one: Sequence[Result]
) -> tuple[str, ...]:
    return (
        f"{agent}, {scale:g}",
        f"{sum(result.solved for result in results)} of {len(results)}",
        spread([result.steps_to_solved for result in results]),
        spread([result.score for result in results]),
        "" if scale == 1.0 or not at_one else _verdict(results, at_one),
    )


def _verdict(results: Sequence[Result], at_one: Sequence[Result]) -> str:
    """Return whether the median is within the range of the runs at scale 1.

    Steps to solved are compared; if the median run at scale 1 is not solved, scores are.
    """
    steps = [[result.steps_to_solved for result in each] for each in (results, at_one)]
    scores = [[result.score for result in each] for each in (results, at_one)]
    here, there = steps if math.isfinite(statistics.median(steps[1])) else scores
    median, low, high = statistics.median(here), min(there), max(there)
    if low <= median <= high:
        return "yes"
    return f"NO: {number(median)} is outside {number(low)} .. {number(high)}"
