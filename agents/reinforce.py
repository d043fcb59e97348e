"""REINFORCE: the shortest policy gradient, and the file to read first.

Play whole episodes; make each action likelier, the more reward came after it. Williams, "Simple
statistical gradient-following algorithms for connectionist reinforcement learning" (Machine
Learning 8, 1992); as a theorem: Sutton et al., "Policy gradient methods for reinforcement learning
with function approximation" (NIPS 2000). Usual deviations: Adam climbs instead of plain steps, and
the factor gamma^t before each step's gradient is left out, so that late steps count as much.

Each update learns from one whole episode of every environment, all of it played by the policy as it
is now. The first episodes to end would be the short ones; so whoever is done waits for the others,
and plays on unheard.

With `baseline`, V(s) is subtracted from what came after: the gradient is the same on average and
varies far less. V also stands for the rest of an episode that was cut short (truncated). Without
baseline nobody knows that rest, and it counts as 0: there the returns are biased.
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
from agents.torch_agent import TorchAgent
from agents.validation import at_least_one, between_0_and_1, positive

RECORDED = ("observations", "actions", "rewards", "rows")  # rows: which environments' they are
FLAGS = ("beginning", "recording", "complete")


@dataclass(frozen=True)
class ReinforceSettings:
    """Hyperparameters."""

    learning_rate: float = 1e-2
    """Step size of Adam."""
    gamma: float = 0.99
    """Discount."""
    baseline: bool = False
    """Subtract V(s), what was to be expected anyway."""
    width: int = 64
    """Features in each layer."""

    def __post_init__(self) -> None:
        at_least_one(self, "width")
        between_0_and_1(self, "gamma")
        positive(self, "learning_rate")


class PolicyAndValue(nn.Module):
    """Two networks that share nothing, so that neither's loss disturbs the other."""

    def __init__(self, task: Task, width: int, outputs: int, spreads: int, seed: int) -> None:
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


def returns_to_go(rewards: list[Array], rows: list[Array], count: int, gamma: float) -> Array:
    """G_t = r_t + gamma G_{t+1}, for one episode of each of `count` environments.

    `rewards` has the rewards of each step, `rows` the environments that they are of; the returns
    follow one after the other as they do. To who is in no later step nothing more came.
    """
    following, returns = np.zeros(count, np.float32), []
    for reward, row in zip(reversed(rewards), reversed(rows), strict=True):
        following[row] = reward + gamma * following[row]
        returns.append(following[row])
    return np.concatenate(returns[::-1])


class ReinforceAgent(TorchAgent):
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
        super().__init__(task, network, settings.learning_rate, seed, device)
        self.discard_rollout()

    def discard_rollout(self) -> None:
        """All environments begin anew."""
        self.beginning = np.ones(self.task.num_envs, np.bool_)  # the next step is a first one
        self._record_anew()

    def _record_anew(self) -> None:
        """From each environment's next beginning on."""
        self.record: dict[str, list[Array]] = {name: [] for name in RECORDED}  # step by step
        self.recording = np.zeros(self.task.num_envs, np.bool_)  # the episode under way
        self.complete = np.zeros(self.task.num_envs, np.bool_)  # a whole one is recorded

    def act(self, observations: Array, explore: bool = True) -> Array:
        """Actions (n, ...); with `explore` also noted for the `learn` that follows."""
        with torch.inference_mode():
            outputs = self.network.policy(self.tensor(observations)).T.numpy(force=True)
        if not explore:
            return self.distribution.to_environment(self.distribution.mode(outputs))
        log_std = self.network.log_std.numpy(force=True)
        self.actions = self.distribution.sample(outputs, log_std, self.generator)
        return self.distribution.to_environment(self.actions)

    def learn(self, step: Step) -> dict[str, float] | None:
        """Record what followed; once a whole episode of each is, improve the policy."""
        self.steps_seen += len(step.rewards)
        self.recording |= self.beginning & ~self.complete
        rewards, cut = step.rewards.astype(np.float32), step.truncated & ~step.terminated
        if self.settings.baseline and cut.any():
            rewards[cut] += self.settings.gamma * self.value(step.next_observations[cut])
        rows = np.flatnonzero(self.recording & step.valid)
        everybody: Array = np.arange(self.task.num_envs)
        columns: list[Array] = [step.observations, self.actions, rewards, everybody]
        for name, values in zip(RECORDED, columns, strict=True):
            self.record[name].append(values[rows])
        over = step.terminated | step.truncated
        self.beginning = over | ~step.valid
        self.complete |= self.recording & over
        self.recording &= ~over
        return self._improve() if self.complete.all() else None

    def value(self, observations: Array) -> Array:
        """V (n,) of observations (n, ...)."""
        with torch.inference_mode():
            values: Array = self.network.value(self.tensor(observations))[:, 0].numpy(force=True)
        return values

    def losses(self, observations: Tensor, actions: Tensor, returns: Tensor) -> dict[str, Tensor]:
        """What is to fall; minus the gradient of `policy_loss` is that of the expected return.

        Sutton et al., theorem 1, with Q estimated by what came after; the mean over episodes.
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
        }

    def _improve(self) -> dict[str, float]:
        """One step up the gradient; then on to the next episodes."""
        record, count, gamma = self.record, self.task.num_envs, self.settings.gamma
        returns = returns_to_go(record["rewards"], record["rows"], count, gamma)
        observations = self.tensor(np.concatenate(record["observations"]))
        actions = torch.as_tensor(np.concatenate(record["actions"]), device=self.device)
        losses = self.losses(observations, actions, self.tensor(returns))
        self.descend(losses["policy_loss"] + losses["value_loss"], float("inf"))
        metrics = self.check({name: loss.item() for name, loss in losses.items()})
        self._record_anew()
        return metrics

    def insight(self, observation: Array) -> Insight:
        """The policy's probabilities (if discrete) and the value."""
        value = float(self.value(observation[None])[0])
        if not isinstance(self.distribution, Categorical):
            return Insight(value=value)
        with torch.inference_mode():
            logits = self.network.policy(self.tensor(observation[None]))[0]
        return Insight(logits.softmax(0).numpy(force=True), value)

    def tensors(self) -> dict[str, Any]:
        """Network, optimizer and the episodes so far, their steps one after the other."""
        record = {
            f"record.{name}": torch.from_numpy(np.concatenate(steps))
            for name, steps in self.record.items()
            if steps
        }
        return super().tensors() | record

    def numbers(self) -> dict[str, Any]:
        """How much was recorded in each step, and where the environments stand."""
        flags = {name: getattr(self, name).tolist() for name in FLAGS}
        return {
            **super().numbers(),
            **flags,
            "lengths": [len(rows) for rows in self.record["rows"]],
        }

    def restore(self, tensors: dict[str, Any], numbers: dict[str, Any]) -> None:
        """Go on from where `tensors` and `numbers` were taken."""
        super().restore(tensors, numbers)
        for name in FLAGS:
            getattr(self, name)[:] = numbers[name]
        for name in RECORDED if numbers["lengths"] else ():
            ends = np.cumsum(numbers["lengths"])[:-1]
            self.record[name] = np.split(tensors[f"record.{name}"].numpy(), ends)
