"""Paddle-and-ball: return a ball with a paddle.

Description
    The ball flies in a box of size 1 x 1. x is 0 at the open side, which the paddle guards, and 1
    at the far wall. y is 0 at the top and grows downwards, as on a screen. Positions are those of
    the ball's centre, which turns back exactly at 0 and 1; the walls in the picture stand a ball's
    radius further out. The further from its centre the paddle hits the ball, the steeper the ball
    flies. Each hit makes the ball faster, up to a limit. The steepest flight is faster than the
    paddle, so following the ball is not enough.
Action Space
    `Discrete(3)`: 0 up, 1 stay, 2 down.
Observation Space
    `observation="state"`: `Box(-1, 1, (5,), float32)`: the ball's x and y, its velocity in x and y,
    and the paddle's y.
    `history=k`: `Box((k + 1, 8), float32)`: the last k + 1 states, newest last, each followed by
    the one-hot action that led to it; rows before the start of the episode are zeros.
    `observation="screen"`: `Box(0, 255, (frames, screen_size, screen_size), uint8)`: the last
    `frames` screens, newest last.
Rewards
    By default +1 for a hit and -1 for a miss. `rewards.paddle` has other terms.
Starting State
    The ball is in the middle part of the box and flies away from the paddle at a random angle. The
    paddle is at a random position.
Episode End
    Terminated when a ball is missed, truncated after `max_steps`. The score is the number of balls
    returned.
Arguments
    `controls="usual"`: with "random", up and down are exchanged in half of the episodes, which the
    agent can find out only from the paddle's motion. `reward`, `observation="state"`, `history=0`,
    `screen_size=84`, `frames=2`, and the fields of `PaddleOptions`.
    `reset(options={"state": {...}})` takes the fields of `STATE`.
Version History
    v0: first version.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from gymnasium import spaces

from envs.engine.game import Field, Game, state_dtype
from envs.engine.raster import fill_rectangle
from envs.engine.rng import uniform
from envs.names import suggest

FIELDS = (
    Field("ball_x", "f8", "box widths from the paddle's side, 0..1"),
    Field("ball_y", "f8", "box heights from the top, 0..1"),
    Field("ball_vx", "f8", "box widths per step, negative towards the paddle"),
    Field("ball_vy", "f8", "box heights per step, positive downwards"),
    Field("paddle_y", "f8", "box heights from the top to the centre of the paddle"),
    Field("hits", "i4", "balls returned"),
    Field("missed", "i4", "1 after the ball was missed, else 0"),
    Field("t", "i8", "steps since the start"),
    Field("rng", "u8", "state of the random generator"),
)
STATE = state_dtype(FIELDS)
MIRRORED = Field("mirrored", "i4", "1 if up and down are exchanged in this episode, else 0")
CONTROLS = ("usual", "random")

BALL_RADIUS = 0.03  # box widths
FLATTEST_ANGLE = math.radians(35.0)  # after a hit with the paddle's centre
STEEPEST_ANGLE = math.radians(55.0)  # after a hit with the paddle's tip
SLOWEST_FLIGHT = 1e-6  # box widths per step along x; a slower ball would never come back


@dataclass(frozen=True)
class PaddleOptions:
    """Options of the game. Lengths are in box widths, speeds in box widths per step."""

    ball_speed: float = 0.03
    """Speed of the first ball."""
    acceleration: float = 1.05
    """Factor by which each hit changes the speed."""
    max_ball_speed: float = 0.06
    """Maximum speed of the ball, below 1, so that it is hit at most once per step."""
    paddle_size: float = 0.2
    """Length of the paddle."""
    paddle_speed: float = 0.025
    """Distance that the paddle moves in a step."""
    max_steps: int = 3000
    """Number of steps after which an episode is truncated."""

    def __post_init__(self) -> None:
        for name, value, low, high in (
            ("max_ball_speed", self.max_ball_speed, 0.001, 0.99),
            ("ball_speed", self.ball_speed, 0.001, self.max_ball_speed),
            ("acceleration", self.acceleration, 1.0, 10.0),
            ("paddle_size", self.paddle_size, 0.01, 1.0),
            ("paddle_speed", self.paddle_speed, 0.0, 1.0),
            ("max_steps", self.max_steps, 1, 1_000_000_000),
        ):
            if not low <= value <= high:  # NaN fails too
                raise ValueError(
                    f"option `{name}` of paddle must be between {low} and {high}, got {value}"
                )


def fold(position: Any) -> Any:
    """Return `position` reflected into 0..1 by walls at 0 and 1, for floats or arrays."""
    return 1.0 - abs(position % 2.0 - 1.0)


def landing(ball_x: Any, ball_y: Any, ball_vx: Any, ball_vy: Any) -> Any:
    """Return the y in 0..1 at which the ball will next reach the paddle's side, after all bounces.

    For floats or arrays. Only the ratio of the velocities matters.
    """
    way = ball_x + (ball_vx > 0) * 2.0 * (1.0 - ball_x)
    return fold(ball_y + ball_vy * way / abs(ball_vx))


def reach(options: Any) -> float:
    """Return the maximum distance between the centres of ball and paddle at which they touch."""
    return options.paddle_size / 2 + BALL_RADIUS


def reset(state: Any, options: Any) -> None:
    """Start with a ball that flies away, so that the paddle has time to reach any position."""
    state.ball_x = uniform(state, 0.3, 0.7)
    state.ball_y = uniform(state, 0.0, 1.0)
    angle = uniform(state, -STEEPEST_ANGLE, STEEPEST_ANGLE)
    state.ball_vx = options.ball_speed * math.cos(angle)
    state.ball_vy = options.ball_speed * math.sin(angle)
    half = options.paddle_size / 2
    state.paddle_y = uniform(state, half, 1.0 - half)


def step(state: Any, action: Any, options: Any) -> None:
    """Move the paddle, then the ball."""
    half = options.paddle_size / 2
    moved = state.paddle_y + (action - 1) * options.paddle_speed
    state.paddle_y = min(max(moved, half), 1.0 - half)

    time_left = 1.0
    if state.ball_x + state.ball_vx <= 0.0:
        time_to_line = state.ball_x / -state.ball_vx
        fly_vertically(state, time_to_line)
        state.ball_x = 0.0
        if abs(state.ball_y - state.paddle_y) > reach(options):
            state.missed = 1  # the ball stays where it left the box
            return
        bounce_off_paddle(state, options)
        time_left -= time_to_line
    fly_vertically(state, time_left)
    state.ball_x += state.ball_vx * time_left
    if state.ball_x > 1.0:
        state.ball_x = 2.0 - state.ball_x
        state.ball_vx = -state.ball_vx


def fly_vertically(state: Any, time: float) -> None:
    """Advance the ball's y, with any number of reflections at the top and the bottom."""
    way = state.ball_y + state.ball_vy * time
    if way < 0.0 or way > 1.0:
        way %= 2.0
        if way > 1.0:
            way = 2.0 - way
            state.ball_vy = -state.ball_vy
    state.ball_y = way


