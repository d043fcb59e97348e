"""Reward terms of the bicycle.

A term is a plain function of the state before a step, the action and the state after it. The state
has the fields of `envs.bicycle.game.RIDE`, and those of the task (`envs.bicycle.tasks.TASKS`).
"""

from __future__ import annotations

import math
from typing import Any

from rewards.check.bicycle_events import EVENTS as EVENTS

DEFAULT = {
    "bicycle-balance": "0.1*stay_upright + 0.1*keep_speed",
    "bicycle-goal": "20*arrive_or_fall + towards_goal",
    "bicycle-path": "0.1*stay_upright + 0.1*in_lane + 0.1*keep_speed",
    "bicycle-slow": "0.1*stay_upright + 0.1*keep_speed",
}

CALLS_IN_A_STEP = 4.0
"""Interpreted calls of the first default term that take as long as a step of training with ppo."""
EXAMPLES = {
    "bicycle-balance": {"stay_upright": 0.1, "keep_speed": 0.1, "smooth": 0.1},
    "bicycle-goal": {"arrive_or_fall": 20.0, "towards_goal": 1.0, "smooth": 0.1},
    "bicycle-path": {"stay_upright": 0.1, "in_lane": 0.1, "keep_speed": 0.1},
    "bicycle-slow": {"stay_upright": 0.1, "keep_speed": 0.1, "smooth": 0.1},
}
"""Terms and weights that a new file of rewards begins with, by the game's name."""


def stay_upright(before: Any, action: Any, after: Any) -> float:
    """1 for each step, -10 for the step in which the bicycle falls."""
    return 1.0 - 11.0 * after.fallen


def keep_speed(before: Any, action: Any, after: Any) -> float:
    """1 at the commanded speed, 1/2 at 1 m/s off, 1/5 at 2 m/s off; closer always pays more."""
    error = after.speed - after.commanded_speed
    return 1.0 / (1.0 + error * error)


def progress(before: Any, action: Any, after: Any) -> float:
    """Metres forward along the x axis; riding in circles adds up to nothing."""
    return after.x - before.x


def towards_goal(before: Any, action: Any, after: Any) -> float:
    """Metres closer to the goal; every way there adds up to the same."""
    return before.metres_missing - after.metres_missing


def arrive_or_fall(before: Any, action: Any, after: Any) -> float:
    """1 for reaching the goal, -1 for a fall, else 0: exactly the aim, but it comes late."""
    return after.goals - before.goals - after.fallen


def smooth(before: Any, action: Any, after: Any) -> float:
    """Minus the square of the change of steer torque, in units of 10 N m."""
    change = (after.torque - before.torque) / 10.0
    return -change * change


def in_lane(before: Any, action: Any, after: Any) -> float:
    """1 in the middle of the lane, falling to 0 at one metre to the side."""
    return max(0.0, 1.0 - abs(after.lane_offset))


def any_motion(before: Any, action: Any, after: Any) -> float:
    """A trap: metres ridden in any direction. Riding in tiny circles pays just as well."""
    along, aside = after.x - before.x, after.y - before.y
    return math.sqrt(along * along + aside * aside)


def just_alive(before: Any, action: Any, after: Any) -> float:
    """A trap: 1 for each step upright. From 5 m/s on the bicycle stays upright by itself."""
    return 1.0 - after.fallen
