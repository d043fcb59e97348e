"""The bicycle: steer, pedal and brake without falling.

Description
    The Carvallo-Whipple bicycle of the benchmark by Meijaard et al. (2007), linearised about
    upright straight riding (`envs.bicycle.model`). Pedal, brake, drag, rolling resistance and
    steering change its speed (`envs.bicycle.dynamics`). A step lasts 0.02 s. Roll, steer and y are
    positive to the right. Without control the bicycle is stable from 4.3 to 6 m/s; below this
    range, the rider has to balance it.
Action Space
    `action="continuous"`: `Box([-1, 0, 0], 1, (3,), float32)`: steer torque (in units of 10 N m),
    pedal (fraction of 150 N or 250 W, whichever is less), brake (fraction of 2.5 m/s^2). Values
    outside of the box are clipped.
    `action="discrete"`: `Discrete(9)`: 3 * steer + drive, with steer 0 left, 1 none, 2 right (5 N
    m) and drive 0 pedal, 1 coast, 2 brake.
Observation Space
    `observation="state"`: `Box(-3, 3, (k,), float32)`: roll, steer, their rates, the speed and its
    difference from the commanded speed, each divided by its entry in `SCALES`, then the numbers of
    the task (`observe_...` in `envs.bicycle.tasks`).
    `history=h`: the last h + 1 states, newest last, each followed by the action that led to it.
    `observation="screen"`: `Box(0, 255, (frames, screen_size, screen_size), uint8)`: the bicycle
    from behind and the ground from above (`envs.bicycle.screen`), newest last.
Rewards
    Each task has a default reward, see `rewards.bicycle`.
Starting State
    The bicycle is almost upright at the origin, at 1.5 to 3 m/s, and heads along the x axis or, in
    `path`, along the lane.
Episode End
    Terminated at a fall (roll beyond 30 degrees, steer beyond 60 degrees, or slower than 0.3 m/s),
    at the goal, and at the end of the slow race; truncated after `max_steps`.
    Scores: `balance`: seconds upright within 0.5 m/s of the commanded speed. `goal`: 1 if the goal
    was reached, else minus the remaining distance in units of 100 m. `path`: metres ridden along
    the lane and within it. `slow`: seconds taken for 30 m, or 0 without finishing.
Arguments
    `task="balance"`: "balance" (keep the commanded speed), "goal" (turn towards a point 50 to 100 m
    away and reach it; the second task of Randlov and Alstrom, ICML 1998), "path" (stay in a winding
    lane) or "slow" (ride as slowly as possible). `action="continuous"`, `reward`,
    `observation="state"`, `history=0`, `screen_size=84`, `frames=2`, and the fields of the task's
    options: every parameter of the bicycle, `gust`, `frictionless`, `hold_speed` and others.
    `reset(options={"state": {...}})` takes the fields of `RIDE` and of the task.
Version History
    v0: first version.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np
from gymnasium import spaces

from envs.bicycle.dynamics import PERIOD, ride
from envs.bicycle.model import constants
from envs.bicycle.tasks import TASKS
from envs.engine.game import Field, Game, state_dtype
from envs.engine.rng import normal, uniform
from envs.names import suggest

RIDE = (
    Field("roll", "f8", "rad, positive to the right"),
    Field("steer", "f8", "rad, positive to the right"),
    Field("roll_rate", "f8", "rad/s"),
    Field("steer_rate", "f8", "rad/s"),
    Field("speed", "f8", "m/s, of the rear wheel"),
    Field("commanded_speed", "f8", "m/s, the speed to keep"),
    Field("heading", "f8", "rad from the x axis, positive to the right"),
    Field("x", "f8", "m, of the rear wheel's contact point"),
    Field("y", "f8", "m, of the same point, positive to the right"),
    Field("way", "f8", "m ridden so far"),
    Field("torque", "f8", "N m on the handlebar in the last step, positive to the right"),
    Field("pedal", "f8", "0..1 in the last step"),
    Field("brake", "f8", "0..1 in the last step"),
    Field("gust", "f8", "N m, roll torque of the wind in the last step"),
    Field("fallen", "i8", "1 after a fall, else 0"),
)
ENGINE = (
    Field("t", "i8", "steps since the start"),
    Field("rng", "u8", "state of the random generator"),
)

TORQUE = 10.0  # N m for an action of 1
CHOICES = np.array(
    [(steer, *drive) for steer in (-0.5, 0.0, 0.5) for drive in ((1, 0), (0, 0), (0, 1))],
    np.float32,
)
"""Continuous action of each discrete action, (9, 3)."""
FALLEN_ROLL = math.radians(30.0)
FALLEN_STEER = math.radians(60.0)
SLOWEST = 0.3  # m/s; slower counts as a fall
FASTEST = 30.0  # m/s, at a start
FURTHEST = 1e6  # m and rad, at a start
EXPLODED = 200.0  # rad, m/s; beyond, the integration has diverged, which counts as a fall

SCALES = (0.2, 0.4, 1.0, 2.0, 3.0, 1.0)
"""Units of the observation: roll, steer (rad), their rates (rad/s), speed, speed error (m/s)."""
MOST = 3.0  # maximum of an observation


def reset(state: Any, options: Any) -> None:
    """Start almost upright, at a moderate speed."""
    state.roll = uniform(state, math.radians(-3.0), math.radians(3.0))
    state.steer = uniform(state, math.radians(-2.0), math.radians(2.0))
    state.roll_rate = uniform(state, -0.2, 0.2)
    state.speed = uniform(state, 1.5, 3.0)
    state.commanded_speed = uniform(state, options.slowest_command, options.fastest_command)


def ride_on(state: Any, torque: float, pedal: float, brake: float, options: Any) -> None:
    """Advance wind, rider and bicycle by one step."""
    state.torque, state.pedal, state.brake = torque, pedal, brake
    state.gust = options.gust * normal(state) if options.gust > 0.0 else 0.0
    speed = state.speed
    motion = (state.roll, state.steer, state.roll_rate, state.steer_rate, speed)
    place = (state.heading, state.x, state.y)
    ride(state, torque, pedal, brake, state.gust, options)
    rolling = options.hold_speed or state.speed >= SLOWEST
    if not (rolling and abs(state.roll) <= FALLEN_ROLL and abs(state.steer) <= FALLEN_STEER):
        state.fallen = 1
        if not abs(state.roll) + abs(state.steer) + abs(state.speed) <= EXPLODED:  # NaN too
            state.roll, state.steer, state.roll_rate, state.steer_rate, state.speed = motion
            state.heading, state.x, state.y = place
    state.way += 0.5 * (speed + state.speed) * PERIOD


def observe(state: Any, out: Any, options: Any) -> None:
    """Write the numbers that all tasks observe."""
    out[0] = scaled(state.roll, SCALES[0])
    out[1] = scaled(state.steer, SCALES[1])
    out[2] = scaled(state.roll_rate, SCALES[2])
    out[3] = scaled(state.steer_rate, SCALES[3])
    out[4] = scaled(state.speed, SCALES[4])
    out[5] = scaled(state.speed - state.commanded_speed, SCALES[5])


def scaled(number: float, scale: float) -> float:
    """Return `number` in units of `scale`, clipped to the observation space."""
    seen = number / scale
    return max(seen, -MOST) if seen < MOST else MOST  # NaN becomes MOST


def check(state: Any, options: Any) -> None:
    """Raise ValueError for an impossible state."""
    slowest = 0.0 if options.hold_speed else SLOWEST
    for field, low, high in (
        ("roll", -FALLEN_ROLL, FALLEN_ROLL),
        ("steer", -FALLEN_STEER, FALLEN_STEER),
        ("speed", slowest, FASTEST),
        ("commanded_speed", 0.0, FASTEST),
        ("x", -FURTHEST, FURTHEST),
        ("y", -FURTHEST, FURTHEST),
        ("heading", -FURTHEST, FURTHEST),
        ("pedal", 0.0, 1.0),
        ("brake", 0.0, 1.0),
        ("fallen", 0, 0),
    ):
        if not low <= state[field] <= high:
            raise ValueError(
                f"state field `{field}` must be in {low:.4g}..{high:.4g}, got {state[field]}"
            )


@functools.cache
def bicycle(task: str = "balance", action: str = "continuous") -> Game:
    """Return the game of a task, with "continuous" or "discrete" actions.

    Raises:
        ValueError: if there is no such task or kind of action.
    """
    if task not in TASKS:
        raise ValueError(f"bicycle has no task `{task}`; {suggest(task, TASKS)}")
    if action not in ACTIONS:
        raise ValueError(f"bicycle has no action `{action}`; {suggest(action, ACTIONS)}")
    chosen = TASKS[task]
    begin, derive, count = chosen.begin, chosen.derive, chosen.count
    over, observe_extra = chosen.over, chosen.observe
    space, move, names, action_from_keys = ACTIONS[action]
    fields = (*RIDE, *chosen.fields, *ENGINE)

    def reset_task(state: Any, options: Any) -> None:
        reset(state, options)
        begin(state, options)
        derive(state, options)

    def step(state: Any, action: Any, options: Any) -> None:
        move(state, action, options)
        derive(state, options)
        count(state, options)

    def terminated(state: Any, options: Any) -> bool:
        return state.fallen > 0 or over(state, options)

    def observe_task(state: Any, out: Any, options: Any) -> None:
        observe(state, out, options)
        observe_extra(state, out[len(SCALES) :], options)

    return Game(
        name=f"bicycle-{task}",
        state=state_dtype(fields),
        fields=fields,
        options=chosen.options,
        constants=constants,
        action_space=space,
        observation_space=spaces.Box(-MOST, MOST, (len(SCALES) + chosen.observed,), np.float32),
        reset=reset_task,
        step=step,
        terminated=terminated,
        observe=observe_task,
        draw=chosen.draw,
        score=chosen.score,
        check=check,
        derive=derive,
        view="envs.bicycle.view.view:View",
        rules_module="envs.bicycle.rules",
        steps_per_second=round(1 / PERIOD),
        action_names=names,
        keys=("left", "right", "up", "down"),
        action_from_keys=action_from_keys,
    )


def move_continuous(state: Any, action: Any, options: Any) -> None:
    """Take a continuous action."""
    torque = TORQUE * min(max(float(action[0]), -1.0), 1.0)
    pedal = min(max(float(action[1]), 0.0), 1.0)
    brake = min(max(float(action[2]), 0.0), 1.0)
    ride_on(state, torque, pedal, brake, options)


def move_discrete(state: Any, action: Any, options: Any) -> None:
    """Take a discrete action."""
    move_continuous(state, CHOICES[action], options)


def continuous_from_keys(keys: Any) -> Any:
    """Return the continuous action: left and right steer, up pedals, down brakes."""
    steer = ("right" in keys) - ("left" in keys)
    return np.array([0.3 * steer, 1.0 * ("up" in keys), 1.0 * ("down" in keys)], np.float32)


def discrete_from_keys(keys: Any) -> Any:
    """Return the discrete action for the same keys."""
    steer = ("right" in keys) - ("left" in keys)
    drive = 0 if "up" in keys else 2 if "down" in keys else 1
    return 3 * (steer + 1) + drive


ACTIONS: dict[str, tuple[spaces.Space[Any], Any, tuple[str, ...], Any]] = {
    "continuous": (
        spaces.Box(np.array([-1, 0, 0], np.float32), np.ones(3, np.float32)),
        move_continuous,
        ("steer", "pedal", "brake"),
        continuous_from_keys,
    ),
    "discrete": (
        spaces.Discrete(9),
        move_discrete,
        tuple(
            f"{steer} {drive}"
            for steer in ("left", "straight", "right")
            for drive in ("pedal", "coast", "brake")
        ),
        discrete_from_keys,
    ),
}
