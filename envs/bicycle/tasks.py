"""What a ride is for: four tasks on the same dynamics, each with its own start, end and score."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from envs.bicycle import screen
from envs.bicycle.dynamics import PERIOD
from envs.bicycle.lane import lane_slope, lane_y
from envs.bicycle.model import Parameters
from envs.engine.game import Field
from envs.engine.rng import uniform

NEAR = 0.5  # m/s off the commanded speed that still count as near
LOOKED_AHEAD = (2.0, 5.0, 9.0)  # m, where the lane is seen
HUNDRED_METRES = 100.0


@dataclass(frozen=True)
class BicycleOptions(Parameters):
    """What the bicycle is made of, and how it is ridden; of every task."""

    gust: float = 0.0
    """Standard deviation of a random roll torque, new at each step, N m."""
    frictionless: bool = False
    """Nothing drives or brakes: no drag, rolling resistance, pedal or brake."""
    hold_speed: bool = False
    """The speed stays what it is."""
    slowest_command: float = 1.5
    """The commanded speed is drawn from here, m/s ..."""
    fastest_command: float = 3.5
    """... to here."""
    max_steps: int = 1000
    """Steps of 0.02 s after which an episode is truncated."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._require("gust", 0.0, 10_000.0)
        self._require("slowest_command", 0.0, 30.0)
        self._require("fastest_command", self.slowest_command, 30.0)
        self._require("max_steps", 1, 1_000_000_000)


@dataclass(frozen=True)
class GoalOptions(BicycleOptions):
    """`task="goal"`."""

    goal_distance: float = 50.0
    """The goal is at least this far away at the start, and at most twice as far, m."""
    goal_radius: float = 3.0
    """From here on it is reached, m."""
    max_steps: int = 4000
    """Steps of 0.02 s after which an episode is truncated."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._require("goal_distance", 1.0, 10_000.0)
        self._require("goal_radius", 0.01, self.goal_distance)


@dataclass(frozen=True)
class PathOptions(BicycleOptions):
    """`task="path"`."""

    lane_width: float = 2.0
    """m."""
    winding: float = 2.0
    """How far the lane swings to either side, m."""
    max_steps: int = 2000
    """Steps of 0.02 s after which an episode is truncated."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._require("lane_width", 0.1, 100.0)
        self._require("winding", 0.0, 20.0)


@dataclass(frozen=True)
class SlowOptions(BicycleOptions):
    """`task="slow"`."""

    slowest_command: float = 0.5
    """The commanded speed is drawn from here, m/s ..."""
    fastest_command: float = 0.5
    """... to here."""
    race_length: float = 30.0
    """m."""
    max_steps: int = 6000
    """Steps of 0.02 s after which an episode is truncated."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._require("race_length", 0.1, 10_000.0)


def begin_balance(state: Any, options: Any) -> None:
    """Nothing but the ride itself."""


def measure_nothing(state: Any, options: Any) -> None:
    """No field of the state follows from the others."""


def count_balance(state: Any, options: Any) -> None:
    """Count the steps upright near the commanded speed."""
    if state.fallen == 0 and abs(state.speed - state.commanded_speed) <= NEAR:
        state.good_steps += 1


def score_balance(state: Any) -> float:
    """Seconds upright near the commanded speed."""
    return PERIOD * state.good_steps


def never(state: Any, options: Any) -> bool:
    """Only a fall ends the ride."""
    return False


def see_nothing_else(state: Any, out: Any, options: Any) -> None:
    """The ride itself is all there is to see."""


def begin_goal(state: Any, options: Any) -> None:
    """Draw the goal anywhere around."""
    distance = uniform(state, options.goal_distance, 2.0 * options.goal_distance)
    direction = uniform(state, -math.pi, math.pi)
    state.goal_x = state.x + distance * math.cos(direction)
    state.goal_y = state.y + distance * math.sin(direction)


def measure_goal(state: Any, options: Any) -> None:
    """How far is it still?"""
    ahead, aside = state.goal_x - state.x, state.goal_y - state.y
    state.metres_missing = max(0.0, math.sqrt(ahead * ahead + aside * aside) - options.goal_radius)


def count_goal(state: Any, options: Any) -> None:
    """Is it reached?"""
    if state.fallen == 0 and state.metres_missing <= 0.0:
        state.goals = 1


def goal_reached(state: Any, options: Any) -> bool:
    """That ends the ride well."""
    return state.goals > 0


def see_goal(state: Any, out: Any, options: Any) -> None:
    """Cosine and sine of its direction from the heading, and the metres missing."""
    direction = math.atan2(state.goal_y - state.y, state.goal_x - state.x) - state.heading
    out[0] = math.cos(direction)
    out[1] = math.sin(direction)
    out[2] = min(state.metres_missing / HUNDRED_METRES, 3.0)


def score_goal(state: Any) -> float:
    """1 for the goal reached; else minus the hundreds of metres missing."""
    return state.goals - state.metres_missing / HUNDRED_METRES


def begin_path(state: Any, options: Any) -> None:
    """Draw the lane; the ride starts in its middle and along it."""
    state.long_phase = uniform(state, -math.pi, math.pi)
    state.short_phase = uniform(state, -math.pi, math.pi)
    state.heading = math.atan(lane_slope(state, state.x, options))


def measure_path(state: Any, options: Any) -> None:
    """How far off the lane's centre is it?"""
    slope = lane_slope(state, state.x, options)
    along = 1.0 / math.sqrt(1.0 + slope * slope)  # cosine of the lane's direction
    state.lane_offset = (state.y - lane_y(state, state.x, options)) * along


