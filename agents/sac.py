"""Soft actor-critic: continuous actions, learned from a replay memory.

Haarnoja et al., "Soft actor-critic algorithms and applications" (arXiv 1812.05905): two critics, a
policy that is to keep some entropy, and a temperature that sees to it. Numbers of equations are
that paper's.

The paper takes three optimizer steps one after the other: critics, policy, temperature. Here it is
one step of one Adam down the sum of the three losses. Adam moves each number by that number's own
gradients alone, so that this is the same as long as no loss sends a gradient into what belongs to
another; `detach` and equation 10 see to that. The only difference: the policy is improved by the
critics as they were before this step. Besides: on screens the encoder is learned by the critics
alone, the policy reads what it says (Yarats et al. 2021, "Improving sample efficiency in
model-free reinforcement learning from images"); and the first actions are random and held for
`persistence` steps (1 is the paper), without which a car in a valley never sees the hill.
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

from agents.agent import Array, Insight, Step, Task, UnsuitableTaskError
from agents.checkpointing import under
from agents.networks.distributions import HALF_LOG_TAU, BoxScale
from agents.networks.state_action import is_bounded_box, make_encoder, mlp
from agents.replay import Replay
from agents.sticky_actions import persist, random_actions
from agents.torch_agent import TorchAgent
from agents.validation import at_least_one, between_0_and_1, positive

LOG_STD_RANGE = (-20.0, 2.0)
REPORT_EVERY = 1_000  # environment steps


@dataclass(frozen=True)
class SACSettings:
    """Hyperparameters."""

    learning_rate: float = 1e-3
    """Step size of Adam, for critics, policy and temperature."""
    batch_size: int = 128
    """Steps in a minibatch."""
    updates: int = 1
    """Minibatches learned from after each step of all environments."""
    capacity: int = 200_000
    """Steps that the replay memory holds."""
    warmup: int = 1_000
    """Environment steps taken at random before learning begins."""
    persistence: float = 1.0
    """Steps for which a random action is held on average."""
    gamma: float = 0.99
    """Discount."""
    tau: float = 0.005
    """Part of the way that the target critics go towards the critics at each update."""
    target_entropy: float = -1.0
    """Entropy to keep, for each dimension of the action, where it is scaled to -1..1."""
    width: int = 128
    """Features in each layer."""

    def __post_init__(self) -> None:
        at_least_one(self, "batch_size", "updates", "capacity", "warmup", "persistence", "width")
        between_0_and_1(self, "gamma", "tau")
        positive(self, "learning_rate")
        if not math.isfinite(self.target_entropy):
            raise ValueError(f"target_entropy must be finite, not {self.target_entropy}")


def squash(outputs: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
    """Actions tanh(u) of a Gaussian u, and their log-probabilities.

    Equation 26 (appendix C): log pi(a|s) = log N(u) - sum log(1 - tanh(u)^2), whose last term is
    written as 2 (log 2 - u - softplus(-2u)), which stays exact where tanh is almost 1.

    Args:
        outputs: (n, 2k) means, then logarithms of standard deviations.
        noise: (n, k) standard normal: epsilon of equation 8.

    Returns:
        Actions (n, k) between -1 and 1, and log pi (n,).
    """
    mean, log_std = outputs.chunk(2, 1)
    log_std = log_std.clamp(*LOG_STD_RANGE)
    u = mean + log_std.exp() * noise
    log_normal = -0.5 * noise.square() - log_std - HALF_LOG_TAU
    log_slope = 2 * (math.log(2.0) - u - functional.softplus(-2 * u))
    return u.tanh(), (log_normal - log_slope).sum(1)


class Critics(nn.Module):
    """Two estimates of Q; the lower one counts, since the higher one is luckier than true."""

    def __init__(self, task: Task, width: int, actions: int, generator: torch.Generator) -> None:
        super().__init__()
        self.encoder, self.features = make_encoder(task.observation_space, width, generator)
        inputs = self.features + actions
        self.pair = nn.ModuleList(mlp(inputs, width, 1, 1.0, generator) for _ in range(2))

    def forward(self, features: Tensor, actions: Tensor) -> Tensor:
        """Q (2, n) of what the encoder says (n, features) and actions (n, k)."""
        both = torch.cat((features, actions), 1)
        return torch.cat([critic(both) for critic in self.pair], 1).T


class ActorCritics(nn.Module):
    """All that is learned: critics, policy, temperature."""

    def __init__(self, task: Task, width: int, actions: int, seed: int) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        self.critics = Critics(task, width, actions, generator)
        self.policy = mlp(self.critics.features, width, 2 * actions, 0.01, generator)
        self.log_alpha = nn.Parameter(torch.zeros(1))


class SACAgent(TorchAgent):
    """Serves vectors and screens, continuous actions with bounds."""

    name = "sac"

    def __init__(self, task: Task, settings: SACSettings, seed: int, device: str = "cpu") -> None:
        space = task.action_space
        if not is_bounded_box(space):
            raise UnsuitableTaskError(
                f"sac: actions {space} cannot be served; it serves float Box spaces with bounds"
            )
        self.settings = settings
        self._space = space
        self.scale = BoxScale(space)
        self.dimensions = int(np.prod(space.shape))
        self.network: ActorCritics
        network = ActorCritics(task, settings.width, self.dimensions, seed)
        self.target = copy.deepcopy(network.critics).requires_grad_(False)
        super().__init__(task, network, settings.learning_rate, seed, device)
        self.target.to(self.device)
        self.replay = Replay(task, settings.capacity)
        self.held = random_actions(space, task.num_envs, self.generator)

    def act(self, observations: Array, explore: bool = True) -> Array:
        """The policy's actions: drawn, or with `explore=False` its mean; at first random ones."""
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
        """Remember the step; once there are enough, improve by some that are remembered."""
        self.replay.add(step)
        before, self.steps_seen = self.steps_seen, self.steps_seen + len(step.rewards)
        if self.steps_seen < self.settings.warmup:
            return None
        for _ in range(self.settings.updates):
            metrics = self._improve()
        if self.steps_seen // REPORT_EVERY == before // REPORT_EVERY:
            return None
        return self.check({name: value.item() for name, value in metrics.items()})

    def _improve(self) -> dict[str, Tensor]:
        """One minibatch (algorithm 1, the loop over gradient steps)."""
        settings = self.settings
        drawn = self.replay.sample(self.generator, settings.batch_size, settings.gamma)
        drawn["actions"] = self.scale.to_unit(drawn["actions"])
        batch = {name: self.tensor(array) for name, array in drawn.items()}
        noise, next_noise = (self._noise(settings.batch_size) for _ in range(2))
        loss, metrics = self.losses(batch, noise, next_noise)
        self.descend(loss, max_grad_norm=float("inf"))
        with torch.no_grad():
            critics = self.network.critics.parameters()
            for target, current in zip(self.target.parameters(), critics, strict=True):
                target.lerp_(current, settings.tau)
        return metrics

    def targets(self, batch: dict[str, Tensor], noise: Tensor) -> Tensor:
        """What Q should be (n,): r + gamma V(s'), equations 3 and 5."""
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
        """The sum of the three losses, and the metrics.

        Args:
            batch: what `Replay.sample` returns, actions scaled to -1..1.
            noise: (n, k) standard normal, for actions now.
            next_noise: the same, for those that follow.
        """
        critics, log_alpha = self.network.critics, self.network.log_alpha
        features = critics.encoder(batch["observations"])
        values = critics(features, batch["actions"])
        value_loss = 0.5 * (values - self.targets(batch, next_noise)).square().mean(1).sum()  # 5

        features, alpha = features.detach(), log_alpha.exp()
        actions, log_probs = squash(self.network.policy(features), noise)
        free = actions.detach().requires_grad_()
        lower = critics(features, free).amin(0)
        (slope,) = torch.autograd.grad(lower.sum(), free)  # dQ/da, which equation 10 needs
        policy_loss = (alpha.detach() * log_probs - (slope * actions).sum(1)).mean()

        surplus = log_probs.detach() + self.settings.target_entropy * self.dimensions
        alpha_loss = -(alpha * surplus).mean()  # 18
        metrics = {
            "policy_loss": (alpha * log_probs - lower).mean(),  # equation 7, whose gradient is 10
            "value_loss": value_loss,
            "entropy": -log_probs.mean(),
            "alpha": alpha,
            "mean_value": values.mean(),
        }
        return value_loss + policy_loss + alpha_loss, metrics

    def insight(self, observation: Array) -> Insight:
        """The lower Q of what it would do."""
        with torch.inference_mode():
            features = self.network.critics.encoder(self.tensor(observation[None]))
            means = self.network.policy(features)[:, : self.dimensions]
            return Insight(value=self.network.critics(features, means.tanh()).amin().item())

    def tensors(self) -> dict[str, Any]:
        """Networks, optimizer, target critics, the memory and the random actions being held."""
        target = {f"target.{name}": value for name, value in self.target.state_dict().items()}
        replay = {f"replay.{n}": torch.from_numpy(a) for n, a in self.replay.arrays().items()}
        return super().tensors() | target | replay | {"held": torch.from_numpy(self.held.copy())}

    def discard_rollout(self) -> None:
        """What comes next does not follow what was remembered last."""
        self.replay.cut()

    def restore(self, tensors: dict[str, Any], numbers: dict[str, Any]) -> None:
        """Go on from where `tensors` and `numbers` were taken."""
        super().restore(tensors, numbers)
        self.target.load_state_dict(under("target.", tensors))
        self.replay.restore({n: t.numpy() for n, t in under("replay.", tensors).items()})
        self.held = tensors["held"].numpy()

    def _noise(self, count: int) -> Tensor:
        drawn = self.generator.standard_normal((count, self.dimensions), np.float32)
        return torch.from_numpy(drawn).to(self.device)
