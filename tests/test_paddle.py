"""Paddle-and-ball, compared with exact arithmetic and with its documented formulas."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any, NamedTuple

import gymnasium
import numpy as np
import pytest
from hypothesis import assume, given, reject, settings
from hypothesis import strategies as st

from envs.paddle.game import (
    BALL_RADIUS,
    FLATTEST_ANGLE,
    SLOWEST_FLIGHT,
    STEEPEST_ANGLE,
    PaddleOptions,
    landing,
)

UP, STAY, DOWN = 0, 1, 2
FASTEST = 0.99


def make(**options: Any) -> Any:
    return gymnasium.make("PaddleBall-v0", **options).unwrapped


@pytest.fixture(scope="module")
def game() -> Any:
    """The game with default options."""
    return make()


@pytest.fixture(scope="module")
def fast_game() -> Any:
    """A game with balls so fast that one step has several bounces."""
    return make(max_ball_speed=FASTEST)


def start(env: Any, **fields: float) -> Any:
    """Start from a state; other fields have the ball and paddle in the middle of the box."""
    middle = {"ball_x": 0.5, "ball_y": 0.5, "ball_vx": 0.01, "ball_vy": 0.0, "paddle_y": 0.5}
    return env.reset(seed=0, options={"state": middle | fields})


# --- Flight, against exact rational arithmetic


class Ball(NamedTuple):
    """A ball in exact rational numbers."""

    x: Fraction
    y: Fraction
    vx: Fraction
    vy: Fraction


def exact(x: float, y: float, vx: float, vy: float) -> Ball:
    return Ball(Fraction(x), Fraction(y), Fraction(vx), Fraction(vy))


def fly_to_the_next_event(ball: Ball, time: Fraction) -> tuple[Ball, Fraction, bool]:
    """Move the ball to the next wall, to the paddle's side or to the end of `time`.

    Returns the ball, the time left, and whether it has come to the paddle's side.
    """
    way_x = -ball.x if ball.vx < 0 else 1 - ball.x
    way_y = -ball.y if ball.vy < 0 else 1 - ball.y
    to_x = way_x / ball.vx
    to_y = way_y / ball.vy if ball.vy else None
    flown = min(t for t in (to_x, to_y, time) if t is not None)
    at_wall_x, at_wall_y = flown == to_x, flown == to_y
    moved = Ball(
        ball.x + ball.vx * flown,
        ball.y + ball.vy * flown,
        -ball.vx if at_wall_x and ball.vx > 0 else ball.vx,
        -ball.vy if at_wall_y else ball.vy,
    )
    return moved, time - flown, at_wall_x and ball.vx < 0


def fly_to_the_paddle(ball: Ball) -> Ball:
    """Move the ball through a whole step or to the paddle's side."""
    arrived = False
    while not arrived:
        ball, _, arrived = fly_to_the_next_event(ball, Fraction(10**12))
    return ball


def bounce(ball: Ball, paddle_y: float, options: PaddleOptions) -> Ball | None:
    """Return the ball after the paddle's side, or None if it is missed."""
    offset = float(ball.y - Fraction(paddle_y)) / (options.paddle_size / 2 + BALL_RADIUS)
    if abs(offset) < 1e-9 or abs(abs(offset) - 1) < 1e-9:
        reject()  # rounding would decide
    if abs(offset) > 1:
        return None
    angle = FLATTEST_ANGLE + (STEEPEST_ANGLE - FLATTEST_ANGLE) * abs(offset)
    speed = math.hypot(float(ball.vx), float(ball.vy)) * options.acceleration
    speed = min(speed, options.max_ball_speed)
    up_or_down = 1 if offset > 0 else -1
    return exact_velocity(ball, speed * math.cos(angle), up_or_down * speed * math.sin(angle))


def exact_velocity(ball: Ball, vx: float, vy: float) -> Ball:
    return Ball(ball.x, ball.y, Fraction(vx), Fraction(vy))


def exact_step(ball: Ball, paddle_y: float, options: PaddleOptions) -> tuple[Ball, int, int]:
    """Return the ball after one step, and the numbers of hits and misses."""
    time, hits = Fraction(1), 0
    while time > 0:
        ball, time, at_paddle = fly_to_the_next_event(ball, time)
        if at_paddle:
            returned = bounce(ball, paddle_y, options)
            if returned is None:
                return ball, hits, 1
            ball, hits = returned, hits + 1
    return ball, hits, 0


