"""Soft actor-critic (SAC): continuous actions, learned from a replay buffer.

Haarnoja et al., "Soft actor-critic algorithms and applications" (arXiv 1812.05905): two critics, a
policy with an entropy bonus, and a temperature that keeps the entropy at a target. Numbers of
equations are those of this paper.

The paper takes three optimizer steps one after the other, for critics, policy and temperature. This
implementation takes one step of one Adam on the sum of the three losses. Adam moves each parameter
by that parameter's own gradients, so both are the same as long as no loss sends gradients into the
parameters of another; `detach` and the form of equation 10 ensure that. The only difference is that
the policy is improved with the critics from before this step.

Two additions: on screens, only the critics train the encoder, and the policy reads its features
(Yarats et al., "Improving sample efficiency in model-free reinforcement learning from images",
2021). The first actions are random and held for `persistence` steps (1 in the paper); otherwise, a
car in a valley would never reach the hill.
"""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from agents.agent import Array, Insight, Step, Task, UnsuitableTaskError, agents_for
from agents.checkpointing import under
from agents.networks.distributions import HALF_LOG_TAU, BoxScale
from agents.networks.policy_network import PolicyNetwork, best_in
from agents.networks.state_action import is_bounded_box, make_encoder, mlp
from agents.replay import Replay
from agents.return_scale import ReturnAgent, explained_variance
from agents.sticky_actions import persist, random_actions
from agents.validation import at_least_one, between_0_and_1, positive

LOG_STD_RANGE = (-20.0, 2.0)
REPORT_EVERY = 1_000  # environment steps
POWERS = {
    "policy_loss": 1,
    "value_loss": 2,
    "entropy": 0,
    "alpha": 1,
    "mean_value": 1,
    "explained_variance": 0,
}
"""Power of the reward's unit in which each metric is measured."""


@dataclass(frozen=True)
class SACSettings:
    """Hyperparameters of SAC."""

    learning_rate: float = 1e-3
    """Learning rate of Adam, for critics, policy and temperature."""
    batch_size: int = 128
    """Number of steps sampled from the replay buffer for an update."""
    updates: int = 1
    """Number of updates after each step of all environments."""
    capacity: int = 200_000
    """Number of environment steps in the replay buffer."""
    warmup: int = 1_000
    """Number of environment steps with random actions before the first update."""
    persistence: float = 1.0
    """Average number of steps for which a random action is held."""
    gamma: float = 0.99
    """Discount factor of future rewards."""
    tau: float = 0.005
    """Fraction by which the target critics move towards the critics at each update."""
    target_entropy: float = -1.0
    """Target of the policy's entropy for each dimension of the action, scaled to -1..1."""
    width: int = 128
    """Number of units in each hidden layer."""

    def __post_init__(self) -> None:
        at_least_one(self, "batch_size", "updates", "capacity", "warmup", "persistence", "width")
        between_0_and_1(self, "gamma", "tau")
        positive(self, "learning_rate")
        if not math.isfinite(self.target_entropy):
            raise ValueError(f"--target-entropy must be finite, got {self.target_entropy}")


