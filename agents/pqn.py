"""Parallelised Q-network: reward prediction from many games at once, without replay or targets.

Gallici et al., "Simplifying deep temporal difference learning" (ICLR 2025, arXiv 2407.04811). Layer
normalisation (Ba et al., arXiv 1607.06450) keeps the predictions from running away, which is what
DQN needs its target network for; the variety of many games does what its replay is for. So the
loop is PPO's: play a while with everything, learn from that a few times, throw it away.

What is predicted is the lambda-return, Peng's Q(lambda) (Peng and Williams, "Incremental
multi-step Q-learning", ICML 1994): it goes on through actions that were drawn at random. The
paper's networks are wider (128 to 512) and its learning rate always falls to 0.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from torch import Tensor, nn

from agents.agent import Step, Task
from agents.checkpointing import under
from agents.networks.backbones import VectorBackbone, make_backbone
from agents.q_agent import QAgent, QNetwork, number_of_actions
from agents.replay import Steps
from agents.validation import at_least_one, between_0_and_1, positive


@dataclass(frozen=True)
class PQNSettings:
    """Hyperparameters."""

    learning_rate: float = 1e-3
    """Step size of RAdam."""
    anneal: bool = False
    """Let the learning rate fall linearly to 0 over the planned steps."""
    num_steps: int = 32
    """Steps of each environment in a rollout."""
    epochs: int = 2
    """Times that a rollout is gone through."""
    minibatches: int = 8
    """Parts that a rollout is split into, anew in each epoch."""
    gamma: float = 0.99
    """Discount."""
    q_lambda: float = 0.65
    """Q(lambda): 0 trusts the prediction for the next step, 1 only the rewards."""
    first_epsilon: float = 1.0
    """Probability of an action at random in the beginning."""
    last_epsilon: float = 0.05
    """The same in the end."""
    exploration_steps: int = 100_000
    """Environment steps over which it falls."""
    max_grad_norm: float = 10.0
    """Longest gradient."""
    width: int = 64
    """Features in each layer."""

    def __post_init__(self) -> None:
        at_least_one(self, "num_steps", "epochs", "minibatches", "exploration_steps", "width")
        between_0_and_1(self, "gamma", "q_lambda", "first_epsilon", "last_epsilon")
        positive(self, "learning_rate", "max_grad_norm")


def lambda_returns(
    rewards: Tensor, next_values: Tensor, done: Tensor, gamma: float, lam: float
) -> Tensor:
    """Q(lambda), backwards in time; everything is (steps, n).

    R_t = r_t + gamma * ((1 - lambda) * max_a Q(s_{t+1}, a) + lambda * R_{t+1}), and where nothing
    later is known of the episode, R_t = r_t + gamma * max_a Q(s_{t+1}, a).

    Args:
        rewards: r_t.
        next_values: max_a Q(s_{t+1}, a) of what really followed: 0 after termination.
        done: 1.0 where the episode ended or was cut at t: no later return leaks over.
        gamma: discount.
        lam: lambda.
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
    """The usual backbone (n, *space.shape) -> (n, width), each layer normalised before its ReLU.

    Raises:
        UnsuitableTaskError: if `space` is none that `make_backbone` serves.
    """
    backbone = make_backbone(space, width, generator)
    layers = list(backbone.children())
    if isinstance(backbone, VectorBackbone):  # calls its ReLUs as functions
        layers = [backbone.first, nn.ReLU(), backbone.second, nn.ReLU()]
        if len(space.shape or ()) > 1:
            layers.insert(0, nn.Flatten())
    normalised: list[nn.Module] = []
    for layer in layers:
        normalised.append(layer)
        if isinstance(layer, nn.Linear):
            normalised.append(nn.LayerNorm(layer.out_features))
        elif isinstance(layer, nn.Conv2d):
            normalised.append(nn.GroupNorm(1, layer.out_channels))  # one group: the whole layer
    return nn.Sequential(*normalised)