unit = st.floats(0.0, 1.0)
speed = st.floats(SLOWEST_FLIGHT, FASTEST)
direction = st.floats(-math.pi, math.pi)


@settings(max_examples=1500, deadline=None)
@given(unit, unit, speed, direction, st.floats(0.1, 0.9), st.sampled_from([UP, STAY, DOWN]))
def test_a_step_is_exact(
    fast_game: Any, x: float, y: float, v: float, angle: float, paddle_y: float, action: int
) -> None:
    vx, vy = v * math.cos(angle), v * math.sin(angle)
    assume(abs(vx) >= SLOWEST_FLIGHT)
    assert_step_is_exact(fast_game, x, y, vx, vy, paddle_y, action)


@pytest.mark.parametrize(
    ("x", "y", "vx", "vy", "paddle_y"),
    [
        (0.9, 0.5, 0.5, 0.0, 0.5),  # the far wall
        (0.5, 0.9, 0.125, 0.5, 0.5),  # the lower wall
        (0.5, 0.1, 0.125, -0.5, 0.5),  # the upper wall
        (0.75, 0.75, 0.5, 0.5, 0.5),  # two walls at the same time: the corner
        (0.9, 0.8, 0.5, 0.5, 0.5),  # two walls one after the other
        (0.1, 0.9, -0.25, 0.5, 0.8),  # a wall, then the paddle
        (0.25, 0.75, -0.5, 0.5, 0.9),  # both at the same time, in the open corner
        (0.05, 0.125, -0.6, -0.4, 0.12),  # the paddle, then a wall
        (0.1, 0.02, -0.7, -0.7, 0.12),  # a wall, then the paddle, then free flight
        (0.0, 0.5, -0.1, 0.0, 0.45),  # already at the paddle's side
        (0.5, 1.0, 0.1, 0.1, 0.5),  # already at a wall, flying into it
        (0.5, 0.0, 0.1, -0.1, 0.5),
        (1.0, 0.5, 0.1, 0.0, 0.5),
        (0.25, 0.5, -0.25, 0.0, 0.45),  # arrives at the very end of the step
        (0.5, 0.25, 0.5, 0.25, 0.5),  # arrives at the far wall at the very end of the step
    ],
)
def test_known_bounces(
    fast_game: Any, x: float, y: float, vx: float, vy: float, paddle_y: float
) -> None:
    assert_step_is_exact(fast_game, x, y, vx, vy, paddle_y, STAY)


def assert_step_is_exact(
    env: Any, x: float, y: float, vx: float, vy: float, paddle_y: float, action: int
) -> None:
    options = env.batch.options
    start(env, ball_x=x, ball_y=y, ball_vx=vx, ball_vy=vy, paddle_y=paddle_y)
    moved = paddle_y + (action - 1) * options.paddle_speed
    moved = min(max(moved, options.paddle_size / 2), 1 - options.paddle_size / 2)
    ball, hits, missed = exact_step(exact(x, y, vx, vy), moved, options)
    _, _, terminated, _, info = env.step(action)
    state = env.state
    assert state.paddle_y == moved
    assert (state.hits, state.missed) == (hits, missed)
    assert info["score"] == hits
    assert terminated == bool(missed)
    assert state.ball_x == pytest.approx(float(ball.x), abs=1e-12)
    assert state.ball_y == pytest.approx(float(ball.y), abs=1e-12)
    # A ball exactly at a wall may be reflected now or at the start of the next step.
    if min(ball.x, ball.y, 1 - ball.x, 1 - ball.y) > 1e-12:
        assert state.ball_vx == pytest.approx(float(ball.vx), abs=1e-12)
        assert state.ball_vy == pytest.approx(float(ball.vy), abs=1e-12)


def test_fast_balls_bounce_several_times_in_a_step(fast_game: Any) -> None:
    """This ensures that the tests above cover such steps."""
    start(fast_game, ball_x=0.9, ball_y=0.8, ball_vx=0.5, ball_vy=0.5)
    fast_game.step(STAY)
    assert (fast_game.state.ball_vx, fast_game.state.ball_vy) == (-0.5, -0.5)
    start(fast_game, ball_x=0.1, ball_y=0.9, ball_vx=-0.25, ball_vy=0.5, paddle_y=0.8)
    fast_game.step(STAY)
    assert fast_game.state.hits == 1


