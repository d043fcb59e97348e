"""How fast the games run: steps and screens a second, on one thread."""

from __future__ import annotations

from functools import partial
from typing import Any

import gymnasium
import numpy as np

from benchmarks.measuring import Measure, Row, interleaved, rate

ENV = "PaddleBall-v0"
GAMES = 1024
ROUND = 64  # actions drawn beforehand, used again and again
REPEATS = 7
SECONDS = 0.5

VECTOR = Measure(
    f"paddle, state, {GAMES:,} games, one thread",
    "steps/s",
    "make_vec(...).step with random actions: observations, rewards, infos, new episodes",
    50e6,
)
VECTOR_BARE = Measure(
    "the same, engine alone",
    "steps/s",
    "GameBatch.step and restart: the same without copies and infos",
)
SCREENS = Measure(
    f"paddle, 84x84 screens written, {GAMES:,} games, one thread",
    "frames/s",
    "make_vec(..., frames=1, copy=False).step: one screen drawn a step and game; those of new "
    "episodes are drawn too, but not counted",
    2e6,
)
SCREENS_BARE = Measure(
    "the same, engine alone",
    "screens/s",
    "GameBatch.step and restart with frames=1",
)
SCREENS_DEFAULT = Measure(
    "the same, as made by default",
    "stacks/s",
    "make_vec(...).step with frames=2 and copy=True: one stack of two screens a step and game",
)
SINGLE = Measure(
    "one environment, gymnasium.make(...).unwrapped.step",
    "steps/s",
    "random actions; reset at each episode's end is within the time",
    300e3,
)


def measure_engine(repeats: int = REPEATS, seconds: float = SECONDS) -> list[Row]:
    """All rows of this theme."""
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
    """Steps a second of all games together, as an agent gets them."""
    env = gymnasium.make_vec(ENV, num_envs=GAMES, **options)
    env.reset(seed=0)
    found = rate(env.step, _actions(GAMES), GAMES, seconds)
    env.close()
    return found


def batch_rate(seconds: float, **options: Any) -> float:
    """Steps a second of all games together, without what Gymnasium's conventions add."""
    env = gymnasium.make_vec(ENV, num_envs=GAMES, **options)
    env.reset(seed=0)
    batch: Any = env.unwrapped.batch  # type: ignore[attr-defined]

    def step(actions: Any) -> None:
        ended = batch.step(actions)
        if len(ended):
            batch.restart(ended)

    return rate(step, _actions(GAMES), GAMES, seconds)


def single_rate(seconds: float) -> float:
    """Steps a second of one environment."""
    env = gymnasium.make(ENV).unwrapped
    env.reset(seed=0)

    def step(action: int) -> None:
        _, _, terminated, truncated, _ = env.step(action)
        if terminated or truncated:
            env.reset()

    return rate(step, _actions(1)[:, 0].tolist(), 1, seconds)


def _actions(games: int) -> Any:
    """Random ones (round, games), drawn before the clock runs."""
    return np.random.default_rng(0).integers(0, 3, (ROUND, games))
