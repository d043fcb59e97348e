"""Proximal policy optimisation: the strong policy agent.

Schulman et al., "Proximal policy optimization algorithms" (arXiv 1707.06347), with generalised
advantage estimation, Schulman et al., "High-dimensional continuous control using generalized
advantage estimation" (ICLR 2016). Besides, as is usual since: orthogonal initial weights,
advantages normalised over the rollout, the gradient's norm clipped; not: value clipping.

Where an episode was cut short (truncated), the value of what would have followed its last
observation counts; where it ended (terminated), nothing follows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from agents.agent import Array, Insight, Step, Task
from agents.networks.backbones import make_backbone
from agents.networks.distributions import Categorical, Gaussian, make_distribution
from agents.saliency import pictures
from agents.torch_agent import TorchAgent
from agents.validation import at_least_one, between_0_and_1, not_negative, positive


@dataclass(frozen=True)
class PPOSettings:
    """Hyperparameters."""

    learning_rate: float = 1e-3
    """Step size of Adam."""
    anneal: bool = False
    """Let the learning rate fall linearly to 0 over the planned steps."""
    num_steps: int = 64
    """Steps of each environment in a rollout."""
    epochs: int = 4
    """Times that a rollout is gone through."""
    minibatches: int = 4
    """Parts that a rollout is split into, anew in each epoch."""
    gamma: float = 0.99
    """Discount."""
    gae_lambda: float = 0.95
    """GAE: 0 trusts the value function, 1 only the rewards."""
    clip_coef: float = 0.2
    """How far the policy's ratio may move from 1 before it stops paying."""
    entropy_coef: float = 0.0
    """Weight of the entropy bonus."""
    value_coef: float = 1.0
    """Weight of the value loss."""
    max_grad_norm: float = 0.5
    """Longest gradient."""
    width: int = 64
    """Features in each layer."""

    def __post_init__(self) -> None:
        at_least_one(self, "num_steps", "epochs", "minibatches", "width")
        between_0_and_1(self, "gamma", "gae_lambda")
        positive(self, "learning_rate", "clip_coef", "max_grad_norm")
        not_negative(self, "entropy_coef", "value_coef")


def generalised_advantages(
    rewards: Tensor, values: Tensor, next_values: Tensor, done: Tensor, gamma: float, lam: float
) -> Tensor:
    """GAE (equations 11, 12 and 16), backwards in time; everything is (steps, n).

    Args:
        rewards: r_t.
        values: V(s_t).
        next_values: V(s_{t+1}) of what really followed: 0 after termination.
        done: 1.0 where the episode ended or was cut at t: no later advantage leaks over.
        gamma: discount.
        lam: lambda.
    """
    deltas = rewards + gamma * next_values - values
    decay = gamma * lam * (1.0 - done)
    advantages = torch.empty_like(deltas)
    following = torch.zeros_like(deltas[0])
    for t in reversed(range(len(deltas))):
        following = deltas[t] + decay[t] * following
        advantages[t] = following
    return advantages


class ActorCritic(nn.Module):
    """A policy and a value function on one backbone, which takes half the time of two."""

    def __init__(self, task: Task, width: int, outputs: int, spreads: int, seed: int) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        self.backbone = make_backbone(task.observation_space, width, generator)
        self.heads = nn.Linear(width, outputs + 1)  # the policy's outputs, then the value
        nn.init.orthogonal_(self.heads.weight.detach()[:-1], 0.01, generator)
        nn.init.orthogonal_(self.heads.weight.detach()[-1:], 1.0, generator)
        nn.init.zeros_(self.heads.bias)
        self.log_std = nn.Parameter(torch.full((spreads,), -0.5))

    def forward(self, observations: Tensor) -> tuple[Tensor, Tensor]:
        """Policy outputs (k, n) and values (n,) for observations (n, ...)."""
        features = self.backbone(observations)
        heads = torch.addmm(self.heads.bias[:, None], self.heads.weight, features.T)
        return heads[:-1], heads[-1]


class Rollout:
    """What happened in the last `num_steps` steps of `n` environments: arrays (steps, n, ...).

    They are NumPy's, which writes a row in a tenth of the time that torch takes.
    """

    def __init__(self, task: Task, num_steps: int, distribution: Categorical | Gaussian) -> None:
        space, count = task.observation_space, task.num_envs
        assert space.shape is not None
        dtype = np.uint8 if space.dtype == np.uint8 else np.float32
        self.observations = np.zeros((num_steps, count, *space.shape), dtype)
        self.actions = np.zeros(
            (num_steps, count, *distribution.action_shape), distribution.action_dtype
        )
        self.outputs = np.zeros((num_steps, distribution.outputs, count), np.float32)
        self.values = np.zeros((num_steps, count), np.float32)
        self.next_values = np.zeros((num_steps, count), np.float32)
        self.rewards = np.zeros((num_steps, count), np.float32)
        self.done = np.zeros((num_steps, count), np.bool_)
        self.valid = np.zeros((num_steps, count), np.bool_)
        self.length = 0

    def arrays(self) -> dict[str, Array]:
        """All of them by name."""
        return {name: value for name, value in vars(self).items() if name != "length"}


