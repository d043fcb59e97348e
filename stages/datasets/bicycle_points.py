"""Random states of riderless bicycles, and what happens to each of them next."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from envs.bicycle.dynamics import PERIOD
from envs.bicycle.game import MOST, bicycle, observe, reset, ride_on
from envs.engine.compilation import compiled
from envs.engine.rng import uniform
from stages.datasets.dataset import Array
from stages.datasets.paddle_states import generators

GAME = bicycle("balance")
FELT = ("roll", "steer", "roll rate", "steer rate", "speed")
"""Numbers of a point, each from `envs.bicycle.game.observe` and scaled to -1..1."""
FATES = ("rides on", "falls left", "falls right")
SLOWEST, FASTEST = 2.0, 6.0  # m/s at the start; a riderless bicycle is stable from 4.3
LATEST = round(2.0 / PERIOD)  # largest number of steps from the start to the point
FORESIGHT = round(4.0 / PERIOD)  # steps in which a bicycle must fall to count as falling


def rides(count: int, seed: int) -> tuple[Array, Array]:
    """Return points float32 (count, 5), and the index into `FATES` (count,) of each."""
    states = GAME.states(count)
    states["rng"] = generators(count, seed)
    felt = np.zeros((count, *GAME.observation_space.shape), np.float32)
    fates = np.zeros(count, np.int64)
    rides_kernel()(states, felt, fates, GAME.options_record(GAME.options()))
    return felt[:, : len(FELT)] / np.float32(MOST), fates


@functools.cache
def rides_kernel() -> Callable[..., None]:
    """Return the compiled loop over many rides."""

    def sample_rides(states: Any, felt: Any, fates: Any, options: Any) -> None:
        """Let each bicycle roll, observe it at a random step before it falls, and continue."""
        for i in range(states.size):
            state = states[i]
            reset(state, options[0])
            state.speed = uniform(state, SLOWEST, FASTEST)
            steps = 1 + int(uniform(state, 0.0, LATEST))
            while steps > 0 and state.fallen == 0:
                observe(state, felt[i], options[0])
                ride_on(state, 0.0, 0.0, 0.0, options[0])
                steps -= 1
            steps = FORESIGHT
            while steps > 0 and state.fallen == 0:
                ride_on(state, 0.0, 0.0, 0.0, options[0])
                steps -= 1
            if state.fallen > 0:
                fates[i] = 1 if state.roll < 0.0 else 2

    return compiled(sample_rides)