@settings(max_examples=300, deadline=None)
@given(unit, unit, speed, direction)
def test_landing_is_where_the_ball_lands(x: float, y: float, v: float, angle: float) -> None:
    vx, vy = v * math.cos(angle), v * math.sin(angle)
    assume(abs(vx) > 1e-3)
    expected = float(fly_to_the_paddle(exact(x, y, vx, vy)).y)
    assert landing(x, y, vx, vy) == pytest.approx(expected, abs=1e-9)
    assert landing(x, y, vx / 2, vy / 2) == pytest.approx(expected, abs=1e-9)
    arrays = landing(*(np.array([number, number]) for number in (x, y, vx, vy)))
    assert arrays == pytest.approx([expected, expected], abs=1e-9)


def test_walls_keep_the_speed(fast_game: Any) -> None:
    start(fast_game, ball_vx=0.37, ball_vy=-0.61)
    for _ in range(3):  # before it comes to the paddle
        fast_game.step(STAY)
        assert abs(fast_game.state.ball_vx) == 0.37
        assert abs(fast_game.state.ball_vy) == 0.61


def test_top_and_bottom_are_symmetric(game: Any) -> None:
    mirrored = make()
    rng = np.random.default_rng(0)
    for seed in range(20):
        game.reset(seed=seed)
        state = game.state
        start(
            mirrored,
            ball_x=state.ball_x,
            ball_y=1 - state.ball_y,
            ball_vx=state.ball_vx,
            ball_vy=-state.ball_vy,
            paddle_y=1 - state.paddle_y,
        )
        for action in rng.integers(3, size=120):
            *_, terminated, _, _ = game.step(action)
            mirrored.step(2 - action)
            assert mirrored.state.ball_y == pytest.approx(1 - game.state.ball_y, abs=1e-9)
            assert mirrored.state.ball_vy == pytest.approx(-game.state.ball_vy, abs=1e-9)
            assert mirrored.state.paddle_y == pytest.approx(1 - game.state.paddle_y, abs=1e-9)
            assert mirrored.state.hits == game.state.hits
            if terminated:
                break


# --- The paddle


@pytest.mark.parametrize("offset", [-1 + 1e-9, -0.75, -0.5, 0.0, 0.25, 0.5, 1 - 1e-9])
def test_the_angle_depends_on_where_the_ball_is_hit(game: Any, offset: float) -> None:
    options = game.batch.options
    reach = options.paddle_size / 2 + BALL_RADIUS
    start(game, ball_x=0.0, ball_vx=-0.02, paddle_y=0.5 - offset * reach)
    *_, terminated, _, info = game.step(STAY)
    assert (terminated, info["score"], info["reward/hit_or_miss"]) == (False, 1, 1)
    angle = math.degrees(math.atan2(game.state.ball_vy, game.state.ball_vx))
    flattest, steepest = math.degrees(FLATTEST_ANGLE), math.degrees(STEEPEST_ANGLE)
    expected = flattest + (steepest - flattest) * abs(offset)
    assert abs(angle) == pytest.approx(expected, abs=1e-6)
    assert (angle > 0) == (offset >= 0)
    speed = math.hypot(game.state.ball_vx, game.state.ball_vy)
    assert speed == pytest.approx(0.02 * options.acceleration, rel=1e-12)


@pytest.mark.parametrize("side", [-1, 1])
def test_just_out_of_reach_is_a_miss(game: Any, side: int) -> None:
    reach = game.batch.options.paddle_size / 2 + BALL_RADIUS
    paddle_y = 0.5 - side * (reach + 1e-9)
    start(game, ball_x=0.01, ball_vx=-0.02, paddle_y=paddle_y)
    _, reward, terminated, truncated, info = game.step(STAY)
    assert (reward, terminated, truncated, info["score"]) == (-1.0, True, False, 0)
    assert game.state.missed == 1
    assert (game.state.ball_x, game.state.ball_y) == (0.0, 0.5)  # where the ball left the box


