"""The events of the bicycle, by task."""

from __future__ import annotations

from typing import Any

from envs.bicycle.tasks import NEAR
from rewards.check.events import GameEvents, Steps


def riding(steps: Steps, options: Any) -> Any:
    """The bicycle is upright."""
    return steps.after.fallen == 0


def near_speed(steps: Steps, options: Any) -> Any:
    """Upright, and within 0.5 m/s of the commanded speed."""
    off = abs(steps.after.speed - steps.after.commanded_speed)
    return riding(steps, options) & (off <= NEAR)


def off_speed(steps: Steps, options: Any) -> Any:
    """Upright, and more than 0.5 m/s off the commanded speed."""
    return riding(steps, options) & ~near_speed(steps, options)


def pedalling(steps: Steps, options: Any) -> Any:
    """The pedals are pressed, and the brake is not used."""
    return (steps.after.pedal > 0) & (steps.after.brake == 0)


def coasting(steps: Steps, options: Any) -> Any:
    """Neither the pedals nor the brake are used."""
    return (steps.after.pedal == 0) & (steps.after.brake == 0)


def braking(steps: Steps, options: Any) -> Any:
    """The brake is used."""
    return steps.after.brake > 0


def fall(steps: Steps, options: Any) -> Any:
    """The bicycle falls, or becomes too slow to stay upright."""
    return steps.after.fallen > 0


def goal_reached(steps: Steps, options: Any) -> Any:
    """Only with `task="goal"`: the goal is reached."""
    return steps.after.goals > steps.before.goals


def in_lane(steps: Steps, options: Any) -> Any:
    """Only with `task="path"`: upright and in the lane."""
    return riding(steps, options) & (abs(steps.after.lane_offset) <= options.lane_width / 2)


def off_lane(steps: Steps, options: Any) -> Any:
    """Only with `task="path"`: upright and outside the lane."""
    return riding(steps, options) & ~in_lane(steps, options)


def finish(steps: Steps, options: Any) -> Any:
    """Only with `task="slow"`: the finish line is crossed."""
    return steps.after.finished > steps.before.finished


ABOUT_TO_FALL = {"roll": 0.52, "roll_rate": 3.0}  # rad, rad/s; a fall is at 0.5236 rad
ALMOST = 0.01  # m before a goal or the finish line


def ride_starts(options: Any) -> list[dict[str, float]]:
    """Start about to fall, or at the fastest commanded speed."""
    speed = max(1.0, options.fastest_command)
    return [ABOUT_TO_FALL, {"speed": speed, "commanded_speed": speed}]


def goal_starts(options: Any) -> list[dict[str, float]]:
    """Start just before the goal, too."""
    ahead = {"goal_x": options.goal_radius + ALMOST, "goal_y": 0.0, "speed": 2.0}
    return [*ride_starts(options), ahead]


def path_starts(options: Any) -> list[dict[str, float]]:
    """Start on both sides of the lane, too."""
    aside = 1.5 * options.lane_width
    return [*ride_starts(options), {"y": aside}, {"y": -aside}]


def slow_starts(options: Any) -> list[dict[str, float]]:
    """Start just before the finish line, too."""
    return [*ride_starts(options), {"way": options.race_length - ALMOST, "speed": 2.0}]


RIDE = (riding, near_speed, off_speed, pedalling, coasting, braking)
WORSE = {"fall": "riding"}
EVENTS = {
    "bicycle-balance": GameEvents((*RIDE, fall), WORSE, ride_starts),
    "bicycle-goal": GameEvents((*RIDE, goal_reached, fall), WORSE, goal_starts),
    "bicycle-path": GameEvents(
        (*RIDE, in_lane, off_lane, fall), WORSE | {"off_lane": "in_lane"}, path_starts
    ),
    "bicycle-slow": GameEvents((*RIDE, finish, fall), WORSE, slow_starts),
}