def bounce_off_paddle(state: Any, options: Any) -> None:
    """Send the ball back faster, at an angle that depends on where the paddle hit it."""
    state.hits += 1
    offset = (state.ball_y - state.paddle_y) / reach(options)
    angle = FLATTEST_ANGLE + (STEEPEST_ANGLE - FLATTEST_ANGLE) * abs(offset)
    speed = math.sqrt(state.ball_vx**2 + state.ball_vy**2) * options.acceleration
    speed = min(speed, options.max_ball_speed)
    state.ball_vx = speed * math.cos(angle)
    state.ball_vy = math.copysign(speed * math.sin(angle), offset)


def terminated(state: Any, options: Any) -> bool:
    """Return whether a ball was missed."""
    return state.missed > 0


def observe(state: Any, out: Any, options: Any) -> None:
    """Write five numbers in -1..1: the ball's x and y, its velocity, and the paddle's y."""
    out[0] = 2.0 * state.ball_x - 1.0
    out[1] = 2.0 * state.ball_y - 1.0
    out[2] = state.ball_vx / options.max_ball_speed
    out[3] = state.ball_vy / options.max_ball_speed
    out[4] = 2.0 * state.paddle_y - 1.0


def draw(state: Any, screen: Any, options: Any) -> None:
    """Draw ball and paddle so that they touch at a hit: the paddle's face is at -BALL_RADIUS."""
    scale = len(screen) / (1.0 + 4 * BALL_RADIUS)
    x = (state.ball_x + 2 * BALL_RADIUS) * scale
    y = (state.ball_y + 2 * BALL_RADIUS) * scale
    radius = BALL_RADIUS * scale
    fill_rectangle(screen, x - radius, y - radius, x + radius, y + radius, 255.0)
    y = (state.paddle_y + 2 * BALL_RADIUS) * scale
    half = options.paddle_size / 2 * scale
    fill_rectangle(screen, 0.0, y - half, radius, y + half, 255.0)


