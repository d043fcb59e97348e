"""Random agent: every action is equally likely. The baseline for all other agents."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from gymnasium import spaces

from agents.agent import Agent, Array, Insight, Task
from agents.sticky_actions import random_actions


@dataclass(frozen=True)
class RandomSettings:
    """The random agent has no settings."""


class RandomAgent(Agent):
    """Samples actions uniformly; serves any spaces."""

    def __init__(self, task: Task, settings: RandomSettings, seed: int) -> None:
        super().__init__(task, seed)
        self._space = task.action_space
        self._space.seed(seed)

    def act(self, observations: Array, explore: bool = True) -> Array:
        """Return one random action for each observation."""
        space, count = self._space, len(observations)
        bounded = isinstance(space, spaces.Box) and space.is_bounded()
        if bounded or isinstance(space, spaces.Discrete):
            return random_actions(space, count, self.generator)
        return np.array([space.sample() for _ in range(count)])

    def insight(self, observation: Array) -> Insight:
        """Return equal probabilities, if actions are discrete."""
        if isinstance(self._space, spaces.Discrete):
            return Insight(probabilities=np.full(int(self._space.n), 1 / int(self._space.n)))
        return Insight()
