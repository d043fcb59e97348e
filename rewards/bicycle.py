"""Reward terms of the bicycle.

A term is a plain function of the state before a step, the action and the state after it. Every
field of the state can be used by name: those of `envs.bicycle.game.RIDE`, and those that the task
adds (`envs.bicycle.tasks.TASKS`).
"""

from __future__ import annotations

import math
from typing import Any

from rewards.check.bicycle_events import MOMENTS as MOMENTS

DEFAULT = {
    "bicycle-balance": "0.1*stay_upright + 0.1*keep_speed",
    "bicycle-goal": "0.1*stay_upright + 0.1*keep_speed + 2*towards_goal",
    "bicycle-path": "0.1*stay_upright + 0.1*in_lane + 0.1*keep_speed",
    "bicycle-slow": "0.1*stay_upright + 0.1*keep_speed",
}

EXAMPLES = {
    "bicycle-balance": {"stay_upright": 0.1, "keep_speed": 0.1, "smooth": 0.1},
    "bicycle-goal": {"stay_upright": 0.1, "towards_goal": 2.0, "smooth": 0.1},
    "bicycle-path": {"stay_upright": 0.1, "in_lane": 0.1, "keep_speed": 0.1},
    "bicycle-slow": {"stay_upright": 0.1, "keep_speed": 0.1, "smooth": 0.1},
}
"""By the game's name: terms and weights that a new file of rewards begins with."""


def stay_upright(before: Any, action: Any, after: Any) -> float:
    """1 for each step, -10 for the one in which it falls."""
    return 1.0 - 11.0 * after.fallen


def keep_speed(before: Any, action: Any, after: Any) -> float:
    """1 at the commanded speed, 1/2 at 1 m/s off, 1/5 at 2 m/s: wherever one is, nearer pays."""
    error = after.speed - after.commanded_speed
    return 1.0 / (1.0 + error * error)


def progress(before: Any, action: Any, after: Any) -> float:
    """Metres won along the x axis, which riding in circles does not add up."""
    return after.x - before.x


def towards_goal(before: Any, action: Any, after: Any) -> float:
    """Metres won towards the goal: a potential's difference (Ng, Harada and Russell 1999)."""
    return before.metres_missing - after.metres_missing


def smooth(before: Any, action: Any, after: Any) -> float:
    """Minus the square of the change of steer torque, in units of 10 N m."""
    change = (after.torque - before.torque) / 10.0
    return -change * change


def in_lane(before: Any, action: Any, after: Any) -> float:
    """1 in the lane's middle, falling to 0 one metre to the side."""
    return max(0.0, 1.0 - abs(after.lane_offset))


def any_motion(before: Any, action: Any, after: Any) -> float:
    """A trap: metres ridden, whereto does not matter. Riding in tiny circles pays just as well."""
    along, aside = after.x - before.x, after.y - before.y
    return math.sqrt(along * along + aside * aside)


def just_alive(before: Any, action: Any, after: Any) -> float:
    """A trap: 1 for each step upright. Pedal up to 5 m/s and let go: there it rides by itself."""
    return 1.0 - after.fallen
