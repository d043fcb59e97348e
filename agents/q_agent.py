"""What the reward predictors share: a network from observations to Q, and how they act by it.

Q(s, a) is the discounted sum of rewards to expect in state s after action a, if one acts best from
then on. Who knows it acts best by taking the action whose Q is largest.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from torch import Tensor, nn

from agents.agent import Array, Insight, Task, UnsuitableTaskError
from agents.networks.backbones import orthogonal
from agents.torch_agent import TorchAgent


class QNetwork(nn.Module):
    """Q of every action, on a backbone that answers with `width` features."""

    def __init__(
        self, backbone: nn.Module, width: int, actions: int, generator: torch.Generator
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = nn.Linear(width, actions)
        orthogonal(self.head, 0.01, generator)  # all actions seem alike and worth nothing

    def forward(self, observations: Tensor) -> Tensor:
        """Q (actions, n) of observations (n, ...): long rows are quick, as in `distributions`."""
        features = self.backbone(observations)
        return torch.addmm(self.head.bias[:, None], self.head.weight, features.T)


def number_of_actions(name: str, space: spaces.Space[Any]) -> int:
    """Of a `Discrete` space.

    Raises:
        UnsuitableTaskError: if it is another.
    """
    if not isinstance(space, spaces.Discrete):
        raise UnsuitableTaskError(
            f"{name}: actions {space} cannot be served, since the best one of infinitely many "
            "cannot be looked up; what can are Discrete ones"
        )
    return int(space.n)


class QAgent(TorchAgent):
    """Acts greedily by its network, but with probability epsilon at random.

    Epsilon falls linearly over the first `exploration_steps` environment steps. These are not a
    part of the planned steps, so that a run which is resumed for longer goes on as it would have.
    """

    network: QNetwork

    def __init__(
        self, task: Task, network: QNetwork, settings: Any, seed: int, device: str
    ) -> None:
        super().__init__(task, network, settings.learning_rate, seed, device)
        assert isinstance(task.action_space, spaces.Discrete)
        self._first_action = int(task.action_space.start)
        self.settings = settings

    @property
    def epsilon(self) -> float:
        """The probability of an action at random, by now."""
        settings = self.settings
        done = min(1.0, self.steps_seen / settings.exploration_steps)
        fall = settings.first_epsilon - settings.last_epsilon
        return float(settings.first_epsilon - done * fall)

    def act(self, observations: Array, explore: bool = True) -> Array:
        """Actions (n,): epsilon-greedy, or greedy without `explore`."""
        actions: Array = self._values(observations).argmax(0)
        if explore:
            count, kinds = len(actions), self.network.head.out_features
            at_random = self.generator.random(count) < self.epsilon
            actions = np.where(at_random, self.generator.integers(kinds, size=count), actions)
        return actions + self._first_action

    def insight(self, observation: Array) -> Insight:
        """The greedy action has probability 1; the value is its Q."""
        values = self._values(observation[None])[:, 0]
        probabilities = np.zeros_like(values)
        probabilities[values.argmax()] = 1.0
        return Insight(probabilities, float(values.max()))

    def chosen(self, values: Tensor, actions: Tensor) -> Tensor:
        """Of Q (actions, n) those of the actions (n,), as the environment counts them."""
        return values.gather(0, (actions - self._first_action)[None])[0]

    def _values(self, observations: Array) -> Array:
        """Q (actions, n)."""
        with torch.inference_mode():
            return self.network(self.tensor(observations)).numpy(force=True)  # type: ignore[no-any-return]
