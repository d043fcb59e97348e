"""Hand-written rules and features for paddle-and-ball, computed from the five observed numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from gymnasium import spaces

from envs.paddle.game import landing

Array = np.ndarray[Any, Any]
TENTHS = 10.0


def follow(observations: Array) -> Array:
    """Stay level with the ball. This is enough while the ball is slower than the paddle."""
    return _move_towards(observations[:, 1], observations[:, 4])


def intercept(observations: Array) -> Array:
    """Go to where the ball will land, bounces included, and wait there."""
    x, y, paddle_y = ((observations[:, k].astype(np.float64) + 1) / 2 for k in (0, 1, 4))
    velocity_x, velocity_y = observations[:, 2], observations[:, 3]  # only their ratio matters
    return _move_towards(landing(x, y, velocity_x, velocity_y), paddle_y, slack=0.01)


def _move_towards(target: Array, paddle_y: Array, slack: float = 0.02) -> Array:
    """Return 0 (up), 1 (stay) or 2 (down); stay if the target is closer than `slack`."""
    return 1 + (target > paddle_y + slack).astype(np.int64) - (target < paddle_y - slack)


def rules(action_space: spaces.Space[Any]) -> dict[str, Callable[[Array], Array]]:
    """Return the rules for an action space by name, best first: observations (n, 5) to actions."""
    return {"intercept": intercept, "follow": follow}


def features(observations: Array) -> Array:
    """Return 3 hand-made features (n, 3) of observations (n, 5).

    How far below the paddle the ball will land, how far below the paddle the ball is now (both in
    tenths of the box, which is half a paddle), and a constant 1.
    """
    x, y, paddle_y = ((observations[:, k].astype(np.float64) + 1) / 2 for k in (0, 1, 4))
    lands = landing(x, y, observations[:, 2], observations[:, 3])
    return np.stack((TENTHS * (lands - paddle_y), TENTHS * (y - paddle_y), np.ones(len(x))), 1)