def test_a_miss_in_the_last_step_terminates() -> None:
    env = make(max_steps=5)
    lost = {"ball_x": 0.01, "ball_y": 0.9, "ball_vx": -0.02, "ball_vy": 0.0, "paddle_y": 0.2}
    env.reset(seed=0, options={"state": lost | {"t": 4}})
    assert env.step(STAY)[2:4] == (True, False)
    env.reset(seed=0, options={"state": lost | {"t": 4, "ball_y": 0.2}})
    assert env.step(STAY)[2:4] == (False, True)


def test_the_ball_gets_faster_up_to_the_limit(game: Any) -> None:
    options = game.batch.options
    game.reset(seed=1)
    speeds = [options.ball_speed]
    while game.state.hits < 40:
        target = landing(*(game.state[f] for f in ("ball_x", "ball_y", "ball_vx", "ball_vy")))
        difference = target - game.state.paddle_y
        hits = game.state.hits
        game.step(STAY if abs(difference) < 0.02 else DOWN if difference > 0 else UP)
        if game.state.hits > hits:
            speeds.append(math.hypot(game.state.ball_vx, game.state.ball_vy))
    expected = [
        min(options.ball_speed * options.acceleration**k, options.max_ball_speed) for k in range(41)
    ]
    assert speeds == pytest.approx(expected, rel=1e-9)
    assert speeds[-1] == pytest.approx(options.max_ball_speed)


def test_keys_move_the_paddle(game: Any) -> None:
    for keys, action in ((set(), STAY), ({"up"}, UP), ({"down"}, DOWN), ({"up", "down"}, STAY)):
        assert game.game.action_from_keys(keys) == action


def test_the_paddle_stays_in_the_box(game: Any) -> None:
    half = game.batch.options.paddle_size / 2
    for action, end in ((UP, half), (DOWN, 1 - half)):
        start(game, ball_x=1.0, ball_vx=-0.001)
        before = game.state.paddle_y
        game.step(action)
        moved = game.batch.options.paddle_speed * (action - 1)
        assert game.state.paddle_y == pytest.approx(before + moved)
        for _ in range(100):
            game.step(action)
        assert game.state.paddle_y == end


def test_following_the_ball_is_not_enough() -> None:
    """The steepest ball is faster than the paddle, but the paddle can reach every landing."""
    options = PaddleOptions()
    assert options.paddle_speed < options.max_ball_speed * math.sin(STEEPEST_ANGLE)
    steps_to_return = 2 / (options.max_ball_speed * math.cos(FLATTEST_ANGLE))
    assert options.paddle_speed * steps_to_return > (1 - options.paddle_size) / 2


# --- Starting state, observation, screen


def test_starting_states() -> None:
    env: Any = gymnasium.make_vec("PaddleBall-v0", num_envs=4000).unwrapped
    env.reset(seed=0)
    states, options = env.states, env.batch.options
    assert np.hypot(states.ball_vx, states.ball_vy) == pytest.approx(options.ball_speed)
    assert (states.ball_vx > 0).all()
    angles = np.arctan2(states.ball_vy, states.ball_vx)
    half = options.paddle_size / 2
    for values, low, high in (
        (states.ball_x, 0.3, 0.7),
        (states.ball_y, 0.0, 1.0),
        (angles, -STEEPEST_ANGLE, STEEPEST_ANGLE),
        (states.paddle_y, half, 1 - half),
    ):
        assert values.min() >= low
        assert values.max() <= high
        counts = np.histogram(values, 8, (low, high))[0]
        assert abs(counts - 500).max() < 120  # five standard deviations
    assert not states.hits.any()
    assert not states.missed.any()


def test_the_observation_is_the_state_normalised(game: Any) -> None:
    limit = game.batch.options.max_ball_speed
    seen, _ = start(
        game, ball_x=0.25, ball_y=1.0, ball_vx=-limit / 2, ball_vy=limit / 4, paddle_y=0.75
    )
    assert seen == pytest.approx([-0.5, 1.0, -0.5, 0.25, 0.5])
    assert seen.dtype == np.float32


