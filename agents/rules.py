"""Rule-based agents: a person wrote all of it, nothing is learned. Each is about one game."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from gymnasium import spaces

from agents.agent import Agent, Array, Insight, Task, UnsuitableTaskError
from envs.bicycle.game import CHOICES, SCALES, TORQUE
from envs.bicycle.tasks import TASKS
from envs.paddle.game import landing

Rule = Callable[[Array], Array]
SLOWEST_RIDE = 1.2  # m/s; slower, the rider by hand falls now and then
STEEPEST_LEAN = 0.2  # rad, into a curve


def follow(observations: Array) -> Array:
    """Paddle: keep level with the ball. Enough while the ball is slower than the paddle."""
    return _move_towards(observations[:, 1], observations[:, 4])


def intercept(observations: Array) -> Array:
    """Paddle: go to where the ball will land, bounces included, and wait there."""
    x, y, paddle_y = ((observations[:, k].astype(np.float64) + 1) / 2 for k in (0, 1, 4))
    velocity_x, velocity_y = observations[:, 2], observations[:, 3]  # their ratio is what matters
    return _move_towards(landing(x, y, velocity_x, velocity_y), paddle_y, slack=0.01)


def _move_towards(target: Array, paddle_y: Array, slack: float = 0.02) -> Array:
    """0 up, 1 stay, 2 down; stay if closer than `slack`."""
    return 1 + (target > paddle_y + slack).astype(np.int64) - (target < paddle_y - slack)


def ride(observations: Array) -> Array:
    """Bicycle: the rider by hand, who steers into the fall. Tuned for the bicycle as it is made.

    T = 16 (roll - lean) - 5 steer + 5 max(0, 6.5 - v) roll' - steer', N m, and pedals or brakes as
    far as the speed is off the commanded one. In the linear model all four eigenvalues of the
    bicycle so ridden, those of `envs.bicycle.model.state_matrix` with T's gains in the steer row,
    have negative real parts from 1.05 to 12 m/s: the weave that is unstable below 4.3 m/s is damped
    by the roll rate's gain, the capsize above 6 m/s by the roll's. `lean` is into the curve towards
    where the goal or the lane is.
    """
    felt = observations[:, : len(SCALES)] * np.array(SCALES)
    roll, steer, roll_rate, steer_rate, speed, too_fast = felt.T
    lean = np.clip(0.6 * direction(observations[:, len(SCALES) :]), -STEEPEST_LEAN, STEEPEST_LEAN)
    damping = 5.0 * np.maximum(0.0, 6.5 - speed)
    torque = 16.0 * (roll - lean) - 5.0 * steer + damping * roll_rate - steer_rate
    faster = np.maximum(-too_fast, SLOWEST_RIDE - speed)
    controls = (torque / TORQUE, faster, -faster)
    clipped: Array = np.clip(np.stack(controls, 1), (-1, 0, 0), 1).astype(np.float32)
    return clipped


def let_go(observations: Array) -> Array:
    """Bicycle: pedal and let go of the handlebar. From 4.3 m/s on it rides by itself."""
    slow = observations[:, 4] * SCALES[4] < 5.0
    return np.stack((0 * slow, slow, 0 * slow), 1).astype(np.float32)


def direction(seen: Array) -> Array:
    """Where to go, rad to the right, as far as the task shows a goal or a lane."""
    if seen.shape[1] == TASKS["goal"].seen:
        return np.arctan2(seen[:, 1], seen[:, 0])
    if seen.shape[1] == TASKS["path"].seen:
        return seen[:, 2] / 2.0
    return np.zeros(len(seen))


def _nearest_choice(controls: Array) -> Array:
    """The discrete action of the bicycle that is most like `controls`."""
    nearest: Array = np.abs(controls[:, None] - CHOICES).sum(2).argmin(1)
    return nearest


WAYS = 4  # that a ball can fly


def which_way(observations: Array) -> Array:
    """Classify: where the ball is, less where it was; as `paddle_states.features`."""
    way_x, way_y = observations[:, 2], observations[:, 3]
    return 2 * (way_x < 0) + (way_y > 0)


RULES: dict[str, dict[str, Rule]] = {
    "PaddleBall-v0": {"intercept": intercept, "follow": follow},
    "BicycleBalance-v0": {"ride": ride, "let_go": let_go},
    "ClassifyBall-v0": {"which_way": which_way},
}


@dataclass(frozen=True)
class RulesSettings:
    """Which rule to play by."""

    rule: str = ""
    """Its name (paddle: intercept, follow; bicycle: ride, let_go; classify: which_way); by default
    the game's best."""


class RulesAgent(Agent):
    """Plays by one of the game's rules; serves vector observations of the games in `RULES`."""

    def __init__(self, task: Task, settings: RulesSettings, seed: int) -> None:
        super().__init__(task, seed)
        rules = RULES.get(task.env_id)
        if rules is None:
            raise UnsuitableTaskError(
                f"rules: nobody has written rules for {task.env_id}; there are some for "
                f"{', '.join(RULES)}"
            )
        if len(task.observation_space.shape or ()) != 1:
            raise UnsuitableTaskError(
                'rules: these rules read observation="state" (of classify, "features"), not '
                "screens and no history"
            )
        name = settings.rule or next(iter(rules))
        if name not in rules:
            raise UnsuitableTaskError(
                f"rules: {task.env_id} has no rule `{name}`; it has {', '.join(rules)}"
            )
        if name == "which_way" and task.action_space != spaces.Discrete(WAYS):
            raise UnsuitableTaskError("rules: `which_way` answers question=direction, nothing else")
        self._rule = rules[name]

    def act(self, observations: Array, explore: bool = True) -> Array:
        """What the rule says for each observation."""
        actions = self._rule(observations)
        if actions.ndim == 2 and isinstance(self.task.action_space, spaces.Discrete):
            return _nearest_choice(actions)
        return actions

    def insight(self, observation: Array) -> Insight:
        """The rule is sure of itself."""
        if not isinstance(self.task.action_space, spaces.Discrete):
            return Insight()
        probabilities = np.zeros(int(self.task.action_space.n))
        probabilities[self.act(observation[None])[0]] = 1.0
        return Insight(probabilities=probabilities)
