"""The tasks: four on the same dynamics, each with its own start, end and score."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from envs.bicycle import screen
from envs.bicycle.dynamics import PERIOD
from envs.bicycle.lane import lane_slope, lane_y
from envs.bicycle.model import Parameters
from envs.engine.game import Field, no_derived_fields
from envs.engine.rng import uniform

NEAR = 0.5  # m/s, maximum difference from the commanded speed that counts as keeping it
LOOKED_AHEAD = (2.0, 5.0, 9.0)  # m, distances at which the lane is observed
HUNDRED_METRES = 100.0


@dataclass(frozen=True)
class BicycleOptions(Parameters):
    """Options of all tasks: the bicycle's parameters and the conditions of the ride."""

    gust: float = 0.0
    """Standard deviation of the random roll torque of each step, N m."""
    frictionless: bool = False
    """Whether to leave out drag, rolling resistance, pedal and brake."""
    hold_speed: bool = False
    """Whether to keep the speed constant."""
    slowest_command: float = 1.5
    """Minimum of the random commanded speed, m/s."""
    fastest_command: float = 3.5
    """Maximum of the random commanded speed, m/s."""
    max_steps: int = 1000
    """Number of steps of 0.02 s after which an episode is truncated."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._require("gust", 0.0, 10_000.0)
        self._require("slowest_command", 0.0, 30.0)
        self._require("fastest_command", self.slowest_command, 30.0)
        self._require("max_steps", 1, 1_000_000_000)


@dataclass(frozen=True)
class GoalOptions(BicycleOptions):
    """Options of `task="goal"`."""

    goal_distance: float = 50.0
    """Minimum distance of the goal at the start, m; the maximum is twice as much."""
    goal_radius: float = 3.0
    """Distance within which the goal is reached, m."""
    max_steps: int = 4000
    """Number of steps of 0.02 s after which an episode is truncated."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._require("goal_distance", 1.0, 10_000.0)
        self._require("goal_radius", 0.01, self.goal_distance)


@dataclass(frozen=True)
class PathOptions(BicycleOptions):
    """Options of `task="path"`."""

    lane_width: float = 2.0
    """Width of the lane, m."""
    winding: float = 2.0
    """Amplitude of the lane's long wave, m."""
    max_steps: int = 2000
    """Number of steps of 0.02 s after which an episode is truncated."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._require("lane_width", 0.1, 100.0)
        self._require("winding", 0.0, 20.0)


@dataclass(frozen=True)
class SlowOptions(BicycleOptions):
    """Options of `task="slow"`."""

    slowest_command: float = 0.5
    """Minimum of the random commanded speed, m/s."""
    fastest_command: float = 0.5
    """Maximum of the random commanded speed, m/s."""
    race_length: float = 30.0
    """Length of the race, m."""
    max_steps: int = 6000
    """Number of steps of 0.02 s after which an episode is truncated."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._require("race_length", 0.1, 10_000.0)


def begin_balance(state: Any, options: Any) -> None:
    """Add nothing to the start of the ride."""


def count_balance(state: Any, options: Any) -> None:
    """Count the steps upright near the commanded speed."""
    if state.fallen == 0 and abs(state.speed - state.commanded_speed) <= NEAR:
        state.good_steps += 1


def score_balance(state: Any) -> float:
    """Return the seconds upright near the commanded speed."""
    return PERIOD * state.good_steps


def never(state: Any, options: Any) -> bool:
    """Return False: only a fall ends the ride."""
    return False


def observe_nothing(state: Any, out: Any, options: Any) -> None:
    """Write nothing: the ride itself is all of the observation."""


def begin_goal(state: Any, options: Any) -> None:
    """Sample a goal in any direction."""
    distance = uniform(state, options.goal_distance, 2.0 * options.goal_distance)
    direction = uniform(state, -math.pi, math.pi)
    state.goal_x = state.x + distance * math.cos(direction)
    state.goal_y = state.y + distance * math.sin(direction)


def derive_goal(state: Any, options: Any) -> None:
    """Compute the remaining distance to the goal."""
    ahead, aside = state.goal_x - state.x, state.goal_y - state.y
    state.metres_missing = max(0.0, math.sqrt(ahead * ahead + aside * aside) - options.goal_radius)


def count_goal(state: Any, options: Any) -> None:
    """Note whether the goal is reached."""
    if state.fallen == 0 and state.metres_missing <= 0.0:
        state.goals = 1


def goal_reached(state: Any, options: Any) -> bool:
    """Return whether the goal is reached."""
    return state.goals > 0


def observe_goal(state: Any, out: Any, options: Any) -> None:
    """Write the cosine and sine of the goal's direction from the heading, and its distance."""
    direction = math.atan2(state.goal_y - state.y, state.goal_x - state.x) - state.heading
    out[0] = math.cos(direction)
    out[1] = math.sin(direction)
    out[2] = min(state.metres_missing / HUNDRED_METRES, 3.0)


def score_goal(state: Any) -> float:
    """Return 1 if the goal was reached, else minus the remaining distance in units of 100 m."""
    return state.goals - state.metres_missing / HUNDRED_METRES


