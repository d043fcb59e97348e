"""Measures the speed of the bicycle, and how soon agents learn each of its tasks."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from threading import Event
from typing import Any

import gymnasium
import torch

from agents import make_agent, settings_type
from agents.agent import Task
from benchmarks.measuring import Clock, Measure, Row, interleaved, rate
from benchmarks.training import new_run, preset_config, without_evaluations
from training.evaluation import Evaluation, evaluate, fresh_seed
from training.loop import train

ENV = "BicycleBalance-v0"
RIDES = 1024
EPISODES = 100
SEEDS = (1, 2, 3, 4, 5)
BETWEEN_EVALUATIONS = 25_000  # environment steps
MOST_STEPS = 2_000_000
EVALUATION_KEY = 77  # part of the seed, so that training does not share it

STEPPED = Measure(
    f"bicycle, {RIDES:,} rides, one thread",
    "steps/s",
    "make_vec(...).step of the balance task with random actions, everything included",
    6e6,
)
UPRIGHT = Measure(
    "ppo on balance: first step to 95 of 100 new 20 s rides upright",
    "s",
    f"the preset, one run per seed, evaluated every {BETWEEN_EVALUATIONS:,} steps, evaluations "
    "included; a seed that does not get there counts as infinite",
    4.0,
    "less",
)
PRACTICE = Measure(
    "training episodes until then",
    "rides",
    "episodes of the same runs. Randlov and Alstrom (1998) report about 1,700 until their agent "
    "kept its balance, with another model (no trail, an opposite gyroscopic term), other actions "
    "(5 torques and leaning), another algorithm (Sarsa(lambda)) and falls at 12 degrees. The two "
    "numbers have the same order of magnitude; no finer comparison is possible",
    1000.0,
    "less",
)
GOAL = Measure(
    "ppo on goal: until 9 of 10 new rides reach it", "s", "as for balance", 120.0, "less"
)
PATH = Measure(
    "ppo on path: until 95 % of the way is ridden in the lane",
    "s",
    "as for balance; share of the distance of 100 new rides that is ridden inside the lane, with "
    "at least 95 rides without a fall",
    120.0,
    "less",
)
SLOW = Measure(
    "ppo on slow: until slower than the hand-written rider",
    "s",
    "as for balance; mean seconds for 30 m over the same 100 races, where a fall counts as 0",
    120.0,
    "less",
)


@dataclass(frozen=True)
class Trained:
    """What an agent needed to learn a task; infinite if it never learned it."""

    seconds: float
    processor: float
    rides: float


def measure_bicycle(seeds: Sequence[int] = SEEDS, most_steps: int = MOST_STEPS) -> list[Row]:
    """Measure all rows."""
    torch.set_num_threads(1)
    rows = interleaved([(STEPPED, partial(step_rate, 0.5))], 7)
    rows += [
        baseline(*rider_of) for rider_of in (("random", ""), ("rules", "let_go"), ("rules", "ride"))
    ]
    train_until("balance", 0, lambda evaluation: True, BETWEEN_EVALUATIONS)  # torch warms up
    hand_written = evaluate_rides(rider("rules", "ride", "slow"), "slow").mean_score
    balanced = [train_until("balance", seed, is_upright, most_steps) for seed in seeds]
    processor = tuple(run.processor for run in balanced)
    rows.append(Row(UPRIGHT, tuple(run.seconds for run in balanced), processor))
    rows.append(Row(PRACTICE, tuple(run.rides for run in balanced), processor))

    def is_slower(races: Evaluation) -> bool:
        return races.mean_score > hand_written

    tasks = ((GOAL, "goal", is_at_goal), (PATH, "path", is_in_lane), (SLOW, "slow", is_slower))
    for measure, task, able in tasks:
        runs = [train_until(task, seed, able, most_steps) for seed in seeds]
        seconds = tuple(run.seconds for run in runs)
        rows.append(Row(measure, seconds, tuple(run.processor for run in runs)))
    return rows


def step_rate(seconds: float) -> float:
    """Return steps per second of all rides."""
    env = gymnasium.make_vec(ENV, num_envs=RIDES)
    env.reset(seed=0)
    env.action_space.seed(0)
    return rate(env.step, [env.action_space.sample() for _ in range(64)], RIDES, seconds)


def baseline(agent: str, rule: str) -> Row:
    """Evaluate an agent that does not learn on the balance task."""
    found = evaluate_rides(rider(agent, rule, "balance"), "balance")
    upright = (found.lengths == found.lengths.max()).mean()
    measure = Measure(
        f"balance ridden by {rule or agent}",
        "s",
        "mean score: seconds of 20 upright and near the commanded speed, 100 rides, of which "
        f"{upright:.0%} have the maximum length ({found.lengths.max() / 50:.0f} s)",
    )
    return Row(measure, (found.mean_score,), (1.0,))


def rider(agent: str, rule: str, task: str) -> Any:
    """Return an agent that does not learn."""
    env = gymnasium.make(ENV, task=task)
    settings = settings_type(agent)(**({"rule": rule} if rule else {}))
    return make_agent(agent, Task(ENV, env.observation_space, env.action_space, 1, 1), settings, 0)


def evaluate_rides(agent: Any, task: str, *key: int) -> Evaluation:
    """Evaluate on new rides; their returns are the metres ridden."""
    options = {"task": task, "reward": "any_motion"}
    return evaluate(agent, ENV, options, EPISODES, fresh_seed(EVALUATION_KEY, *key))


def is_upright(rides: Evaluation) -> bool:
    """Return whether 95 of 100 rides lasted 20 s."""
    return float((rides.lengths == 1000).mean()) >= 0.95


def is_at_goal(rides: Evaluation) -> bool:
    """Return whether 9 of 10 rides reached the goal."""
    return float((rides.scores == 1.0).mean()) >= 0.9


def is_in_lane(rides: Evaluation) -> bool:
    """Return whether 95 % of the distance was in the lane and 95 of 100 rides lasted 40 s."""
    lasted = float((rides.lengths == 2000).mean())
    return lasted >= 0.95 and float(rides.scores.sum() / rides.returns.sum()) >= 0.95


def train_until(
    task: str, seed: int, able: Callable[[Evaluation], bool], most_steps: int
) -> Trained:
    """Train with the preset until `able` accepts an evaluation on new rides."""
    config = preset_config(seed, options=["--env", "bicycle", "--env-options", f"task={task}"])
    with new_run(without_evaluations(config, config.steps)) as (run, logger, display):
        clock = Clock()
        while run.progress.steps < most_steps:
            run.config = replace(run.config, steps=run.progress.steps + BETWEEN_EVALUATIONS)
            train(run, logger, display, Event())
            if able(evaluate_rides(run.agent, task, seed, run.progress.steps)):
                return Trained(clock.seconds(), clock.processor(), run.progress.episodes)
        return Trained(math.inf, clock.processor(), math.inf)