def squash(outputs: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
    """Return actions tanh(u) of a Gaussian u, and their log-probabilities.

    Equation 26 (appendix C): log pi(a|s) = log N(u) - sum log(1 - tanh(u)^2). The last term is
    computed as 2 (log 2 - u - softplus(-2u)), which is exact even where tanh(u) is almost 1.
    `outputs` (n, 2k) are means, then logarithms of standard deviations; `noise` (n, k) are standard
    normal samples, epsilon of equation 8. Actions (n, k) are between -1 and 1.
    """
    mean, log_std = outputs.chunk(2, 1)
    log_std = log_std.clamp(*LOG_STD_RANGE)
    u = mean + log_std.exp() * noise
    log_normal = -0.5 * noise.square() - log_std - HALF_LOG_TAU
    log_slope = 2 * (math.log(2.0) - u - functional.softplus(-2 * u))
    return u.tanh(), (log_normal - log_slope).sum(1)


class Critics(nn.Module):
    """Two estimates of Q. The lower one is used, because a maximum over estimates is too high."""

    def __init__(self, task: Task, width: int, actions: int, generator: torch.Generator) -> None:
        super().__init__()
        self.encoder, self.features = make_encoder(task.observation_space, width, generator)
        inputs = self.features + actions
        self.pair = nn.ModuleList(mlp(inputs, width, 1, 1.0, generator) for _ in range(2))

    def forward(self, features: Tensor, actions: Tensor) -> Tensor:
        """Return Q (2, n) for the encoder's features (n, features) and actions (n, k)."""
        both = torch.cat((features, actions), 1)
        return torch.cat([critic(both) for critic in self.pair], 1).T


class ActorCritics(nn.Module):
    """All learned parameters: critics, policy and temperature."""

    def __init__(self, task: Task, width: int, actions: int, seed: int) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        self.critics = Critics(task, width, actions, generator)
        self.policy = mlp(self.critics.features, width, 2 * actions, 0.01, generator)
        self.log_alpha = nn.Parameter(torch.zeros(1))


class SACAgent(ReturnAgent):
    """Serves vectors and screens with bounded continuous actions."""

    name = "sac"
    typical_value = 100.0  # a reward is then about 1, as large as the first entropy bonuses

    def __init__(self, task: Task, settings: SACSettings, seed: int, device: str = "cpu") -> None:
        space = task.action_space
        if not is_bounded_box(space):
            raise UnsuitableTaskError(
                f"sac: actions must be a float Box space with bounds, got {space}"
                f"{agents_for(space)}"
            )
        self.settings = settings
        self._space = space
        self.scale = BoxScale(space)
        self.dimensions = int(np.prod(space.shape))
        self.network: ActorCritics
        network = ActorCritics(task, settings.width, self.dimensions, seed)
        self.target = copy.deepcopy(network.critics).requires_grad_(False)
        super().__init__(task, network, settings.learning_rate, settings.gamma, seed, device)
        self.target.to(self.device)
        self.replay = Replay(task, settings.capacity)
        self.held = random_actions(space, task.num_envs, self.generator)

    def act(self, observations: Array, explore: bool = True) -> Array:
        """Return sampled actions (n, ...), at first random ones; without `explore`, means."""
        if explore and self.steps_seen < self.settings.warmup:
            persistence = self.settings.persistence
            self.held = persist(self._space, self.held, persistence, self.generator)
            return self.held
        with torch.inference_mode():
            outputs = self.network.policy(self.network.critics.encoder(self.tensor(observations)))
            means = outputs[:, : self.dimensions].tanh()
            actions = squash(outputs, self._noise(len(observations)))[0] if explore else means
        return self.scale.to_environment(actions.numpy(force=True))

    def learn(self, step: Step) -> dict[str, float] | None:
        """Store the step; after the warm-up, update the networks from the buffer."""
        self.measure(step)
        self.replay.add(step)
        before, self.steps_seen = self.steps_seen, self.steps_seen + len(step.rewards)
        if self.steps_seen < self.settings.warmup:
            return None
        self.rescale()
        for _ in range(self.settings.updates):
            metrics = self._improve()
        if self.steps_seen // REPORT_EVERY == before // REPORT_EVERY:
            return None
        numbers = {name: value.item() for name, value in metrics.items()}
        return self.check(self.in_reward_units(numbers, POWERS))

    def _improve(self) -> dict[str, Tensor]:
        """Take one gradient step on a minibatch (algorithm 1, the inner loop)."""
        settings = self.settings
        sampled = self.replay.sample(self.generator, settings.batch_size, settings.gamma)
        sampled["rewards"] /= self.return_scale.unit
        sampled["actions"] = self.scale.to_unit(sampled["actions"])
        batch = {name: self.tensor(array) for name, array in sampled.items()}
        noise, next_noise = (self._noise(settings.batch_size) for _ in range(2))
        loss, metrics = self.losses(batch, noise, next_noise)
        self.descend(loss, max_grad_norm=float("inf"))
        with torch.no_grad():
            critics = self.network.critics.parameters()
            for target, current in zip(self.target.parameters(), critics, strict=True):
                target.lerp_(current, settings.tau)
        return metrics

    def targets(self, batch: dict[str, Tensor], noise: Tensor) -> Tensor:
        """Return the targets of Q (n,): r + gamma V(s'), equations 3 and 5."""
        with torch.no_grad():
            following = batch["next_observations"]
            outputs = self.network.policy(self.network.critics.encoder(following))
            actions, log_probs = squash(outputs, noise)
            lower = self.target(self.target.encoder(following), actions).amin(0)
            values = lower - self.network.log_alpha.exp() * log_probs
            target: Tensor = batch["rewards"] + batch["discounts"] * values
            return target

    def losses(
        self, batch: dict[str, Tensor], noise: Tensor, next_noise: Tensor
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the sum of the three losses, and the metrics.

        The `batch` is that of `Replay.sample`, with actions scaled to -1..1. Both noises (n, k) are
        standard normal samples, for the actions in the current and in the next states.
        """
        critics, log_alpha = self.network.critics, self.network.log_alpha
        features = critics.encoder(batch["observations"])
        values = critics(features, batch["actions"])
        targets = self.targets(batch, next_noise)
        errors = values - targets
        value_loss = 0.5 * errors.square().mean(1).sum()  # equation 5

        features, alpha = features.detach(), log_alpha.exp()
        actions, log_probs = squash(self.network.policy(features), noise)
        free = actions.detach().requires_grad_()
        lower = critics(features, free).amin(0)
        (slope,) = torch.autograd.grad(lower.sum(), free)  # dQ/da of equation 10
        policy_loss = (alpha.detach() * log_probs - (slope * actions).sum(1)).mean()

        surplus = log_probs.detach() + self.settings.target_entropy * self.dimensions
        alpha_loss = -(alpha * surplus).mean()  # equation 18
        metrics = {
            "policy_loss": (alpha * log_probs - lower).mean(),  # equation 7; its gradient is 10
            "value_loss": value_loss,
            "entropy": -log_probs.mean(),
            "alpha": alpha,
            "mean_value": values.mean(),
            "explained_variance": explained_variance(values[0].detach(), targets),
        }
        return value_loss + policy_loss + alpha_loss, metrics

    def insight(self, observation: Array) -> Insight:
        """Return the lower Q of the policy's mean action as the value."""
        with torch.inference_mode():
            features = self.network.critics.encoder(self.tensor(observation[None]))
            means = self.network.policy(features)[:, : self.dimensions]
            value = self.network.critics(features, means.tanh()).amin().item()
            return Insight(value=value * self.return_scale.value)

    def value_outputs(self) -> list[Tensor]:
        """Return weights and biases of Q in all critics."""
        critics = [*self.network.critics.pair, *self.target.pair]
        return [p for critic in critics for p in list(critic.parameters())[-2:]]

    def rescale(self) -> float:
        """Update the scale without a change of Q, nor of the temperature alpha."""
        factor = super().rescale()
        with torch.no_grad():
            self.network.log_alpha.add_(math.log(factor))
        return factor

    def policy_network(self) -> PolicyNetwork:
        """Return encoder and policy with the mean action."""

        def means(network: ActorCritics, observations: Tensor) -> Tensor:
            outputs: Tensor = network.policy(network.critics.encoder(observations))
            return outputs[:, : self.dimensions].tanh().T

        return PolicyNetwork(self.network, means, best_in(self.task.action_space))

    def tensors(self) -> dict[str, Any]:
        """Return networks, optimizer, target critics, replay buffer and the held random actions."""
        target = {f"target.{name}": value for name, value in self.target.state_dict().items()}
        replay = {f"replay.{n}": torch.from_numpy(a) for n, a in self.replay.arrays().items()}
        return super().tensors() | target | replay | {"held": torch.from_numpy(self.held.copy())}

    def discard_rollout(self) -> None:
        """Mark that the next step does not follow the newest one in the buffer."""
        super().discard_rollout()
        self.replay.cut()

    def restore(self, tensors: dict[str, Any], numbers: dict[str, Any]) -> None:
        """Continue from a checkpoint."""
        super().restore(tensors, numbers)
        self.target.load_state_dict(under("target.", tensors))
        self.replay.restore({n: t.numpy() for n, t in under("replay.", tensors).items()})
        self.held = tensors["held"].numpy().copy()  # a copy, as the file is mapped

    def _noise(self, count: int) -> Tensor:
        noise = self.generator.standard_normal((count, self.dimensions), np.float32)
        return torch.from_numpy(noise).to(self.device)