class PPOAgent(TorchAgent):
    """Serves vectors and screens, discrete and continuous actions."""

    name = "ppo"

    def __init__(self, task: Task, settings: PPOSettings, seed: int, device: str = "cpu") -> None:
        self.settings = settings
        self.distribution = make_distribution(task.action_space)
        self.network: ActorCritic
        network = ActorCritic(
            task, settings.width, self.distribution.outputs, self.distribution.parameters, seed
        )
        super().__init__(task, network, settings.learning_rate, seed, device)
        self.rollout = Rollout(task, settings.num_steps, self.distribution)

    def act(self, observations: Array, explore: bool = True) -> Array:
        """Actions (n, ...); with `explore` also noted for the `learn` that follows."""
        outputs, values = self._evaluate(observations)
        if not explore:
            return self.distribution.to_environment(self.distribution.mode(outputs))
        log_std = self.network.log_std.numpy(force=True)
        actions = self.distribution.sample(outputs, log_std, self.generator)
        rollout, t = self.rollout, self.rollout.length
        rollout.observations[t], rollout.actions[t] = observations, actions
        rollout.outputs[t], rollout.values[t] = outputs, values
        return self.distribution.to_environment(actions)

    def learn(self, step: Step) -> dict[str, float] | None:
        """Note what followed; once the rollout is full, improve the policy by it."""
        rollout, t = self.rollout, self.rollout.length
        rollout.rewards[t] = step.rewards
        rollout.done[t] = step.terminated | step.truncated
        rollout.valid[t] = step.valid
        if t > 0:  # where the episode went on, what followed is what was acted on now
            went_on = ~rollout.done[t - 1]
            rollout.next_values[t - 1][went_on] = rollout.values[t][went_on]
        self._value_what_followed(step, t)
        rollout.length += 1
        self.steps_seen += len(step.rewards)
        if rollout.length < self.settings.num_steps:
            return None
        rollout.length = 0
        return self._improve() if rollout.valid.any() else None

    def _value_what_followed(self, step: Step, t: int) -> None:
        """V of the last observation where an episode was cut, or where the rollout ends."""
        last = t == self.settings.num_steps - 1
        needed = ~step.terminated if last else step.truncated & ~step.terminated
        self.rollout.next_values[t] = 0.0
        if needed.any():
            _, values = self._evaluate(step.next_observations[needed])
            self.rollout.next_values[t][needed] = values

    def _improve(self) -> dict[str, float]:
        """Several epochs of the clipped objective (equation 7) over the rollout (equation 9)."""
        settings = self.settings
        rollout = {name: torch.from_numpy(a) for name, a in self.rollout.arrays().items()}
        values = rollout["values"]
        advantages = generalised_advantages(
            rollout["rewards"],
            values,
            rollout["next_values"],
            rollout["done"].float(),
            settings.gamma,
            settings.gae_lambda,
        )
        returns = advantages + values
        if settings.anneal:
            left = max(0.0, 1.0 - self.steps_seen / self.task.total_steps)
            self.optimizer.param_groups[0]["lr"] = settings.learning_rate * left
        learned = rollout["valid"]
        centre, spread = advantages[learned].mean(), advantages[learned].std(correction=0)
        normalised = (advantages - centre) / (spread + 1e-8)
        losses, log_ratios = [], []
        for batch in self._minibatches(rollout, normalised, returns):
            observations, actions, old_log_probs, advantage, value_target = batch
            outputs, predicted = self.network(observations)
            log_probs = self.distribution.log_prob(outputs, actions, self.network.log_std)
            log_ratio = log_probs - old_log_probs
            ratio = log_ratio.exp()
            clipped = ratio.clamp(1 - settings.clip_coef, 1 + settings.clip_coef)
            policy_loss = -torch.minimum(ratio * advantage, clipped * advantage).mean()
            value_loss = 0.5 * (predicted - value_target).square().mean()
            loss = policy_loss + settings.value_coef * value_loss
            if settings.entropy_coef:
                entropy = self.distribution.entropy(outputs, self.network.log_std)
                loss = loss - settings.entropy_coef * entropy.mean()
            self.descend(loss, settings.max_grad_norm)
            losses.append(torch.stack((policy_loss.detach(), value_loss.detach())))
            log_ratios.append(log_ratio.detach())
        metrics = self.check(self._metrics(losses, torch.cat(log_ratios), rollout["outputs"]))
        unexplained, variance = advantages[learned].var(), returns[learned].var()
        metrics["explained_variance"] = float(1 - unexplained / variance.clamp_min(1e-8))
        metrics["learning_rate"] = self.optimizer.param_groups[0]["lr"]
        return metrics

    def _metrics(
        self, losses: list[Tensor], log_ratios: Tensor, outputs: Tensor
    ) -> dict[str, float]:
        """What the minibatches were like on average; `outputs` are those of the policy before."""
        policy_loss, value_loss = torch.stack(losses).mean(0)
        ratios = log_ratios.exp()
        before = outputs.transpose(0, 1).flatten(1).to(self.device)
        means = {
            "policy_loss": policy_loss,
            "value_loss": value_loss,
            "entropy": self.distribution.entropy(before, self.network.log_std).mean(),
            # k3 of Schulman, "Approximating KL divergence" (2020): unbiased, never negative
            "approx_kl": (ratios - 1 - log_ratios).mean(),
            "clip_fraction": ((ratios - 1).abs() > self.settings.clip_coef).float().mean(),
        }
        return {name: mean.item() for name, mean in means.items()}

    def _minibatches(
        self, rollout: dict[str, Tensor], advantages: Tensor, returns: Tensor
    ) -> Iterator[tuple[Tensor, ...]]:
        """The rollout's valid steps in random order: one gathering an epoch, then slices."""
        actions = rollout["actions"].flatten(0, 1).to(self.device)
        outputs = rollout["outputs"].transpose(0, 1).flatten(1).to(self.device)
        with torch.no_grad():
            old_log_probs = self.distribution.log_prob(outputs, actions, self.network.log_std)
        observations, advantages, returns = (
            tensor.flatten(0, 1).to(self.device)
            for tensor in (rollout["observations"], advantages, returns)
        )
        everything = (observations, actions, old_log_probs, advantages, returns)
        rows = np.flatnonzero(self.rollout.valid)
        for _ in range(self.settings.epochs):
            order = torch.from_numpy(self.generator.permutation(rows)).to(self.device)
            shuffled = (tensor[order] for tensor in everything)
            parts = (tensor.chunk(self.settings.minibatches) for tensor in shuffled)
            yield from zip(*parts, strict=True)

    def insight(self, observation: Array) -> Insight:
        """The policy's probabilities (if discrete) and the value."""
        outputs, values = self._evaluate(observation[None])
        probabilities = None
        if isinstance(self.distribution, Categorical):
            exponentials = np.exp(outputs[:, 0] - outputs.max())
            probabilities = exponentials / exponentials.sum()
        return Insight(probabilities, float(values[0]))

    def pictures(self, observations: Array) -> dict[str, list[Array]]:
        """What the network looks at, if it sees screens."""
        return pictures(self.network, self._scores, self.tensor(observations))

    def _scores(self, screens: Tensor) -> dict[str, Tensor]:
        """The value and, if discrete, the logit of the action that is chosen."""
        outputs, values = self.network(screens)
        discrete = isinstance(self.distribution, Categorical)
        return {"value": values} | ({"action": outputs.amax(0)} if discrete else {})

    def tensors(self) -> dict[str, Any]:
        """Network, optimizer and the rollout so far."""
        rollout = {
            f"rollout.{name}": torch.from_numpy(array[: self.rollout.length].copy())
            for name, array in self.rollout.arrays().items()
        }
        return super().tensors() | rollout

    def numbers(self) -> dict[str, Any]:
        """Counters."""
        return {**super().numbers(), "rollout_length": self.rollout.length}

    def discard_rollout(self) -> None:
        """Drop the rollout so far, whose next steps never come."""
        self.rollout.length = 0

    def warm_start(self, tensors: dict[str, Any]) -> None:
        """Take over the backbone: what to look for in an observation.

        The heads stay as they were drawn. A policy that is certain tries nothing else, and values
        of another reward mislead it: it would take many times as long to change its mind.
        """
        self.load_backbone(tensors)

    def restore(self, tensors: dict[str, Any], numbers: dict[str, Any]) -> None:
        """Go on from where `tensors` and `numbers` were taken."""
        super().restore(tensors, numbers)
        self.rollout.length = numbers["rollout_length"]
        for name, array in self.rollout.arrays().items():
            array[: self.rollout.length] = tensors[f"rollout.{name}"].numpy()

    def _evaluate(self, observations: Array) -> tuple[Array, Array]:
        """Policy outputs (k, n) and values (n,)."""
        with torch.inference_mode():
            outputs, values = self.network(self.tensor(observations))
        return outputs.numpy(force=True), values.numpy(force=True)