def score(state: Any) -> float:
    """Return the number of balls returned."""
    return state.hits


def check(state: Any, options: Any) -> None:
    """Raise ValueError for an impossible state."""
    half = options.paddle_size / 2
    for field, low, high in (
        ("ball_x", 0.0, 1.0),
        ("ball_y", 0.0, 1.0),
        ("paddle_y", half, 1.0 - half),
        ("hits", 0, math.inf),
        ("missed", 0, 0),
    ):
        if not low <= state[field] <= high:
            raise ValueError(f"state field `{field}` must be in {low}..{high}, got {state[field]}")
    if abs(state.ball_vx) < SLOWEST_FLIGHT:
        raise ValueError(
            f"state field `ball_vx` must be at least {SLOWEST_FLIGHT} in size, got "
            f"{state.ball_vx}: such a ball would never come back"
        )
    speed = math.hypot(state.ball_vx, state.ball_vy)
    if speed > options.max_ball_speed * (1 + 1e-9):
        raise ValueError(
            "state fields `ball_vx`, `ball_vy` must have a speed of at most max_ball_speed = "
            f"{options.max_ball_speed}, got {speed:.6g}"
        )


def action_from_keys(keys: Any) -> int:
    """Return the action for the arrow keys up and down."""
    return 1 + ("down" in keys) - ("up" in keys)


GAME = Game(
    name="paddle",
    state=STATE,
    fields=FIELDS,
    options=PaddleOptions,
    action_space=spaces.Discrete(3),
    observation_space=spaces.Box(-1.0, 1.0, (5,), np.float32),
    reset=reset,
    step=step,
    terminated=terminated,
    observe=observe,
    draw=draw,
    score=score,
    check=check,
    view="envs.paddle.view:draw",
    sound="envs.paddle.sound:step_sound",
    rules_module="envs.paddle.rules",
    steps_per_second=30,
    action_names=("up", "stay", "down"),
    keys=("up", "down"),
    action_from_keys=action_from_keys,
)


@functools.cache
def paddle(controls: str = "usual") -> Game:
    """Return the game with "usual" or "random" controls.

    Raises:
        ValueError: if there are no such controls.
    """
    if controls not in CONTROLS:
        raise ValueError(f"paddle has no controls `{controls}`; {suggest(controls, CONTROLS)}")
    if controls == "usual":
        return GAME
    fields = (*FIELDS, MIRRORED)
    return dataclasses.replace(
        GAME,
        name=f"{GAME.name}-{controls}",
        state=state_dtype(fields),
        fields=fields,
        reset=reset_with_controls,
        step=step_with_controls,
        check=check_with_controls,
    )


def reset_with_controls(state: Any, options: Any) -> None:
    """Sample the controls last, so that the ball flies as with the usual controls."""
    reset(state, options)
    state.mirrored = uniform(state, 0.0, 1.0) < 0.5


def step_with_controls(state: Any, action: Any, options: Any) -> None:
    """Exchange up and down in episodes with mirrored controls."""
    step(state, 2 - action if state.mirrored else action, options)


def check_with_controls(state: Any, options: Any) -> None:
    """Raise ValueError for an impossible state."""
    check(state, options)
    if state["mirrored"] not in (0, 1):
        raise ValueError(f"state field `mirrored` must be 0 or 1, got {state['mirrored']}")
