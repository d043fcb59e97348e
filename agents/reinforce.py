"""REINFORCE, the shortest policy gradient. Read this file first.

Play whole episodes, then make each action more likely, the higher the return that followed it.
Williams, "Simple statistical gradient-following algorithms for connectionist reinforcement
learning" (Machine Learning 8, 1992). The policy gradient theorem is from Sutton et al., "Policy
gradient methods for reinforcement learning with function approximation" (NIPS 2000).

Two common deviations: Adam takes the gradient steps, and the factor gamma^t in front of the
gradient of step t is omitted, so that late steps count as much as early ones.

Each update uses one whole episode of every environment, played entirely by the current policy.
Using the first episodes that end would be wrong: they are the short ones. An environment that has
finished its episode therefore waits for the others; it is played on, but its steps are not used.

With `baseline`, the value V(s) is subtracted from the return. The expected gradient stays the same
and its variance becomes much smaller. V also replaces the missing rest of a truncated episode.
Without a baseline, that rest counts as 0, so the returns of truncated episodes are biased.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from agents.agent import Array, Insight, Step, Task
from agents.networks.backbones import make_backbone, orthogonal
from agents.networks.distributions import Categorical, make_distribution
from agents.networks.policy_network import PolicyNetwork, best_in
from agents.return_scale import ReturnAgent, explained_variance
from agents.validation import at_least_one, between_0_and_1, positive

COLUMNS = ("observations", "actions", "rewards", "environments")
FLAGS = ("at_start", "collecting", "complete")
POWERS = {
    "policy_loss": 1,
    "value_loss": 2,
    "entropy": 0,
    "advantage_rms": 1,
    "explained_variance": 0,
}
"""Power of the reward's unit in which each metric is measured."""


@dataclass(frozen=True)
class ReinforceSettings:
    """Hyperparameters of REINFORCE."""

    learning_rate: float = 1e-2
    """Learning rate of Adam."""
    gamma: float = 0.99
    """Discount factor of future rewards."""
    baseline: bool = False
    """Subtract the value V(s) from the returns."""
    width: int = 64
    """Number of units in each hidden layer."""

    def __post_init__(self) -> None:
        at_least_one(self, "width")
        between_0_and_1(self, "gamma")
        positive(self, "learning_rate")


class PolicyAndValue(nn.Module):
    """A policy and a value function that share nothing, so their losses do not interfere."""

    def __init__(self, task: Task, width: int, outputs: int, spreads: int, seed: int) -> None:
        """Create `outputs` logits or means and `spreads` standard deviations (0 if discrete)."""
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        backbones = [make_backbone(task.observation_space, width, generator) for _ in range(2)]
        heads = [nn.Linear(width, outputs), nn.Linear(width, 1)]
        for head, gain in zip(heads, (0.01, 1.0), strict=True):
            orthogonal(head, gain, generator)
        self.policy, self.value = (
            nn.Sequential(*pair) for pair in zip(backbones, heads, strict=True)
        )
        self.log_std = nn.Parameter(torch.full((spreads,), -0.5))


def returns_to_go(
    rewards: list[Array], environments: list[Array], count: int, gamma: float
) -> Array:
    """Return G_t = r_t + gamma G_{t+1} for one episode of each of `count` environments.

    Each step has `rewards` (m,) and the indices (m,) of the `environments` that they belong to. An
    environment is in no entry after its last step, so m differs. All returns are concatenated.
    """
    following, returns = np.zeros(count, np.float32), []
    for reward, row in zip(reversed(rewards), reversed(environments), strict=True):
        following[row] = reward + gamma * following[row]
        returns.append(following[row])
    return np.concatenate(returns[::-1])


