"""Train every agent on every game that it supports, with the settings of its preset."""

from __future__ import annotations

import math
import multiprocessing
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from itertools import product

import torch
from rich.console import Console

from agents import make_agent
from agents.agent import Task, UnsuitableTaskError
from benchmarks.measuring import Clock
from benchmarks.report import number, show_table, show_text, spread
from benchmarks.training import new_run, preset_config, run_once, time_limit
from envs.registry import AGENTS
from training.evaluation import Evaluation, evaluate, fresh_seed
from training.loop import Run, train
from training.vector_runner import make_environments

GAMES: dict[str, tuple[str, ...]] = {
    "paddle": ("--env", "paddle"),
    "bicycle": ("--env", "bicycle"),
    "bicycle, 9 actions": ("--env", "bicycle", "--env-options", "action=discrete"),
    "CartPole-v1": ("--env", "CartPole-v1"),
    "Acrobot-v1": ("--env", "Acrobot-v1"),
    "Pendulum-v1": ("--env", "Pendulum-v1"),
    "MountainCarContinuous-v0": ("--env", "MountainCarContinuous-v0"),
    "paddle, screen": ("--env", "paddle", "--observation", "screen"),
    "bicycle, screen": ("--env", "bicycle", "--observation", "screen"),
}
"""Arguments for `python train.py`, by the name of the game in the tables."""
SCREEN_FACTOR = 3  # the time limit of runs that learn from pixels is this many times longer
NOT_LEARNING = ("random", "rules")
FRESH = 99  # part of the final evaluation's seed, so that no other evaluation shares it

HEADINGS = ("agent", "solved", "seconds to solved", "steps to solved", "mean score", "processor")


@dataclass(frozen=True)
class Outcome:
    """Result of one training run."""

    game: str
    agent: str
    seed: int
    solved: bool
    seconds: float
    """Seconds since the first step, including evaluations and videos."""
    steps: int
    score: float
    """Mean score of a final evaluation on new episodes."""
    processor: float
    """CPU seconds per second of wall time."""


def pairs(games: Sequence[str], agents: Sequence[str]) -> list[tuple[str, str]]:
    """Return all (game, agent) pairs in which the agent supports the game."""
    return [(game, agent) for game, agent in product(games, agents) if serves(agent, game)]


def serves(agent: str, game: str) -> bool:
    """Return whether the agent supports the game's observations and actions."""
    config = preset_config(0, options=[*GAMES[game], "--agent", agent])
    environments = make_environments(config.env, 1, config.make_options)
    spaces = environments.single_observation_space, environments.single_action_space
    environments.close()
    try:
        make_agent(agent, Task(config.env, *spaces, 1, 1), config.settings, 0)
    except UnsuitableTaskError:
        return False
    return True


def run_all(
    chosen: Sequence[tuple[str, str]], seeds: Sequence[int], seconds: float, jobs: int
) -> Iterator[Outcome]:
    """Yield the outcome of each run as it ends; `jobs` runs at a time, in separate processes."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=spawn, initializer=_warm_up) as pool:
        futures = [
            pool.submit(learn, game, agent, seed, seconds)
            for (game, agent), seed in product(chosen, seeds)
        ]
        for future in as_completed(futures):
            yield future.result()


def _warm_up() -> None:
    torch.set_num_threads(1)
    run_once(preset_config(seed=0, steps=20_000))  # torch initialises itself


def learn(game: str, agent: str, seed: int, seconds: float) -> Outcome:
    """Train with the preset until the game is solved, or the steps or the time are used up."""
    steps = 1 if agent in NOT_LEARNING else None
    config = preset_config(seed, steps, [*GAMES[game], "--agent", agent])
    torch.set_num_threads(config.threads)
    with new_run(config) as (run, logger, display):
        with time_limit(seconds * (SCREEN_FACTOR if "screen" in game else 1)) as over:
            clock = Clock()
            train(run, logger, display, over)
            spent, processor = clock.seconds(), clock.processor()
        found = evaluate_at_the_end(run)
    return Outcome(
        game, agent, seed, run.solved, spent, run.progress.steps, found.mean_score, processor
    )


def evaluate_at_the_end(run: Run) -> Evaluation:
    """Evaluate the agent of a run on seeds that its training has not used."""
    config = run.config
    seed = fresh_seed(config.seed, FRESH)
    return evaluate(run.agent, config.env, run.make_options, config.eval_episodes, seed)


def describe(outcome: Outcome) -> str:
    """Return the line to print when a run has ended."""
    how = "solved" if outcome.solved else "not solved"
    return (
        f"{outcome.game}, {outcome.agent}, seed {outcome.seed}: {how} after {outcome.seconds:.1f} "
        f"s, {outcome.steps:,} steps, score {outcome.score:.1f}"
    )


def show_agents(console: Console, outcomes: Sequence[Outcome]) -> None:
    """Print a table per game with a row per agent: median and range over the seeds."""
    for game in dict.fromkeys(outcome.game for outcome in outcomes):
        of_game = [outcome for outcome in outcomes if outcome.game == game]
        bar = preset_config(0, options=GAMES[game]).solved_score
        command = f"python train.py {' '.join(GAMES[game])}"
        show_text(console, f"\n{game}: {command}; solved at {number(bar or 0)}\n")
        names = [name for name in AGENTS if any(o.agent == name for o in of_game)]
        lines = [_line(name, [o for o in of_game if o.agent == name]) for name in names]
        show_table(console, HEADINGS, lines)


def _line(agent: str, outcomes: Sequence[Outcome]) -> tuple[str, ...]:
    score = spread([outcome.score for outcome in outcomes])
    if agent in NOT_LEARNING:
        return agent, "", "", "", score, ""
    return (
        agent,
        f"{sum(outcome.solved for outcome in outcomes)} of {len(outcomes)}",
        spread([o.seconds if o.solved else math.inf for o in outcomes]),
        spread([float(o.steps) if o.solved else math.inf for o in outcomes]),
        score,
        spread([outcome.processor for outcome in outcomes]),
    )
