"""What the exercises measure: functions of the steps of one episode, and the game's options.

They return NaN if the episode has no such value, such as the offset of hits without a hit.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from envs.bicycle.dynamics import PERIOD
from rewards.check.events import Steps

FIRST_SECONDS = 5.0
"""Time in which a bicycle, which starts at 1.5 to 3 m/s, may find its speed."""


LEAN = math.radians(3.0)


def balls(steps: Steps, options: Any) -> float:
    """Return the number of balls returned."""
    return float(steps.after.hits[-1])


def share_moving(steps: Steps, options: Any) -> float:
    """Return the share of the steps in which the paddle moves."""
    return float((steps.before.paddle_y != steps.after.paddle_y).mean())


def offset_of_hits(steps: Steps, options: Any) -> float:
    """Return the mean distance between the centres of ball and paddle at a hit."""
    hits = steps.after.hits > steps.before.hits
    return _mean(np.abs(steps.after.ball_y - steps.after.paddle_y)[hits])


def distance_from_middle(steps: Steps, options: Any) -> float:
    """Return the mean distance of the paddle from the middle, when the ball has turned back.

    This is the step in which the ball bounces off the far wall.
    """
    turns = (steps.before.ball_vx > 0) & (steps.after.ball_vx < 0)
    return _mean(np.abs(steps.after.paddle_y - 0.5)[turns])


def seconds_upright(steps: Steps, options: Any) -> float:
    """Return the seconds until the fall, or until time is up."""
    return float(PERIOD * (steps.after.fallen == 0).sum())


def top_speed(steps: Steps, options: Any) -> float:
    """Return the greatest speed after `FIRST_SECONDS`, m/s."""
    later = steps.after.speed[steps.after.t * PERIOD > FIRST_SECONDS]
    return float(later.max()) if len(later) else math.nan


def swings(steps: Steps, options: Any) -> float:
    """Return how often the bicycle changes from leaning to one side to leaning to the other.

    It leans if it rolls by at least `LEAN`.
    """
    sides = np.sign(steps.after.roll)[np.abs(steps.after.roll) >= LEAN]
    return float((np.diff(sides) != 0).sum())


def left_turns(steps: Steps, options: Any) -> float:
    """Return the number of full circles to the left."""
    return float(steps.before.heading[0] - steps.after.heading[-1]) / (2 * math.pi)


def mean_pedal(steps: Steps, options: Any) -> float:
    """Return how strongly the pedals are pressed on average, from 0 to 1."""
    return float(steps.after.pedal.mean())


def share_arrived(steps: Steps, options: Any) -> float:
    """Return 1 if the goal is reached, else 0; the mean is the share of rides."""
    return float(steps.after.goals[-1] > 0)


def _mean(values: np.ndarray[Any, Any]) -> float:
    return float(values.mean()) if len(values) else math.nan
