"""PPO after CleanRL's single-file recipe, for comparison; written from its description.

Huang et al., "CleanRL: High-quality Single-file Implementations of Deep Reinforcement Learning
Algorithms" (JMLR 2022), with the defaults of its `ppo.py` for vector observations. The details
follow Huang et al., "The 37 Implementation Details of Proximal Policy Optimization" (2022).

As in the recipe, truncation is treated like termination. Gymnasium 1 by default resets finished
environments in a separate step; the recipe was published for resets within the same step, so
SAME_STEP is used here.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gymnasium
import numpy as np
import torch
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from gymnasium.wrappers import RecordEpisodeStatistics
from torch import Tensor, nn
from torch.distributions import Categorical

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Recipe:
    """The published hyperparameters."""

    total_steps: int = 500_000
    num_envs: int = 4
    num_steps: int = 128
    learning_rate: float = 2.5e-4
    gamma: float = 0.99
    gae_lambda: float = 0.95
    epochs: int = 4
    minibatches: int = 4
    clip_coef: float = 0.2
    entropy_coef: float = 0.01
    value_coef: float = 0.5
    max_grad_norm: float = 0.5
    width: int = 64


class Network(nn.Module):
    """Separate policy and value networks with tanh units and orthogonal initialisation."""

    def __init__(self, inputs: int, actions: int, width: int) -> None:
        super().__init__()
        self.critic = _perceptron(inputs, width, 1, 1.0)
        self.actor = _perceptron(inputs, width, actions, 0.01)

    def policy(self, observations: Tensor) -> Categorical:
        """Return the action distribution for observations (n, inputs)."""
        return Categorical(logits=self.actor(observations))

    def best(self, observations: Array) -> Array:
        """Return the most probable actions (n,)."""
        with torch.no_grad():
            return self.actor(torch.as_tensor(observations)).argmax(1).numpy()  # type: ignore[no-any-return]

    def value(self, observations: Tensor) -> Tensor:
        """Return the values (n,)."""
        return self.critic(observations).flatten()  # type: ignore[no-any-return]


@dataclass
class Rollout:
    """Tensors of shape (steps, environments, ...)."""

    observations: Tensor
    actions: Tensor
    log_probs: Tensor
    values: Tensor
    rewards: Tensor
    ended: Tensor
    """1.0 where the step ended an episode, else 0.0."""

    def flat(self, advantages: Tensor) -> tuple[Tensor, ...]:
        """Return the columns that the update needs, one row per step."""
        returns = advantages + self.values
        columns = (
            self.observations,
            self.actions,
            self.log_probs,
            self.values,
            advantages,
            returns,
        )
        return tuple(column.flatten(0, 1) for column in columns)


def learn(
    env_id: str,
    seed: int,
    keep_training: Callable[[int, Network], bool],
    recipe: Recipe | None = None,
) -> None:
    """Train for the recipe's number of steps.

    `keep_training` is called after each step with (steps, network); False ends the training.
    """
    recipe = recipe or Recipe()
    torch.manual_seed(seed)
    envs = SyncVectorEnv(
        [lambda: RecordEpisodeStatistics(gymnasium.make(env_id))] * recipe.num_envs,
        autoreset_mode=AutoresetMode.SAME_STEP,
    )
    try:
        _learn(envs, seed, keep_training, recipe)
    finally:
        envs.close()


def _learn(
    envs: SyncVectorEnv, seed: int, keep_training: Callable[[int, Network], bool], recipe: Recipe
) -> None:
    inputs, actions = envs.single_observation_space.shape, envs.single_action_space
    assert inputs is not None
    assert isinstance(actions, gymnasium.spaces.Discrete)
    network = Network(inputs[0], int(actions.n), recipe.width)
    optimizer = torch.optim.Adam(network.parameters(), recipe.learning_rate, eps=1e-5)
    observations, _ = envs.reset(seed=seed)
    per_update = recipe.num_envs * recipe.num_steps
    updates = math.ceil(recipe.total_steps / per_update)
    for update in range(updates):
        optimizer.param_groups[0]["lr"] = recipe.learning_rate * (1.0 - update / updates)
        gathered = _gather(envs, network, observations, recipe, update * per_update, keep_training)
        if gathered is None:
            return
        rollout, observations = gathered
        with torch.no_grad():
            following = network.value(torch.as_tensor(observations))
        advantages = _advantages(rollout, following, recipe)
        _update(network, optimizer, rollout.flat(advantages), recipe)


def _gather(
    envs: SyncVectorEnv,
    network: Network,
    observations: Array,
    recipe: Recipe,
    steps: int,
    keep_training: Callable[[int, Network], bool],
) -> tuple[Rollout, Array] | None:
    """Return a rollout and the observations after it; None if training is to stop."""
    rows: list[tuple[Tensor, ...]] = []
    for _ in range(recipe.num_steps):
        seen = torch.as_tensor(observations)
        with torch.no_grad():
            policy, values = network.policy(seen), network.value(seen)
            actions = policy.sample()
            log_probs = policy.log_prob(actions)
        observations, rewards, terminated, truncated, _ = envs.step(actions.numpy())
        reward = torch.as_tensor(rewards, dtype=torch.float32)
        ended = torch.as_tensor(terminated | truncated, dtype=torch.float32)
        rows.append((seen, actions, log_probs, values, reward, ended))
        steps += recipe.num_envs
        if not keep_training(steps, network):
            return None
    return Rollout(*(torch.stack(column) for column in zip(*rows, strict=True))), observations


def _advantages(rollout: Rollout, following: Tensor, recipe: Recipe) -> Tensor:
    """Return generalised advantage estimates (Schulman et al. 2016, equation 16)."""
    advantages, advantage = torch.zeros_like(rollout.rewards), torch.zeros_like(following)
    for t in reversed(range(recipe.num_steps)):
        not_ended = 1.0 - rollout.ended[t]
        delta = rollout.rewards[t] + recipe.gamma * following * not_ended - rollout.values[t]
        advantage = delta + recipe.gamma * recipe.gae_lambda * not_ended * advantage
        advantages[t], following = advantage, rollout.values[t]
    return advantages


def _update(
    network: Network, optimizer: torch.optim.Optimizer, data: tuple[Tensor, ...], recipe: Recipe
) -> None:
    """Update the network in epochs of shuffled minibatches."""
    for _ in range(recipe.epochs):
        for rows in torch.randperm(len(data[0])).chunk(recipe.minibatches):
            loss = _loss(network, recipe, *(column[rows] for column in data))
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), recipe.max_grad_norm)
            optimizer.step()


def _loss(
    network: Network,
    recipe: Recipe,
    observations: Tensor,
    actions: Tensor,
    old_log_probs: Tensor,
    old_values: Tensor,
    advantages: Tensor,
    returns: Tensor,
) -> Tensor:
    """Return the clipped policy loss plus the clipped value loss minus the entropy bonus."""
    policy, values = network.policy(observations), network.value(observations)
    clip = recipe.clip_coef
    ratio = (policy.log_prob(actions) - old_log_probs).exp()
    advantages = (advantages - advantages.mean()) / (advantages.std() + 1e-8)
    policy_loss = torch.max(-advantages * ratio, -advantages * ratio.clamp(1 - clip, 1 + clip))
    clipped_values = old_values + (values - old_values).clamp(-clip, clip)
    value_loss = torch.max((values - returns).square(), (clipped_values - returns).square())
    entropy = policy.entropy()
    return (  # type: ignore[no-any-return]
        policy_loss.mean()
        + recipe.value_coef * 0.5 * value_loss.mean()
        - recipe.entropy_coef * entropy.mean()
    )


def _perceptron(inputs: int, width: int, outputs: int, gain: float) -> nn.Sequential:
    """Return a network with two hidden tanh layers; `gain` applies to the last layer."""
    layers: list[nn.Module] = []
    for size in (inputs, width):
        layers += [_orthogonal(nn.Linear(size, width), 2**0.5), nn.Tanh()]
    return nn.Sequential(*layers, _orthogonal(nn.Linear(width, outputs), gain))


def _orthogonal(layer: nn.Linear, gain: float) -> nn.Linear:
    nn.init.orthogonal_(layer.weight, gain)
    nn.init.zeros_(layer.bias)
    return layer