class ReinforceAgent(ReturnAgent):
    """Serves vectors and screens, discrete and continuous actions."""

    name = "reinforce"

    def __init__(
        self, task: Task, settings: ReinforceSettings, seed: int, device: str = "cpu"
    ) -> None:
        self.settings = settings
        self.distribution = make_distribution(task.action_space)
        sizes = (self.distribution.outputs, self.distribution.parameters)
        self.network: PolicyAndValue
        network = PolicyAndValue(task, settings.width, *sizes, seed)
        super().__init__(task, network, settings.learning_rate, settings.gamma, seed, device)
        self.discard_rollout()

    def discard_rollout(self) -> None:
        """Drop all collected steps; all environments start new episodes."""
        super().discard_rollout()
        self.at_start = np.ones(self.task.num_envs, np.bool_)  # the next step is an episode's first
        self._start_collecting()

    def _start_collecting(self) -> None:
        """Collect the next whole episode of each environment."""
        self.collected: dict[str, list[Array]] = {name: [] for name in COLUMNS}  # one item a step
        self.collecting = np.zeros(self.task.num_envs, np.bool_)  # the current episode is collected
        self.complete = np.zeros(self.task.num_envs, np.bool_)  # a whole episode is collected

    def act(self, observations: Array, explore: bool = True) -> Array:
        """Return actions (n, ...); with `explore`, sample them and keep them for `learn`."""
        with torch.inference_mode():
            outputs = self.network.policy(self.tensor(observations)).T.numpy(force=True)
        if not explore:
            return self.distribution.to_environment(self.distribution.mode(outputs))
        log_std = self.network.log_std.numpy(force=True)
        self.actions = self.distribution.sample(outputs, log_std, self.generator)
        return self.distribution.to_environment(self.actions)

    def learn(self, step: Step) -> dict[str, float] | None:
        """Collect the step; once every environment has a whole episode, improve the policy."""
        self.measure(step)
        self.steps_seen += len(step.rewards)
        self.collecting |= self.at_start & ~self.complete
        rewards, cut = step.rewards.astype(np.float32), step.truncated & ~step.terminated
        if self.settings.baseline and cut.any():
            rewards[cut] += self.settings.gamma * self.value(step.next_observations[cut])
        rows = np.flatnonzero(self.collecting & step.valid)
        environments: Array = np.arange(self.task.num_envs)
        columns: list[Array] = [step.observations, self.actions, rewards, environments]
        for name, values in zip(COLUMNS, columns, strict=True):
            self.collected[name].append(values[rows])
        over = step.terminated | step.truncated
        self.at_start = over | ~step.valid
        self.complete |= self.collecting & over
        self.collecting &= ~over
        return self._improve() if self.complete.all() else None

    def value(self, observations: Array) -> Array:
        """Return V(s) (n,) of observations (n, ...) in units of the reward."""
        with torch.inference_mode():
            values: Array = self.network.value(self.tensor(observations))[:, 0].numpy(force=True)
        return values * self.return_scale.value

    def losses(self, observations: Tensor, actions: Tensor, returns: Tensor) -> dict[str, Tensor]:
        """Return the losses and some metrics of collected steps.

        The gradient of `policy_loss` is minus the policy gradient (Sutton et al., theorem 1),

            sum over t of  grad log pi(a_t|s_t) (G_t - V(s_t)),

        averaged over the episodes. The return G_t estimates Q(s_t, a_t); V is 0 without baseline.
        All inputs are (m, ...): all collected steps, with the actions as they were sampled, and
        returns in units of the scale.
        """
        outputs = self.network.policy(observations).T
        log_probs = self.distribution.log_prob(outputs, actions, self.network.log_std)
        values = self.network.value(observations)[:, 0]
        advantages = returns - values.detach() if self.settings.baseline else returns
        return {
            "policy_loss": -(log_probs * advantages).sum() / self.task.num_envs,
            "value_loss": 0.5 * (values - returns).square().mean(),
            "entropy": self.distribution.entropy(outputs, self.network.log_std).mean(),
            "advantage_rms": advantages.square().mean().sqrt(),
            "explained_variance": explained_variance(values.detach(), returns),
        }

    def _improve(self) -> dict[str, float]:
        """Take one gradient step on the collected episodes, then collect the next ones."""
        collected, count, gamma = self.collected, self.task.num_envs, self.settings.gamma
        returns = returns_to_go(collected["rewards"], collected["environments"], count, gamma)
        observations = self.tensor(np.concatenate(collected["observations"]))
        actions = torch.as_tensor(np.concatenate(collected["actions"]), device=self.device)
        self.rescale()
        losses = self.losses(observations, actions, self.tensor(returns) / self.return_scale.unit)
        self.descend(losses["policy_loss"] + losses["value_loss"], float("inf"))
        numbers = {name: loss.item() for name, loss in losses.items()}
        metrics = self.check(self.in_reward_units(numbers, POWERS))
        self._start_collecting()
        return metrics

    def value_outputs(self) -> list[Tensor]:
        """Return weights and bias of the value."""
        return list(self.network.value[-1].parameters())

    def insight(self, observation: Array) -> Insight:
        """Return the value and, if actions are discrete, their probabilities."""
        value = float(self.value(observation[None])[0])
        if not isinstance(self.distribution, Categorical):
            return Insight(value=value)
        with torch.inference_mode():
            logits = self.network.policy(self.tensor(observation[None]))[0]
        return Insight(logits.softmax(0).numpy(force=True), value)

    def policy_network(self) -> PolicyNetwork:
        """Return the policy with the most likely action."""
        best = best_in(self.task.action_space)
        return PolicyNetwork(self.network.policy, lambda policy, seen: policy(seen).T, best)

    def tensors(self) -> dict[str, Any]:
        """Return network, optimizer and all collected steps, concatenated."""
        collected = {
            f"collected.{name}": torch.from_numpy(np.concatenate(steps))
            for name, steps in self.collected.items()
            if steps
        }
        return super().tensors() | collected

    def numbers(self) -> dict[str, Any]:
        """Return the random generator, counters, and the flags of all environments."""
        flags = {name: getattr(self, name).tolist() for name in FLAGS}
        lengths = [len(environments) for environments in self.collected["environments"]]
        return {**super().numbers(), **flags, "lengths": lengths}

    def restore(self, tensors: dict[str, Any], numbers: dict[str, Any]) -> None:
        """Continue from a checkpoint."""
        super().restore(tensors, numbers)
        for name in FLAGS:
            getattr(self, name)[:] = numbers[name]
        for name in COLUMNS if numbers["lengths"] else ():
            ends = np.cumsum(numbers["lengths"])[:-1]
            column = tensors[f"collected.{name}"].numpy().copy()  # a copy, as the file is mapped
            self.collected[name] = np.split(column, ends)
