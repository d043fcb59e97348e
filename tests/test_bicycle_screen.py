"""The screens of the bicycle: they show every number, and are symmetric."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from envs.bicycle.game import FALLEN_ROLL, FALLEN_STEER, bicycle
from envs.bicycle.tasks import TASKS

Array = np.ndarray[Any, Any]

RIDE = {"roll": 0.05, "steer": -0.1, "speed": 2.3, "commanded_speed": 2.8, "heading": 0.2}
TASK = {
    "balance": {},
    "goal": {"goal_x": 40.0, "goal_y": -25.0},
    "path": {"long_phase": 0.4, "short_phase": 2.0, "y": 0.3},
    "slow": {"way": 11.0},
}


def state_of(task: str, **values: float) -> Any:
    state = bicycle(task).states(1)[0]
    for name, value in (RIDE | TASK[task] | values).items():
        state[name] = value
    return state


def screen_of(task: str, state: Any, side: int = 84, **options: Any) -> Array:
    game = bicycle(task)
    screen = np.zeros((side, side), np.uint8)
    game.draw(state, screen, game.make_options(options))
    return screen


def mirrored(task: str, state: Any) -> Any:
    """Return the same ride mirrored at the x axis."""
    image = state.copy()
    for name in ("roll", "steer", "roll_rate", "steer_rate", "heading", "y", "goal_y"):
        if name in image.dtype.names:
            image[name] = -image[name]
    for name in ("long_phase", "short_phase"):  # shifted by half a wave, sines change sign
        if name in image.dtype.names:
            image[name] += math.pi
    return image


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("side", [24, 84, 85])
def test_a_mirrored_ride_gives_the_mirrored_screen(task: str, side: int) -> None:
    rng = np.random.default_rng(1)
    for _ in range(50):
        angles = {"roll": rng.uniform(-FALLEN_ROLL, FALLEN_ROLL)}
        angles |= {"steer": rng.uniform(-FALLEN_STEER, FALLEN_STEER)}
        angles |= {"heading": rng.uniform(-4, 4), "y": rng.uniform(-2, 2), "x": rng.uniform(0, 9)}
        state = state_of(task, **angles)
        seen = screen_of(task, state, side).astype(int)
        image = screen_of(task, mirrored(task, state), side).astype(int)
        assert abs(seen[:, ::-1] - image).max() <= 1  # of 255, from rounding


@pytest.mark.parametrize("side", [24, 84])
@pytest.mark.parametrize(
    ("task", "field", "change"),
    [
        *((task, "roll", 0.002) for task in TASKS),
        *((task, "steer", 0.004) for task in TASKS),
        *((task, "speed", 0.02) for task in TASKS),
        *((task, "commanded_speed", 0.02) for task in TASKS),
        ("goal", "heading", 0.01),
        ("goal", "goal_x", 1.0),
        ("goal", "y", 1.0),
        ("path", "heading", 0.01),
        ("path", "y", 0.02),
        ("path", "x", 0.5),
        ("slow", "way", 0.1),
    ],
)
def test_small_changes_are_visible(task: str, field: str, change: float, side: int) -> None:
    state = state_of(task)
    before = screen_of(task, state, side)
    state[field] += change
    assert not np.array_equal(before, screen_of(task, state, side))


def slope(light: Array) -> float:
    """Return the slope of a bright line: columns to the right per row upwards."""
    rows, columns = np.indices(light.shape)
    weights = light / light.sum()
    row, column = (weights * rows).sum(), (weights * columns).sum()
    covariance = (weights * (rows - row) * (columns - column)).sum()
    return float(-covariance / (weights * (rows - row) ** 2).sum())


@pytest.mark.parametrize("roll", [-0.3, -0.04, 0.0, 0.01, 0.2])
def test_the_screen_shows_the_roll(roll: float) -> None:
    screen = screen_of("balance", state_of("balance", roll=roll, steer=0.0)).astype(float)
    middle = screen[57:75]  # of the line that leans twice as far
    assert math.atan(slope(middle)) == pytest.approx(2 * roll, abs=0.03)


@pytest.mark.parametrize("steer", [-0.5, -0.05, 0.0, 0.3])
def test_the_screen_shows_the_steer(steer: float) -> None:
    screen = screen_of("balance", state_of("balance", roll=0.0, steer=steer)).astype(float)
    assert math.atan(slope(screen[41:52])) == pytest.approx(steer, abs=0.03)


def test_the_widths_of_the_bars_show_the_speeds() -> None:
    light = {}
    for speed, asked in ((2.0, 3.0), (4.0, 3.0), (2.0, 1.5)):
        screen = screen_of("balance", state_of("balance", speed=speed, commanded_speed=asked))
        light[speed, asked] = (int(screen[79:82].sum()), int(screen[82:].sum()))
    assert light[4.0, 3.0][0] == pytest.approx(2 * light[2.0, 3.0][0], rel=0.02)
    assert light[4.0, 3.0][1] == light[2.0, 3.0][1]
    assert light[2.0, 1.5][1] == pytest.approx(light[2.0, 3.0][1] / 2, rel=0.02)
    assert light[2.0, 1.5][0] == light[2.0, 3.0][0]


@pytest.mark.parametrize("y", [-1.5, 0.0, 0.7])
@pytest.mark.parametrize("width", [1.0, 3.0])
def test_the_screen_shows_the_position_of_the_lane(y: float, width: float) -> None:
    """The lane is straight; the bicycle is y to the right of its centre and heads along it."""
    state = state_of("path", y=y, heading=0.0)
    row = screen_of("path", state, 840, winding=0.0, lane_width=width)[200].astype(float)
    metre = 0.048 * 840
    left, right = row[: 420 - round(y * metre)], row[420 - round(y * metre) :]
    for half, sign in ((left, -1), (right, 1)):
        start = 0 if sign < 0 else len(left)
        column = (half * (np.arange(len(half)) + start + 0.5)).sum() / half.sum()
        assert column == pytest.approx(420 + (sign * width / 2 - y) * metre, abs=0.6)


def test_the_borders_have_the_right_distance_on_a_slope() -> None:
    """On a steep part of the lane, both borders are half its width away."""
    state = state_of("path", x=0.0, y=0.0, long_phase=0.0, short_phase=0.0)
    state.heading = math.atan(2.0 * (2 * math.pi / 40 + 0.2 * 2 * math.pi / 17))
    row = screen_of("path", state, 840)[350].astype(float)
    columns = np.arange(840) + 0.5 - 420
    for half in (columns < 0, columns > 0):
        away = abs((row * columns)[half].sum() / row[half].sum())
        assert away == pytest.approx(0.048 * 840, rel=0.02)


@pytest.mark.parametrize("heading", [0.0, math.pi])
def test_the_lane_ahead_is_visible_in_both_directions(heading: float) -> None:
    ahead = screen_of("path", state_of("path", y=0.0, heading=heading), winding=0.0)[:33]
    assert ahead.any()
    assert slope(ahead.astype(float)) == pytest.approx(0.0, abs=0.01)


def test_the_lane_runs_to_the_left_if_the_bicycle_heads_right() -> None:
    ahead = screen_of("path", state_of("path", y=0.0, heading=1.0), winding=0.0)[:33]
    assert ahead[:, :42].sum() > 10 * ahead[:, 44:].sum()


@pytest.mark.parametrize("direction", [-2.5, -1.0, 0.0, 0.4, 1.6, 3.0])
def test_the_screen_shows_the_direction_of_the_goal(direction: float) -> None:
    heading, lengths = 0.9, []
    for distance in (10.0, 40.0, 90.0):
        x, y = (distance * function(direction + heading) for function in (math.cos, math.sin))
        state = state_of("goal", heading=heading, goal_x=x, goal_y=y, roll=0.0, steer=0.0)
        bare = screen_of("balance", state_of("balance", roll=0.0, steer=0.0))
        light = screen_of("goal", state).astype(float)
        light[bare > 0] = 0
        rows, columns = np.indices(light.shape) + 0.5
        up = 0.22 * 84 - (light * rows).sum() / light.sum()
        right = (light * columns).sum() / light.sum() - 42
        off = (math.atan2(right, up) - direction + math.pi) % (2 * math.pi) - math.pi
        assert abs(off) < 0.05
        lengths.append(math.hypot(up, right))
    assert lengths[0] < 0.8 * lengths[1] < 0.9 * lengths[2]
