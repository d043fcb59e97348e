"""Any action, each as likely as the other: the baseline that everything has to beat."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from gymnasium import spaces

from agents.agent import Agent, Array, Insight, Task


@dataclass(frozen=True)
class RandomSettings:
    """Chance has no settings."""


class RandomAgent(Agent):
    """Draws from the action space; serves any spaces."""

    def __init__(self, task: Task, settings: RandomSettings, seed: int) -> None:
        super().__init__(task, seed)
        self._space = task.action_space
        self._space.seed(seed)

    def act(self, observations: Array, explore: bool = True) -> Array:
        """One random action for each observation."""
        count = len(observations)
        if isinstance(self._space, spaces.Discrete):
            start, size = int(self._space.start), int(self._space.n)
            return start + self.generator.integers(size, size=count)
        if isinstance(self._space, spaces.Box) and self._space.is_bounded():
            shape = (count, *self._space.shape)
            drawn = self.generator.uniform(self._space.low, self._space.high, shape)
            return np.asarray(drawn, self._space.dtype)
        return np.array([self._space.sample() for _ in range(count)])

    def insight(self, observation: Array) -> Insight:
        """Equal probabilities."""
        if isinstance(self._space, spaces.Discrete):
            return Insight(probabilities=np.full(int(self._space.n), 1 / int(self._space.n)))
        return Insight()