class PQNAgent(QAgent):
    """Serves vectors and screens with discrete actions."""

    name = "pqn"
    settings: PQNSettings

    def __init__(self, task: Task, settings: PQNSettings, seed: int, device: str = "cpu") -> None:
        actions = number_of_actions("pqn", task.action_space)
        generator = torch.Generator().manual_seed(seed)
        backbone = layer_norm_backbone(task.observation_space, settings.width, generator)
        network = QNetwork(backbone, settings.width, actions, generator)
        super().__init__(task, network, settings, seed, device)
        self.rollout, self._length = Steps(task, settings.num_steps), 0

    @functools.cached_property
    def optimizer(self) -> torch.optim.Optimizer:
        """RAdam, as in the paper: its first steps are short, when Adam's spread is a guess."""
        return torch.optim.RAdam([self.parameters], self.settings.learning_rate)

    def learn(self, step: Step) -> dict[str, float] | None:
        """Note what followed; once the rollout is full, improve the prediction by it."""
        self.rollout.write(self._length, step)
        self._length += 1
        self.steps_seen += len(step.rewards)
        if self._length < self.settings.num_steps:
            return None
        self._length = 0
        return self._improve() if self.rollout.arrays["valid"].any() else None

    def _improve(self) -> dict[str, float]:
        """Several epochs of half the squared distance between prediction and return."""
        settings = self.settings
        if settings.anneal:
            left = max(0.0, 1.0 - self.steps_seen / self.task.total_steps)
            self.optimizer.param_groups[0]["lr"] = settings.learning_rate * left
        returns = self._returns()
        losses = []
        for observations, actions, wanted in self._minibatches(returns):
            predicted = self.chosen(self.network(observations), actions)
            loss = 0.5 * (predicted - wanted).square().mean()
            self.descend(loss, settings.max_grad_norm)
            losses.append(loss.detach())
        return self.check(
            {
                "value_loss": torch.stack(losses).mean().item(),
                "q_values": returns.mean().item(),
                "epsilon": self.epsilon,
                "learning_rate": self.optimizer.param_groups[0]["lr"],
            }
        )

    def _returns(self) -> Tensor:
        """Q(lambda) of the whole rollout, (steps, n)."""
        steps = {name: torch.from_numpy(array) for name, array in self.rollout.arrays.items()}
        with torch.no_grad():
            following = self.network(steps["next_observations"].flatten(0, 1).to(self.device))
        next_values = following.amax(0).view(steps["rewards"].shape).cpu()
        return lambda_returns(
            steps["rewards"],
            next_values * ~steps["terminated"],
            (steps["terminated"] | steps["truncated"]).float(),
            self.settings.gamma,
            self.settings.q_lambda,
        )

    def _minibatches(self, returns: Tensor) -> Iterator[tuple[Tensor, ...]]:
        """Observations, actions and returns of the rollout's valid steps in random order."""
        steps = self.rollout.arrays
        everything = [
            tensor.flatten(0, 1).to(self.device)
            for tensor in (
                torch.from_numpy(steps["observations"]),
                torch.from_numpy(steps["actions"]),
                returns,
            )
        ]
        rows = np.flatnonzero(steps["valid"])
        for _ in range(self.settings.epochs):
            order = torch.from_numpy(self.generator.permutation(rows)).to(self.device)
            shuffled = (tensor[order] for tensor in everything)
            parts = (tensor.chunk(self.settings.minibatches) for tensor in shuffled)
            yield from zip(*parts, strict=True)

    def tensors(self) -> dict[str, Any]:
        """Network, optimizer and the rollout so far."""
        rollout = self.rollout.copies(self._length)
        return super().tensors() | {
            f"rollout.{name}": torch.from_numpy(array) for name, array in rollout.items()
        }

    def numbers(self) -> dict[str, Any]:
        """Generator and counters."""
        return {**super().numbers(), "rollout_length": self._length}

    def discard_rollout(self) -> None:
        """Drop the rollout so far, whose next steps never come."""
        self._length = 0

    def restore(self, tensors: dict[str, Any], numbers: dict[str, Any]) -> None:
        """Go on from where `tensors` and `numbers` were taken."""
        super().restore(tensors, numbers)
        self._length = numbers["rollout_length"]
        rollout = {name: tensor.numpy() for name, tensor in under("rollout.", tensors).items()}
        self.rollout.restore(rollout, self._length)
