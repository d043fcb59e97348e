"""Measures the speed of the games: steps and screens per second, on one thread."""

from __future__ import annotations

from functools import partial
from typing import Any

import gymnasium
import numpy as np

from benchmarks.measuring import Measure, Row, interleaved, rate
from envs.engine.capabilities import game_batch_of

ENV = "PaddleBall-v0"
GAMES = 1024
ROUND = 64  # number of precomputed actions, used in turn
REPEATS = 7
SECONDS = 0.5

VECTOR = Measure(
    f"paddle, state, {GAMES:,} games, one thread",
    "steps/s",
    "make_vec(...).step with random actions, including observations, rewards, infos and resets",
    50e6,
)
VECTOR_BARE = Measure(
    "the same, engine only", "steps/s", "GameBatch.step and restart, without copies and infos"
)
SCREENS = Measure(
    f"paddle, 84x84 screens written, {GAMES:,} games, one thread",
    "frames/s",
    "make_vec(..., frames=1, copy=False).step: one screen per step and game; the screens of new "
    "episodes are rendered too, but not counted",
    2e6,
)
SCREENS_BARE = Measure(
    "the same, engine only", "screens/s", "GameBatch.step and restart with frames=1"
)
SCREENS_DEFAULT = Measure(
    "the same, with default options",
    "stacks/s",
    "make_vec(...).step with frames=2 and copy=True: one stack of two screens per step and game",
)
SINGLE = Measure(
    "one environment, gymnasium.make(...).unwrapped.step",
    "steps/s",
    "random actions, including the reset at the end of each episode",
    300e3,
)


def measure_engine(repeats: int = REPEATS, seconds: float = SECONDS) -> list[Row]:
    """Measure all rows."""
    written = {"observation": "screen", "frames": 1, "copy": False}
    samples = [
        (VECTOR, partial(vector_rate, seconds)),
        (VECTOR_BARE, partial(batch_rate, seconds)),
        (SCREENS, partial(vector_rate, seconds, **written)),
        (SCREENS_BARE, partial(batch_rate, seconds, **written)),
        (SCREENS_DEFAULT, partial(vector_rate, seconds, observation="screen")),
        (SINGLE, partial(single_rate, seconds)),
    ]
    return interleaved(samples, repeats)


def vector_rate(seconds: float, **options: Any) -> float:
    """Return steps per second of all games, as an agent gets them."""
    env = gymnasium.make_vec(ENV, num_envs=GAMES, **options)
    env.reset(seed=0)
    found = rate(env.step, _actions(GAMES), GAMES, seconds)
    env.close()
    return found


def batch_rate(seconds: float, **options: Any) -> float:
    """Return steps per second of all games, without Gymnasium's dictionaries and copies."""
    env = gymnasium.make_vec(ENV, num_envs=GAMES, **options)
    env.reset(seed=0)
    batch = game_batch_of(env)
    assert batch is not None

    def step(actions: Any) -> None:
        ended = batch.step(actions)
        if len(ended):
            batch.restart(ended)

    return rate(step, _actions(GAMES), GAMES, seconds)


def single_rate(seconds: float) -> float:
    """Return steps per second of one environment."""
    env = gymnasium.make(ENV).unwrapped
    env.reset(seed=0)

    def step(action: int) -> None:
        _, _, terminated, truncated, _ = env.step(action)
        if terminated or truncated:
            env.reset()

    return rate(step, _actions(1)[:, 0].tolist(), 1, seconds)


def _actions(games: int) -> Any:
    """Return random actions of shape (ROUND, games), sampled before the clock starts."""
    return np.random.default_rng(0).integers(0, 3, (ROUND, games))