def count_path(state: Any, options: Any) -> None:
    """How many metres along the lane were ridden within it?"""
    if abs(state.lane_offset) <= options.lane_width / 2 and state.fallen == 0:
        slope = lane_slope(state, state.x, options)
        along = 1.0 / math.sqrt(1.0 + slope * slope)
        forwards = along * (math.cos(state.heading) + math.sin(state.heading) * slope)
        state.lane_metres += state.speed * PERIOD * forwards


def see_lane(state: Any, out: Any, options: Any) -> None:
    """How far to its left the lane's centre is, in lane widths, and the directions to it ahead."""
    out[0] = min(max(state.lane_offset / options.lane_width, -3.0), 3.0)
    cos, sin = math.cos(state.heading), math.sin(state.heading)
    for k in range(len(LOOKED_AHEAD)):
        ahead = LOOKED_AHEAD[k]
        aside = lane_y(state, state.x + ahead, options) - state.y
        direction = math.atan2(cos * aside - sin * ahead, cos * ahead + sin * aside)
        out[1 + k] = min(max(2.0 * direction, -3.0), 3.0)


def score_path(state: Any) -> float:
    """Metres ridden along the lane within it."""
    return state.lane_metres


def race_over(state: Any, options: Any) -> bool:
    """The finishing line is reached."""
    return state.way >= options.race_length


def count_slow(state: Any, options: Any) -> None:
    """Is the finishing line passed?"""
    if state.fallen == 0 and race_over(state, options):
        state.finished = 1


def see_rest(state: Any, out: Any, options: Any) -> None:
    """The part of the race that is still to be ridden."""
    out[0] = max(0.0, 1.0 - state.way / options.race_length)


def score_slow(state: Any) -> float:
    """Seconds taken for the race, the more the better; 0 for who does not finish."""
    return PERIOD * state.t * state.finished


@dataclass(frozen=True)
class Task:
    """What a task adds to the ride."""

    options: type[BicycleOptions]
    fields: tuple[Field, ...]
    """Its fields of the state."""
    begin: Callable[[Any, Any], None]
    """begin(state, options): after the ride's own start was drawn."""
    measure: Callable[[Any, Any], None]
    """measure(state, options): update the fields that follow from others."""
    count: Callable[[Any, Any], None]
    """count(state, options): after each step, and after `measure`."""
    over: Callable[[Any, Any], bool]
    """over(state, options): is the ride done, other than by a fall?"""
    seen: int
    """How many numbers `see` writes."""
    see: Callable[[Any, Any, Any], None]
    """see(state, out, options)."""
    draw: Callable[[Any, Any, Any], None]
    """draw(state, screen, options): onto a black screen."""
    score: Callable[[Any], float]
    """score(state)."""


TASKS: dict[str, Task] = {
    "balance": Task(
        BicycleOptions,
        (Field("good_steps", "i8", "steps upright near the commanded speed"),),
        begin_balance,
        measure_nothing,
        count_balance,
        never,
        0,
        see_nothing_else,
        screen.draw_ride,
        score_balance,
    ),
    "goal": Task(
        GoalOptions,
        (
            Field("goal_x", "f8", "m, where the goal is"),
            Field("goal_y", "f8", "m, to the right of the x axis"),
            Field("metres_missing", "f8", "m from here to the goal's rim"),
            Field("goals", "i8", "1 once it is reached"),
        ),
        begin_goal,
        measure_goal,
        count_goal,
        goal_reached,
        3,
        see_goal,
        screen.draw_goal,
        score_goal,
    ),
    "path": Task(
        PathOptions,
        (
            Field("long_phase", "f8", "rad, of the lane's long wave"),
            Field("short_phase", "f8", "rad, of its short one"),
            Field("lane_offset", "f8", "m to the right of the lane's centre"),
            Field("lane_metres", "f8", "m ridden along the lane within it"),
        ),
        begin_path,
        measure_path,
        count_path,
        never,
        1 + len(LOOKED_AHEAD),
        see_lane,
        screen.draw_path,
        score_path,
    ),
    "slow": Task(
        SlowOptions,
        (Field("finished", "i8", "1 once the finishing line is passed"),),
        begin_balance,
        measure_nothing,
        count_slow,
        race_over,
        1,
        see_rest,
        screen.draw_slow,
        score_slow,
    ),
}
