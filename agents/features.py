"""Features made by hand: what a person thinks matters, as few numbers as will do, for each game.

They are of a size near 1, so that the numbers of a linear decision on them are so too. The last one
is always 1: its weight is what is decided where all else is 0.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from gymnasium import spaces

from agents.agent import Array, Task, UnsuitableTaskError
from agents.rules import direction
from envs.bicycle.game import SCALES
from envs.paddle.game import landing

Features = Callable[[Array], Array]
TENTHS = 10.0
STEERED_BY_SPEED = 6.5  # m/s; the slower, the more steering it takes to stop a fall
WIDEST_TURN = 1 / 3  # rad; what is further to the side is not steered to any harder


def paddle(observations: Array) -> Array:
    """(n, 3) of the 5 numbers of a state, in tenths of the box, which is half a paddle.

    How far below the paddle the ball will land, how far below it the ball is now, and 1.
    """
    x, y, paddle_y = ((observations[:, k].astype(np.float64) + 1) / 2 for k in (0, 1, 4))
    lands = landing(x, y, observations[:, 2], observations[:, 3])
    return np.stack((TENTHS * (lands - paddle_y), TENTHS * (y - paddle_y), np.ones(len(x))), 1)


def bicycle(observations: Array) -> Array:
    """(n, 8) for every task, of the observation of `envs.bicycle.game`, mostly in its units.

    Roll, steer, roll rate, roll rate times how much slower than 6.5 m/s it rides, steer rate, speed
    above the commanded one, how far to the right the way goes on (no more than 1/3 rad, in 1/3 rad;
    0 where a task shows no way), and 1.
    """
    roll, steer, roll_rate, steer_rate, speed, too_fast = observations.T[: len(SCALES)]
    slowness = np.maximum(0.0, STEERED_BY_SPEED - speed * SCALES[4])
    turn = np.clip(direction(observations[:, len(SCALES) :]) / WIDEST_TURN, -1.0, 1.0)
    felt = (roll, steer, roll_rate, slowness * roll_rate, steer_rate, too_fast)
    return np.stack((*felt, turn, np.ones(len(roll))), 1)


FEATURES: dict[str, Features] = {"PaddleBall-v0": paddle, "BicycleBalance-v0": bicycle}


def make_features(task: Task) -> Features:
    """Observations (n, ...) to features (n, k): the game's own, or else the observation and a 1.

    Raises:
        UnsuitableTaskError: if observations are no vectors.
    """
    space = task.observation_space
    if not isinstance(space, spaces.Box) or len(space.shape) != 1:
        raise UnsuitableTaskError(
            f"search: observations {space} cannot be served; what can are vectors (Box of one "
            "dimension), of which features were made by hand"
        )
    largest = np.maximum(np.abs(space.low), np.abs(space.high)).astype(np.float64)
    units = np.where(largest > 0.0, np.minimum(largest, 1.0), 1.0)

    def observation_and_one(observations: Array) -> Array:
        """What can only be small is magnified; what may be large without bound seldom is."""
        return np.concatenate((observations / units, np.ones((len(observations), 1))), 1)

    return FEATURES.get(task.env_id, observation_and_one)