@pytest.mark.parametrize("side", [24, 40, 84, 128])
def test_the_screen_shows_ball_and_paddle(side: int) -> None:
    env = make(observation="screen", screen_size=side, frames=1)
    scale = side / (1 + 4 * BALL_RADIUS)
    paddle_size = env.batch.options.paddle_size
    rng = np.random.default_rng(side)
    for x, y, paddle_y in rng.uniform((0.1, 0, 0.1), (1, 1, 0.9), (30, 3)):
        seen, _ = start(env, ball_x=x, ball_y=y, paddle_y=paddle_y)
        screen = seen[0].astype(float) / 255
        rounding = np.count_nonzero(screen) * 0.5 / 255
        area = (2 * BALL_RADIUS) ** 2 + BALL_RADIUS * paddle_size
        assert screen.sum() == pytest.approx(area * scale**2, abs=rounding)
        edge = math.ceil(BALL_RADIUS * scale)  # the paddle's columns
        for shown, height, row in (
            (screen[:, edge:], 2 * BALL_RADIUS, y),
            (screen[:, :edge], paddle_size, paddle_y),
        ):
            rows = shown.sum(1) @ (np.arange(side) + 0.5) / shown.sum()
            fuzz = 0.02 + 0.25 / (height * scale)  # an edge lights its whole pixel a little
            assert rows == pytest.approx((row + 2 * BALL_RADIUS) * scale, abs=fuzz)
            assert np.count_nonzero(shown.sum(1)) == pytest.approx(height * scale, abs=2)
        columns = screen[:, edge:].sum(0) @ (np.arange(edge, side) + 0.5) / screen[:, edge:].sum()
        fuzz = 0.02 + 0.25 / (2 * BALL_RADIUS * scale)
        assert columns == pytest.approx((x + 2 * BALL_RADIUS) * scale, abs=fuzz)


def test_motion_of_less_than_a_pixel_is_visible() -> None:
    env = make(observation="screen", frames=2)
    start(env, ball_vx=0.002)
    seen, *_ = env.step(STAY)
    assert not np.array_equal(seen[0], seen[1])


# --- Impossible options and states


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("ball_speed", 0.0),
        ("ball_speed", 0.07),  # above max_ball_speed
        ("max_ball_speed", 1.0),
        ("max_ball_speed", 0.0009),
        ("acceleration", 0.99),
        ("acceleration", 10.01),
        ("paddle_size", 0.0),
        ("paddle_size", 1.01),
        ("paddle_speed", -0.01),
        ("paddle_speed", 1.01),
        ("max_steps", 0),
        ("max_steps", 1_000_000_001),
    ],
)
def test_impossible_options_are_refused(option: str, value: float) -> None:
    with pytest.raises(ValueError, match=rf"option `{option}` of paddle must be between .*{value}"):
        make(**{option: value})


@pytest.mark.parametrize(
    "options",
    [
        {"ball_speed": 0.001, "max_ball_speed": 0.001, "acceleration": 1.0},
        {"ball_speed": 0.99, "max_ball_speed": 0.99, "acceleration": 10.0},
        {"paddle_size": 0.01, "paddle_speed": 0.0, "max_steps": 1},
        {"paddle_size": 1.0, "paddle_speed": 1.0, "max_steps": 1_000_000_000},
    ],
)
def test_extreme_options_are_possible(options: dict[str, float]) -> None:
    make(**options).reset(seed=0)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("ball_x", -0.01),
        ("ball_x", 1.01),
        ("ball_y", 1.5),
        ("paddle_y", 0.0),
        ("hits", -1),
        ("missed", 1),
        ("ball_vx", 0.0),
        ("ball_vx", 1e-9),
        ("ball_vx", 0.2),
        ("ball_vy", -0.2),
    ],
)
def test_impossible_states_are_refused(game: Any, field: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"state fields? .*`{field}`"):
        start(game, **{field: value})


def test_options_take_effect() -> None:
    env = make(ball_speed=0.05, max_ball_speed=0.05, acceleration=1, paddle_size=0.4)
    env.reset(seed=0)
    assert math.hypot(env.state.ball_vx, env.state.ball_vy) == pytest.approx(0.05)
    start(env, ball_x=0.0, ball_vx=-0.05, ball_y=0.5, paddle_y=0.5 - 0.2)  # the tip of the paddle
    env.step(STAY)
    assert env.state.hits == 1
    assert math.hypot(env.state.ball_vx, env.state.ball_vy) == pytest.approx(0.05)


def test_the_solved_score() -> None:
    assert gymnasium.spec("PaddleBall-v0").reward_threshold == 40
