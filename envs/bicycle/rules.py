"""Hand-written riders and features for the bicycle, computed from its observations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from gymnasium import spaces

from envs.bicycle.game import CHOICES, SCALES, TORQUE
from envs.bicycle.tasks import TASKS

Array = np.ndarray[Any, Any]
Rule = Callable[[Array], Array]

SLOWEST_RIDE = 1.2  # m/s; below this speed, the hand-written rider falls now and then
STEEPEST_LEAN = 0.2  # rad, into a curve
DAMPED_BELOW = 6.5  # m/s; the slower the ride, the more steering it takes to stop a fall
WIDEST_TURN = 1 / 3  # rad; targets further to the side do not make the rider steer harder


def ride(observations: Array) -> Array:
    """Steer into the fall: the hand-written rider, tuned for the bicycle's default parameters.

    T = 16 (roll - lean) - 5 steer + 5 max(0, 6.5 - v) roll' - steer', in N m; pedal or brake in
    proportion to the difference from the commanded speed. `lean` is into the curve, towards the
    goal or along the lane. In the linear model with this controller (`model.state_matrix` with T's
    gains added to the steer row), all four eigenvalues have negative real parts from 1.05 to
    12 m/s: the gain on the roll rate damps the weave mode, which is unstable below 4.3 m/s, and the
    gain on the roll damps the capsize mode, which is unstable above 6 m/s.
    """
    felt = observations[:, : len(SCALES)] * np.array(SCALES)
    roll, steer, roll_rate, steer_rate, speed, too_fast = felt.T
    lean = np.clip(0.6 * direction(observations[:, len(SCALES) :]), -STEEPEST_LEAN, STEEPEST_LEAN)
    damping = 5.0 * np.maximum(0.0, DAMPED_BELOW - speed)
    torque = 16.0 * (roll - lean) - 5.0 * steer + damping * roll_rate - steer_rate
    faster = np.maximum(-too_fast, SLOWEST_RIDE - speed)
    controls = (torque / TORQUE, faster, -faster)
    clipped: Array = np.clip(np.stack(controls, 1), (-1, 0, 0), 1).astype(np.float32)
    return clipped


def let_go(observations: Array) -> Array:
    """Pedal and let go of the handlebar. From 4.3 m/s the bicycle stays upright by itself."""
    slow = observations[:, 4] * SCALES[4] < 5.0
    return np.stack((0 * slow, slow, 0 * slow), 1).astype(np.float32)


def direction(seen: Array) -> Array:
    """Return the direction (n,) to ride in, rad to the right; 0 if the task shows none.

    `seen` (n, k) is what the task adds to the observations: a goal, a lane or nothing.
    """
    if seen.shape[1] == TASKS["goal"].observed:
        return np.arctan2(seen[:, 1], seen[:, 0])
    if seen.shape[1] == TASKS["path"].observed:
        return seen[:, 2] / 2.0
    return np.zeros(len(seen))


def rules(action_space: spaces.Space[Any]) -> dict[str, Rule]:
    """Return the rules for an action space by name, best first: observations (n, k) to actions."""
    continuous: dict[str, Rule] = {"ride": ride, "let_go": let_go}
    if not isinstance(action_space, spaces.Discrete):
        return continuous
    return {name: _discrete(rule) for name, rule in continuous.items()}


def _discrete(rule: Rule) -> Rule:
    """Return a rule that chooses the discrete action closest to what `rule` does."""

    def choose(observations: Array) -> Array:
        nearest: Array = np.abs(rule(observations)[:, None] - CHOICES).sum(2).argmin(1)
        return nearest

    return choose


def features(observations: Array) -> Array:
    """Return 8 hand-made features (n, 8) of observations (n, k) of any task.

    Roll, steer, roll rate, roll rate times the amount by which the speed is below 6.5 m/s, steer
    rate, speed above the commanded speed, direction to ride in (at most 1/3 rad to the side, in
    units of 1/3 rad; 0 if the task shows none), and a constant 1. Where nothing else is said, the
    units are those of the observation.
    """
    roll, steer, roll_rate, steer_rate, speed, too_fast = observations.T[: len(SCALES)]
    slowness = np.maximum(0.0, DAMPED_BELOW - speed * SCALES[4])
    turn = np.clip(direction(observations[:, len(SCALES) :]) / WIDEST_TURN, -1.0, 1.0)
    felt = (roll, steer, roll_rate, slowness * roll_rate, steer_rate, too_fast)
    return np.stack((*felt, turn, np.ones(len(roll))), 1)
