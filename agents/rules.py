"""Rules: a person wrote the whole policy, and nothing is learned.

The rules belong to the environment, see `envs.engine.game.Game.rules_module`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from gymnasium import spaces

from agents.agent import Agent, Array, Insight, Task, UnsuitableTaskError
from envs.rules import find_rules


@dataclass(frozen=True)
class RulesSettings:
    """Settings of the rules agent."""

    rule: str = ""
    """Name of the hand-written rule. An empty name takes the best; an unknown one prints a list."""


class RulesAgent(Agent):
    """Follows one hand-written rule of its environment; needs vector observations."""

    def __init__(self, task: Task, settings: RulesSettings, seed: int) -> None:
        super().__init__(task, seed)
        module = find_rules(task.env_id)
        if module is None:
            raise UnsuitableTaskError(f"rules: {task.env_id} has no hand-written rules")
        rules = module.rules(task.action_space)
        if not rules:
            raise UnsuitableTaskError(
                f"rules: no hand-written rule of {task.env_id} serves the actions "
                f"{task.action_space}"
            )
        if len(task.observation_space.shape or ()) != 1:
            raise UnsuitableTaskError(
                "rules: hand-written rules need vector observations without history, not screens"
            )
        name = settings.rule or next(iter(rules))
        if name not in rules:
            raise UnsuitableTaskError(
                f"rules: {task.env_id} has no rule `{name}`; it has {', '.join(rules)}"
            )
        self._rule = rules[name]

    def act(self, observations: Array, explore: bool = True) -> Array:
        """Return the rule's actions (n, ...) for observations (n, k)."""
        actions: Array = self._rule(observations)
        return actions

    def insight(self, observation: Array) -> Insight:
        """Return probability 1 for the rule's action, if actions are discrete."""
        if not isinstance(self.task.action_space, spaces.Discrete):
            return Insight()
        probabilities = np.zeros(int(self.task.action_space.n))
        probabilities[self.act(observation[None])[0]] = 1.0
        return Insight(probabilities=probabilities)
