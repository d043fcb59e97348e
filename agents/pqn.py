"""Parallelised Q-network (PQN): predicts returns from many environments at once.

Gallici et al., "Simplifying deep temporal difference learning" (ICLR 2025, arXiv 2407.04811). PQN
needs neither a replay buffer nor a target network. Layer normalisation (Ba et al., arXiv
1607.06450) keeps the predictions from diverging, and many parallel environments provide steps that
are as varied as those of a replay buffer. The loop is that of PPO: play a rollout, learn from it a
few times, and discard it.

The network predicts the lambda-return of Peng's Q(lambda) (Peng and Williams, "Incremental
multi-step Q-learning", ICML 1994), which also continues through random actions. The paper uses
wider networks (128 to 512) and always anneals the learning rate to 0.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from torch import Tensor, nn

from agents import ranks
from agents.adam import RAdam
from agents.agent import Step, Task
from agents.checkpointing import under
from agents.networks.backbones import VectorBackbone, make_backbone
from agents.q_agent import QAgent, QNetwork, number_of_actions
from agents.replay import Steps
from agents.return_scale import explained_variance
from agents.validation import at_least_one, between_0_and_1, positive


@dataclass(frozen=True)
class PQNSettings:
    """Hyperparameters of PQN."""

    learning_rate: float = 1e-3
    """Learning rate of RAdam."""
    anneal: bool = False
    """Decrease the learning rate linearly to 0 over the planned steps."""
    num_steps: int = 32
    """Number of steps that each environment runs between two updates of the network."""
    epochs: int = 2
    """Number of passes over each rollout."""
    minibatches: int = 8
    """Number of minibatches that a rollout is split into in each epoch."""
    gamma: float = 0.99
    """Discount factor of future rewards."""
    q_lambda: float = 0.65
    """Lambda of Q(lambda): 0 relies only on the predictions for the next state, 1 on rewards."""
    first_epsilon: float = 1.0
    """Probability of a random action at the start of training."""
    last_epsilon: float = 0.05
    """Probability of a random action after `exploration_steps`."""
    exploration_steps: int = 100_000
    """Number of environment steps over which the probability falls linearly."""
    max_grad_norm: float = 10.0
    """Maximum norm of the gradient."""
    width: int = 64
    """Number of units in each hidden layer."""

    def __post_init__(self) -> None:
        at_least_one(self, "num_steps", "epochs", "minibatches", "exploration_steps", "width")
        between_0_and_1(self, "gamma", "q_lambda", "first_epsilon", "last_epsilon")
        positive(self, "learning_rate", "max_grad_norm")


def lambda_returns(
    rewards: Tensor, next_values: Tensor, done: Tensor, gamma: float, lam: float
) -> Tensor:
    """Return the targets R_t (steps, n) of Q(lambda).

        R_t = r_t + gamma ((1 - lambda) max_a Q(s_{t+1}, a) + lambda R_{t+1})

    `next_values` are max_a Q(s_{t+1}, a) of the state that really followed; 0 after termination.
    They replace R_{t+1} at the end of the rollout and where `done` is 1.0: an episode ended at t.
    All inputs are (steps, n).
    """
    mixed = lam * (1.0 - done)
    returns = torch.empty_like(rewards)
    following = next_values[-1]
    for t in reversed(range(len(rewards))):
        following = rewards[t] + gamma * torch.lerp(next_values[t], following, mixed[t])
        returns[t] = following
    return returns


def layer_norm_backbone(
    space: spaces.Space[Any], width: int, generator: torch.Generator
) -> nn.Sequential:
    """Return the usual backbone, (n, *space.shape) to (n, width), with normalisation before ReLU.

    Raises:
        UnsuitableTaskError: if `make_backbone` does not serve `space`.
    """
    backbone = make_backbone(space, width, generator)
    layers = list(backbone.children())
    if isinstance(backbone, VectorBackbone):  # it calls ReLU as a function
        layers = [backbone.first, nn.ReLU(), backbone.second, nn.ReLU()]
        if len(space.shape or ()) > 1:
            layers.insert(0, nn.Flatten())
    normalised: list[nn.Module] = []
    for layer in layers:
        normalised.append(layer)
        if isinstance(layer, nn.Linear):
            normalised.append(nn.LayerNorm(layer.out_features))
        elif isinstance(layer, nn.Conv2d):
            normalised.append(nn.GroupNorm(1, layer.out_channels))  # 1 group: whole layer
    return nn.Sequential(*normalised)


class PQNAgent(QAgent):
    """Serves vectors and screens with discrete actions."""

    name = "pqn"
    trains_on_ranks = True
    settings: PQNSettings

    def __init__(self, task: Task, settings: PQNSettings, seed: int, device: str = "cpu") -> None:
        ranks.check_minibatches(settings.num_steps * task.num_envs, settings.minibatches)
        actions = number_of_actions("pqn", task.action_space)
        generator = torch.Generator().manual_seed(seed)
        backbone = layer_norm_backbone(task.observation_space, settings.width, generator)
        network = QNetwork(backbone, settings.width, actions, generator)
        super().__init__(task, network, settings, seed, device)
        self.optimizer = RAdam(self.parameters, settings.learning_rate, eps=1e-8)  # as in the paper
        self.rollout, self._length = Steps(task, settings.num_steps), 0

    def learn(self, step: Step) -> dict[str, float] | None:
        """Store the step; once the rollout is full, improve the network with it."""
        self.measure(step)
        self.rollout.write(self._length, step)
        self._length += 1
        self.steps_seen += len(step.rewards) * ranks.count()
        if self._length < self.settings.num_steps:
            return None
        self._length = 0
        return self._improve() if self.rollout.valid.any() else None

    def _improve(self) -> dict[str, float]:
        """Minimise half the squared error between Q and the returns of the rollout."""
        settings = self.settings
        if settings.anneal:
            self.anneal()
        self.rescale()
        returns = self.returns()
        losses = []
        for observations, actions, targets in self.minibatches(returns):
            predicted = self.chosen(self.network(observations), actions)
            loss = 0.5 * (predicted - targets).square().mean()
            self.descend(loss, settings.max_grad_norm)
            losses.append(loss.detach())
        return self.check(
            {
                "value_loss": torch.stack(losses).mean().item() * self.return_scale.unit**2,
                "q_values": returns.mean().item() * self.return_scale.unit,
                "explained_variance": explained_variance(predicted.detach(), targets).item(),
                "epsilon": self.epsilon,
                "learning_rate": self.learning_rate,
            }
        )

    def returns(self) -> Tensor:
        """Return the targets of the whole rollout in units of the scale, (steps, n)."""
        steps = {name: torch.from_numpy(array) for name, array in self.rollout.arrays().items()}
        with torch.no_grad():
            following = self.network(steps["next_observations"].flatten(0, 1).to(self.device))
        next_values = following.amax(0).view(steps["rewards"].shape).cpu()
        return lambda_returns(
            steps["rewards"] / self.return_scale.unit,
            next_values * ~steps["terminated"],
            (steps["terminated"] | steps["truncated"]).float(),
            self.settings.gamma,
            self.settings.q_lambda,
        )

    def minibatches(self, returns: Tensor) -> Iterator[tuple[Tensor, ...]]:
        """Yield this rank's part of each minibatch: observations, actions and returns.

        Minibatches consist of the valid steps of all ranks, shuffled in each epoch. `returns` are
        those of this rank's environments.
        """
        rollout = {name: torch.from_numpy(array) for name, array in self.rollout.arrays().items()}
        tensors = (rollout["observations"], rollout["actions"], returns)
        everything = [ranks.of_all(each.to(self.device)).flatten(0, 1) for each in tensors]
        rows = np.flatnonzero(ranks.of_all(rollout["valid"]))
        for _ in range(self.settings.epochs):
            order = torch.from_numpy(self.generator.permutation(rows)).to(self.device)
            for part in order.chunk(self.settings.minibatches):
                yield tuple(tensor[ranks.part_of(part)] for tensor in everything)

    def tensors(self) -> dict[str, Any]:
        """Return network, optimizer and the unfinished rollout."""
        rollout = self.rollout.copies(self._length)
        return super().tensors() | {f"rollout.{k}": torch.from_numpy(v) for k, v in rollout.items()}

    def numbers(self) -> dict[str, Any]:
        """Return the random generator and counters."""
        return {**super().numbers(), "rollout_length": self._length}

    def discard_rollout(self) -> None:
        """Drop the unfinished rollout, whose next steps will never be played."""
        super().discard_rollout()
        self._length = 0

    def restore(self, tensors: dict[str, Any], numbers: dict[str, Any]) -> None:
        """Continue from a checkpoint."""
        super().restore(tensors, numbers)
        self._length = numbers["rollout_length"]
        rollout = {name: tensor.numpy() for name, tensor in under("rollout.", tensors).items()}
        self.rollout.restore(rollout, self._length)