def begin_path(state: Any, options: Any) -> None:
    """Sample the lane; the ride starts in its middle and along it."""
    state.long_phase = uniform(state, -math.pi, math.pi)
    state.short_phase = uniform(state, -math.pi, math.pi)
    state.heading = math.atan(lane_slope(state, state.x, options))


def derive_path(state: Any, options: Any) -> None:
    """Compute the distance from the centre of the lane."""
    slope = lane_slope(state, state.x, options)
    along = 1.0 / math.sqrt(1.0 + slope * slope)  # cosine of the lane's direction
    state.lane_offset = (state.y - lane_y(state, state.x, options)) * along


def count_path(state: Any, options: Any) -> None:
    """Add the metres ridden along the lane within it."""
    if abs(state.lane_offset) <= options.lane_width / 2 and state.fallen == 0:
        slope = lane_slope(state, state.x, options)
        along = 1.0 / math.sqrt(1.0 + slope * slope)
        forwards = along * (math.cos(state.heading) + math.sin(state.heading) * slope)
        state.lane_metres += state.speed * PERIOD * forwards


def observe_lane(state: Any, out: Any, options: Any) -> None:
    """Write the offset from the lane's centre in lane widths, and the directions to it ahead."""
    out[0] = min(max(state.lane_offset / options.lane_width, -3.0), 3.0)
    cos, sin = math.cos(state.heading), math.sin(state.heading)
    for k in range(len(LOOKED_AHEAD)):
        ahead = LOOKED_AHEAD[k]
        aside = lane_y(state, state.x + ahead, options) - state.y
        direction = math.atan2(cos * aside - sin * ahead, cos * ahead + sin * aside)
        out[1 + k] = min(max(2.0 * direction, -3.0), 3.0)


def score_path(state: Any) -> float:
    """Return the metres ridden along the lane within it."""
    return state.lane_metres


def race_over(state: Any, options: Any) -> bool:
    """Return whether the finish line is reached."""
    return state.way >= options.race_length


def count_slow(state: Any, options: Any) -> None:
    """Note whether the finish line is passed."""
    if state.fallen == 0 and race_over(state, options):
        state.finished = 1


def observe_rest_of_race(state: Any, out: Any, options: Any) -> None:
    """Write the fraction of the race that is left."""
    out[0] = max(0.0, 1.0 - state.way / options.race_length)


def score_slow(state: Any) -> float:
    """Return the seconds taken for the race (more is better), or 0 without finishing."""
    return PERIOD * state.t * state.finished


@dataclass(frozen=True)
class Task:
    """What a task adds to the ride."""

    options: type[BicycleOptions]
    """Dataclass of the options."""
    fields: tuple[Field, ...]
    """Additional fields of the state."""
    begin: Callable[[Any, Any], None]
    """begin(state, options): complete the starting state of the ride."""
    derive: Callable[[Any, Any], None]
    """derive(state, options): update the fields that follow from others."""
    count: Callable[[Any, Any], None]
    """count(state, options): update the other fields after each step, after `derive`."""
    over: Callable[[Any, Any], bool]
    """over(state, options): return whether the ride has ended without a fall."""
    observed: int
    """Number of values that `observe` writes."""
    observe: Callable[[Any, Any, Any], None]
    """observe(state, out, options): write the additional values of the observation."""
    draw: Callable[[Any, Any, Any], None]
    """draw(state, screen, options): draw on a black screen, for agents."""
    score: Callable[[Any], float]
    """score(state): return the score."""


TASKS: dict[str, Task] = {
    "balance": Task(
        BicycleOptions,
        (Field("good_steps", "i8", "steps upright near the commanded speed"),),
        begin_balance,
        no_derived_fields,
        count_balance,
        never,
        0,
        observe_nothing,
        screen.draw_ride,
        score_balance,
    ),
    "goal": Task(
        GoalOptions,
        (
            Field("goal_x", "f8", "m, of the goal"),
            Field("goal_y", "f8", "m, of the goal, positive to the right"),
            Field("metres_missing", "f8", "m to the edge of the goal"),
            Field("goals", "i8", "1 after the goal was reached, else 0"),
        ),
        begin_goal,
        derive_goal,
        count_goal,
        goal_reached,
        3,
        observe_goal,
        screen.draw_goal,
        score_goal,
    ),
    "path": Task(
        PathOptions,
        (
            Field("long_phase", "f8", "rad, phase of the lane's long wave"),
            Field("short_phase", "f8", "rad, phase of the lane's short wave"),
            Field("lane_offset", "f8", "m from the centre of the lane, positive to the right"),
            Field("lane_metres", "f8", "m ridden along the lane and within it"),
        ),
        begin_path,
        derive_path,
        count_path,
        never,
        1 + len(LOOKED_AHEAD),
        observe_lane,
        screen.draw_path,
        score_path,
    ),
    "slow": Task(
        SlowOptions,
        (Field("finished", "i8", "1 after the finish line was passed, else 0"),),
        begin_balance,
        no_derived_fields,
        count_slow,
        race_over,
        1,
        observe_rest_of_race,
        screen.draw_slow,
        score_slow,
    ),
}
