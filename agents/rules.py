"""Rule-based agents: a person wrote all of it, nothing is learned. Each is about one game."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from gymnasium import spaces

from agents.agent import Agent, Array, Insight, Task, UnsuitableTaskError
from envs.paddle import landing

Rule = Callable[[Array], Array]


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


RULES: dict[str, dict[str, Rule]] = {
    "PaddleBall-v0": {"intercept": intercept, "follow": follow},
}


@dataclass(frozen=True)
class RulesSettings:
    """Which rule to play by."""

    rule: str = ""
    """Its name (paddle: intercept, follow); by default the game's best."""


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
            raise UnsuitableTaskError('rules: these rules read observation="state", not screens')
        name = settings.rule or next(iter(rules))
        if name not in rules:
            raise UnsuitableTaskError(
                f"rules: {task.env_id} has no rule `{name}`; it has {', '.join(rules)}"
            )
        self._rule = rules[name]

    def act(self, observations: Array, explore: bool = True) -> Array:
        """What the rule says for each observation."""
        return self._rule(observations)

    def insight(self, observation: Array) -> Insight:
        """The rule is sure of itself."""
        assert isinstance(self.task.action_space, spaces.Discrete)
        probabilities = np.zeros(int(self.task.action_space.n))
        probabilities[self._rule(observation[None])[0]] = 1.0
        return Insight(probabilities=probabilities)
