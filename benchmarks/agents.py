"""Every agent on every game that it serves, with its preset: what a student gets from each."""

from __future__ import annotations

import math
import multiprocessing
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from itertools import product
from threading import Event, Timer

import torch
from rich.console import Console

from agents import make_agent
from agents.agent import Task, UnsuitableTaskError
from benchmarks.measuring import Clock
from benchmarks.report import number, show_table, spread
from benchmarks.training import new_run, preset_config, run_once
from envs.registry import AGENTS
from training.evaluation import evaluate, fresh_seed
from training.loop import train
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
"""What `python train.py` is to be told."""
SCREEN_FACTOR = 3  # so many times longer may learning from pixels take
NOT_LEARNING = ("random", "rules")
FRESH = 99  # keeps the seeds of the final episodes apart from those of training

HEADINGS = ("agent", "solved", "seconds to solved", "steps to solved", "mean score", "processor")


@dataclass(frozen=True)
class Outcome:
    """What came of one run."""

    game: str
    agent: str
    seed: int
    solved: bool
    seconds: float
    """From the first step on, evaluations and films included."""
    steps: int
    score: float
    """Mean of fresh episodes at the end, as many as in an evaluation."""
    processor: float
    """Seconds of processor time in each of them."""


def pairs(games: Sequence[str], agents: Sequence[str]) -> list[tuple[str, str]]:
    """Those that go together."""
    return [(game, agent) for game, agent in product(games, agents) if serves(agent, game)]


def serves(agent: str, game: str) -> bool:
    """Can the agent see and do what there is in the game?"""
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
    """Outcomes as they come, `jobs` runs at a time, each in a process of its own."""
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
    run_once(preset_config(seed=0, steps=20_000))  # torch sets itself up


def learn(game: str, agent: str, seed: int, seconds: float) -> Outcome:
    """One run by the preset until it is solved, its steps are made or the time is over."""
    steps = 1 if agent in NOT_LEARNING else None
    config = preset_config(seed, steps, [*GAMES[game], "--agent", agent])
    torch.set_num_threads(config.threads)
    with new_run(config) as (run, logger, display):
        over = Event()
        limit = Timer(seconds * (SCREEN_FACTOR if "screen" in game else 1), over.set)
        limit.start()
        clock = Clock()
        train(run, logger, display, over)
        spent, processor = clock.seconds(), clock.processor()
        limit.cancel()
        found = run.confirmation if run.solved else None
        if found is None:
            found = evaluate(
                run.agent,
                config.env,
                run.make_options,
                config.eval_episodes,
                fresh_seed(seed, FRESH),
            )
    return Outcome(
        game, agent, seed, run.solved, spent, run.progress.steps, found.mean_score, processor
    )


def describe(outcome: Outcome) -> str:
    """A line as it comes."""
    how = "solved" if outcome.solved else "not solved"
    return (
        f"{outcome.game}, {outcome.agent}, seed {outcome.seed}: {how} after {outcome.seconds:.1f} "
        f"s, {outcome.steps:,} steps, score {outcome.score:.1f}"
    )


def show_agents(console: Console, outcomes: Sequence[Outcome]) -> None:
    """One table a game, one line an agent: medians, and lowest .. highest, over the seeds."""
    for game in dict.fromkeys(outcome.game for outcome in outcomes):
        of_game = [outcome for outcome in outcomes if outcome.game == game]
        bar = preset_config(0, options=GAMES[game]).solved_score
        console.print(
            f"\n{game}: python train.py {' '.join(GAMES[game])}; solved at {number(bar or 0)}\n",
            highlight=False,
            markup=False,
            soft_wrap=True,
        )
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
