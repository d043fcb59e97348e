"""Base class of DQN and PQN: a network that predicts Q values, and actions chosen by them.

Q(s, a) is the expected discounted return after action a in state s, if all later actions are the
best ones. The best action in s is the one with the largest Q(s, a).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from torch import Tensor, nn

from agents import ranks
from agents.agent import Array, Insight, Task, UnsuitableTaskError, agents_for
from agents.networks.backbones import orthogonal
from agents.networks.policy_network import PolicyNetwork, best_in
from agents.return_scale import ReturnAgent


class QNetwork(nn.Module):
    """The Q values of all actions: a backbone with `width` features, and a linear head."""

    def __init__(
        self, backbone: nn.Module, width: int, actions: int, generator: torch.Generator
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = nn.Linear(width, actions)
        orthogonal(self.head, 0.01, generator)  # at first, all Q values are close to 0

    def forward(self, observations: Tensor) -> Tensor:
        """Return Q (actions, n) for observations (n, ...); see `networks.distributions`."""
        features = self.backbone(observations)
        return torch.addmm(self.head.bias[:, None], self.head.weight, features.T)


def number_of_actions(name: str, space: spaces.Space[Any]) -> int:
    """Return the number of actions of a `Discrete` space.

    Raises:
        UnsuitableTaskError: if `space` is not discrete.
    """
    if not isinstance(space, spaces.Discrete):
        raise UnsuitableTaskError(
            f"{name}: actions must be Discrete, got {space}{agents_for(space)}"
        )
    return int(space.n)


class QAgent(ReturnAgent):
    """Takes the action with the largest Q, or with probability epsilon a random one.

    Epsilon falls linearly over the first `exploration_steps` environment steps. It does not depend
    on the planned number of steps, so a run that is resumed for longer continues unchanged.
    """

    network: QNetwork

    def __init__(
        self, task: Task, network: QNetwork, settings: Any, seed: int, device: str
    ) -> None:
        super().__init__(task, network, settings.learning_rate, settings.gamma, seed, device)
        assert isinstance(task.action_space, spaces.Discrete)
        self._first_action = int(task.action_space.start)
        self.settings = settings

    @property
    def epsilon(self) -> float:
        """The current probability of a random action."""
        settings = self.settings
        done = min(1.0, self.steps_seen / settings.exploration_steps)
        fall = settings.first_epsilon - settings.last_epsilon
        return float(settings.first_epsilon - done * fall)

    def act(self, observations: Array, explore: bool = True) -> Array:
        """Return epsilon-greedy actions (n,); greedy ones with `explore=False`."""
        actions: Array = self._values(observations).argmax(0)
        if explore:
            shape, choices = actions.shape, self.network.head.out_features
            at_random = ranks.sampled(self.generator.random, shape) < self.epsilon
            random = ranks.sampled(lambda n: self.generator.integers(choices, size=n), shape)
            actions = np.where(at_random, random, actions)
        return actions + self._first_action

    def insight(self, observation: Array) -> Insight:
        """Return probability 1 for the greedy action, and its Q as the value."""
        values = self._values(observation[None])[:, 0]
        probabilities = np.zeros_like(values)
        probabilities[values.argmax()] = 1.0
        return Insight(probabilities, float(values.max()) * self.return_scale.value)

    def value_outputs(self) -> list[Tensor]:
        """Return weights and biases of Q."""
        return list(self.network.head.parameters())

    def chosen(self, values: Tensor, actions: Tensor) -> Tensor:
        """Return the entries (n,) of Q (actions, n) for the environment's actions (n,)."""
        return values.gather(0, (actions - self._first_action)[None])[0]

    def policy_network(self) -> PolicyNetwork:
        """Return the network with the greedy action."""
        best = best_in(self.task.action_space)
        return PolicyNetwork(self.network, lambda network, seen: network(seen), best)

    def _values(self, observations: Array) -> Array:
        """Return Q (actions, n) in units of the scale, without gradients."""
        with torch.inference_mode():
            return self.network(self.tensor(observations)).numpy(force=True)  # type: ignore[no-any-return]
