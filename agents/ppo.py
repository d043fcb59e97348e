"""Proximal policy optimization (PPO).

Schulman et al., "Proximal policy optimization algorithms" (arXiv 1707.06347), with generalized
advantage estimation (GAE), Schulman et al., "High-dimensional continuous control using generalized
advantage estimation" (ICLR 2016).

PPO repeats two phases. First, `n` environments are played for `num_steps` steps with the current
policy (`act`, `learn`); these steps are the rollout. Then the policy and the value function are
improved on minibatches of the rollout, several times over (`_improve`).

Common additions to the paper that are used here: orthogonal initial weights, advantages normalised
over the rollout, and gradient clipping. Value clipping is not used.

With `persistence`, the noise of actions is held for several steps, as in Hollenstein et al.,
"Colored noise in PPO" (AAAI 2024, arXiv 2312.11091), whose noise is correlated in time, too. The
actions then push in one direction for longer. The update is unchanged: each action by itself has
the policy's distribution, and that successive actions are related is ignored.

Where an episode was truncated, its return continues with the value of its last observation. Where
it terminated, nothing follows.

Shapes: the network's policy outputs are (k, n), one row for each logit or mean, and one column for
each observation. Operations over the k numbers are then a few operations on long rows, which is
faster than many operations on short rows: k is small and n is large. Everything else is (n, ...).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from agents import ranks
from agents.agent import Array, Insight, Step, Task
from agents.checkpointing import under
from agents.networks.backbones import make_backbone
from agents.networks.distributions import Categorical, Gaussian, make_distribution
from agents.networks.policy_network import PolicyNetwork, best_in
from agents.replay import Rows, empty_observations
from agents.return_scale import MIN_VARIANCE, ReturnAgent
from agents.saliency import pictures
from agents.sticky_actions import hold
from agents.validation import at_least_one, between_0_and_1, not_negative, positive


@dataclass(frozen=True)
class PPOSettings:
    """Hyperparameters of PPO."""

    learning_rate: float = 1e-3
    """Learning rate of Adam."""
    anneal: bool = False
    """Decrease the learning rate linearly to 0 over the planned steps."""
    num_steps: int = 64
    """Number of steps that each environment runs between two updates of the policy."""
    epochs: int = 4
    """Number of passes over each rollout."""
    minibatches: int = 4
    """Number of minibatches that a rollout is split into in each epoch."""
    gamma: float = 0.99
    """Discount factor of future rewards."""
    gae_lambda: float = 0.95
    """Lambda of GAE: 0 relies on the value function only, 1 on the rewards only."""
    clip_coef: float = 0.2
    """Range around 1 outside which a change of the probability ratio is no longer rewarded."""
    entropy_coef: float = 0.0
    """Weight of the entropy bonus, which keeps the policy random for longer."""
    value_coef: float = 1.0
    """Weight of the value loss, which is relative to the variance of the returns."""
    max_grad_norm: float = 0.5
    """Maximum norm of the gradient."""
    persistence: float = 1.0
    """Average number of steps for which the noise of an action is held."""
    width: int = 64
    """Number of units in each hidden layer."""
    recurrent: bool = False
    """Read the rows of --env-options history=N one after another (GRU), instead of all at once."""

    def __post_init__(self) -> None:
        at_least_one(self, "num_steps", "epochs", "minibatches", "persistence", "width")
        between_0_and_1(self, "gamma", "gae_lambda")
        positive(self, "learning_rate", "clip_coef", "max_grad_norm")
        not_negative(self, "entropy_coef", "value_coef")


def generalized_advantages(
    rewards: Tensor, values: Tensor, next_values: Tensor, done: Tensor, gamma: float, lam: float
) -> Tensor:
    """Return the advantages A_t (steps, n) of GAE (equations 11, 12 and 16).

        delta_t = r_t + gamma V(s_{t+1}) - V(s_t)
        A_t     = delta_t + gamma lambda A_{t+1}

    All inputs are (steps, n). `next_values` are V(s_{t+1}) of the state that really followed; 0
    after termination. `done` is 1.0 where an episode ended at t. A_{t+1} belongs to the next
    episode there and is not added.
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
    """A policy and a value function that share one backbone, which halves the computing time."""

    def __init__(
        self, task: Task, settings: PPOSettings, outputs: int, spreads: int, seed: int
    ) -> None:
        """Create `outputs` logits or means and `spreads` standard deviations (0 if discrete)."""
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        width, recurrent = settings.width, settings.recurrent
        self.backbone = make_backbone(task.observation_space, width, generator, recurrent)
        self.heads = nn.Linear(width, outputs + 1)  # the policy's outputs, then the value
        nn.init.orthogonal_(self.heads.weight.detach()[:-1], 0.01, generator)
        nn.init.orthogonal_(self.heads.weight.detach()[-1:], 1.0, generator)
        nn.init.zeros_(self.heads.bias)
        self.log_std = nn.Parameter(torch.full((spreads,), -0.5))

    def forward(self, observations: Tensor) -> tuple[Tensor, Tensor]:
        """Return policy outputs (k, n) and values (n,) for observations (n, ...)."""
        features = self.backbone(observations)
        heads = torch.addmm(self.heads.bias[:, None], self.heads.weight, features.T)
        return heads[:-1], heads[-1]


class Rollout(Rows):
    """The last `num_steps` steps of `n` environments: arrays (num_steps, n, ...).

    Unlike `replay.Steps`, it holds what the policy and the value function computed for each step.
    Continuous actions are stored before they are clipped to their bounds, because the policy's
    probabilities are those of unclipped actions.
    """

    def __init__(self, task: Task, num_steps: int, distribution: Categorical | Gaussian) -> None:
        shape = (num_steps, task.num_envs)
        self.observations = empty_observations(task.observation_space, *shape)
        self.actions = np.zeros((*shape, *distribution.action_shape), distribution.action_dtype)
        self.outputs = np.zeros((num_steps, distribution.outputs, task.num_envs), np.float32)
        self.values = np.zeros(shape, np.float32)
        self.next_values = np.zeros(shape, np.float32)
        self.rewards = np.zeros(shape, np.float32)
        self.done = np.zeros(shape, np.bool_)
        self.valid = np.zeros(shape, np.bool_)
        self.length = 0  # steps taken so far


class PPOAgent(ReturnAgent):
    """Serves vectors and screens, discrete and continuous actions."""

    name = "ppo"
    trains_on_ranks = True

    def __init__(self, task: Task, settings: PPOSettings, seed: int, device: str = "cpu") -> None:
        ranks.check_minibatches(settings.num_steps * task.num_envs, settings.minibatches)
        self.settings = settings
        self.distribution = make_distribution(task.action_space)
        self.network: ActorCritic
        network = ActorCritic(
            task, settings, self.distribution.outputs, self.distribution.parameters, seed
        )
        super().__init__(task, network, settings.learning_rate, settings.gamma, seed, device)
        self.rollout = Rollout(task, settings.num_steps, self.distribution)
        self.noise = np.zeros((task.num_envs, self.distribution.outputs), np.float32)

    def act(self, observations: Array, explore: bool = True) -> Array:
        """Return actions (n, ...); with `explore`, sample them and store them in the rollout."""
        outputs, values = self._evaluate(observations)
        if not explore:
            return self.distribution.to_environment(self.distribution.mode(outputs))
        log_std = self.network.log_std.numpy(force=True)
        self.noise = self._next_noise()
        actions = self.distribution.with_noise(outputs, log_std, self.noise)
        rollout, t = self.rollout, self.rollout.length
        rollout.observations[t], rollout.actions[t] = observations, actions
        rollout.outputs[t], rollout.values[t] = outputs, values
        return self.distribution.to_environment(actions)

    def _next_noise(self) -> Array:
        """Return noise (n, k) for the next actions: new noise, or what is held of the last."""
        shape = (self.distribution.outputs, self.task.num_envs)
        new = self.distribution.noise(shape, self.generator)
        persistence = self.settings.persistence
        if persistence == 1.0 or self.steps_seen == 0:
            return new
        return hold(self.noise, new, persistence, self.generator)

    def learn(self, step: Step) -> dict[str, float] | None:
        """Store what followed; once the rollout is full, improve the policy with it."""
        self.measure(step)
        rollout, t = self.rollout, self.rollout.length
        rollout.rewards[t] = step.rewards
        rollout.done[t] = step.terminated | step.truncated
        rollout.valid[t] = step.valid
        if t > 0:  # where the episode continued, V(s_t) is the next value of step t - 1
            continued = ~rollout.done[t - 1]
            rollout.next_values[t - 1][continued] = rollout.values[t][continued]
        self._evaluate_last_observations(step, t)
        rollout.length += 1
        self.steps_seen += len(step.rewards) * ranks.count()
        if rollout.length < self.settings.num_steps:
            return None
        rollout.length = 0
        return self._improve() if rollout.valid.any() else None

    def _evaluate_last_observations(self, step: Step, t: int) -> None:
        """Set the next values of step t that no `act` will compute: truncated or the last step."""
        last = t == self.settings.num_steps - 1
        needed = ~step.terminated if last else step.truncated & ~step.terminated
        self.rollout.next_values[t] = 0.0
        if needed.any():
            _, values = self._evaluate(step.next_observations[needed])
            self.rollout.next_values[t][needed] = values

    def _improve(self) -> dict[str, float]:
        """Improve policy and value function on the rollout.

        The loss is minus the objective of equation 9: the clipped objective (equation 7),

            min(ratio A, clip(ratio, 1 - clip_coef, 1 + clip_coef) A)
            ratio = pi(a|s) / pi_old(a|s),

        minus the squared error of the value function, plus the entropy bonus. The squared error is
        divided by the variance of the returns, as in PopArt (see `agents.return_scale`), because
        advantages are divided by their standard deviation. Otherwise, if returns differ little for
        their size, the policy loss alone would shape the backbone, and values would stay wrong.
        """
        settings = self.settings
        rollout = {name: torch.from_numpy(a) for name, a in self.rollout.arrays().items()}
        factor = self.rescale()
        values, next_values = rollout["values"] * factor, rollout["next_values"] * factor
        steps = (
            rollout["rewards"] / self.return_scale.unit,
            values,
            next_values,
            rollout["done"].float(),
        )
        advantages = generalized_advantages(*steps, settings.gamma, settings.gae_lambda)
        returns, advantages = ranks.of_all(advantages + values), ranks.of_all(advantages)
        if settings.anneal:
            self.anneal()
        learned = ranks.of_all(rollout["valid"])
        mean, std = advantages[learned].mean(), advantages[learned].std(correction=0)
        normalised = (advantages - mean) / (std + 1e-8)
        variance = returns[learned].var(correction=0).clamp_min(MIN_VARIANCE)
        losses, log_ratios = [], []
        for batch in self.minibatches(rollout, normalised, returns):
            observations, actions, old_log_probs, advantage, value_target = batch
            outputs, predicted = self.network(observations)
            log_probs = self.distribution.log_prob(outputs, actions, self.network.log_std)
            log_ratio = log_probs - old_log_probs
            ratio = log_ratio.exp()
            clipped = ratio.clamp(1 - settings.clip_coef, 1 + settings.clip_coef)
            policy_loss = -torch.minimum(ratio * advantage, clipped * advantage).mean()
            value_loss = 0.5 * (predicted - value_target).square().mean()
            loss = policy_loss + settings.value_coef * value_loss / variance
            if settings.entropy_coef:
                entropy = self.distribution.entropy(outputs, self.network.log_std)
                loss = loss - settings.entropy_coef * entropy.mean()
            self.descend(loss, settings.max_grad_norm)
            losses.append(torch.stack((policy_loss.detach(), value_loss.detach())))
            log_ratios.append(log_ratio.detach())
        metrics = self.check(self._metrics(losses, torch.cat(log_ratios), rollout["outputs"]))
        metrics["explained_variance"] = float(1 - std.square() / variance)
        metrics["learning_rate"] = self.learning_rate
        return metrics

    def _metrics(
        self, losses: list[Tensor], log_ratios: Tensor, outputs: Tensor
    ) -> dict[str, float]:
        """Return means over all minibatches; `outputs` (steps, k, n) are from before the update."""
        policy_loss, value_loss = torch.stack(losses).mean(0)
        ratios = log_ratios.exp()
        before = outputs.transpose(0, 1).flatten(1).to(self.device)
        means = {
            "policy_loss": policy_loss,
            "value_loss": value_loss * self.return_scale.unit**2,
            "entropy": self.distribution.entropy(before, self.network.log_std).mean(),
            # Estimator k3 of Schulman, "Approximating KL divergence" (2020): unbiased and >= 0.
            "approx_kl": (ratios - 1 - log_ratios).mean(),
            "clip_fraction": ((ratios - 1).abs() > self.settings.clip_coef).float().mean(),
        }
        return {name: mean.item() for name, mean in means.items()}

    def minibatches(
        self, rollout: dict[str, Tensor], advantages: Tensor, returns: Tensor
    ) -> Iterator[tuple[Tensor, ...]]:
        """Yield minibatches of the valid steps of all ranks, shuffled in each epoch.

        A minibatch consists of observations, actions, log-probabilities of the old policy,
        advantages and returns, each (size, ...). `advantages` and `returns` are (steps, n), with
        the environments of all ranks. Each rank gets its part of each minibatch.
        """
        actions = rollout["actions"].flatten(0, 1).to(self.device)
        outputs = rollout["outputs"].transpose(0, 1).flatten(1).to(self.device)
        with torch.no_grad():
            log_probs = self.distribution.log_prob(outputs, actions, self.network.log_std)
        old_log_probs = log_probs.view_as(rollout["rewards"])
        played = (rollout["observations"], rollout["actions"], old_log_probs)
        tensors = (
            *(ranks.of_all(tensor.to(self.device)) for tensor in played),
            advantages,
            returns,
        )
        everything = [tensor.flatten(0, 1).to(self.device) for tensor in tensors]
        rows = np.flatnonzero(ranks.of_all(rollout["valid"]))
        for _ in range(self.settings.epochs):
            order = torch.from_numpy(self.generator.permutation(rows)).to(self.device)
            for part in order.chunk(self.settings.minibatches):
                yield tuple(tensor[ranks.part_of(part)] for tensor in everything)

    def insight(self, observation: Array) -> Insight:
        """Return the value and, if actions are discrete, their probabilities."""
        outputs, values = self._evaluate(observation[None])
        probabilities = None
        if isinstance(self.distribution, Categorical):
            exponentials = np.exp(outputs[:, 0] - outputs.max())
            probabilities = exponentials / exponentials.sum()
        return Insight(probabilities, float(values[0]) * self.return_scale.value)

    def value_outputs(self) -> list[Tensor]:
        """Return weights and bias of the value."""
        return [self.network.heads.weight[-1], self.network.heads.bias[-1]]

    def pictures(self, observations: Array) -> dict[str, list[Array]]:
        """Return filters and saliency, if observations are screens."""
        return pictures(self.network, self._scores, self.tensor(observations))

    def _scores(self, screens: Tensor) -> dict[str, Tensor]:
        """Return the value and, if actions are discrete, the logit of the chosen action, (n,)."""
        outputs, values = self.network(screens)
        discrete = isinstance(self.distribution, Categorical)
        return {"value": values} | ({"action": outputs.amax(0)} if discrete else {})

    def policy_network(self) -> PolicyNetwork:
        """Return the network without the value, with the most likely action."""
        best = best_in(self.task.action_space)
        return PolicyNetwork(self.network, lambda network, seen: network(seen)[0], best)

    def tensors(self) -> dict[str, Any]:
        """Return network, optimizer, the unfinished rollout and the noise that may be held."""
        rows = self.rollout.copies(self.rollout.length)
        rollout = {f"rollout.{name}": torch.from_numpy(array) for name, array in rows.items()}
        noise = torch.from_numpy(np.ascontiguousarray(self.noise))
        return super().tensors() | rollout | {"noise": noise}

    def numbers(self) -> dict[str, Any]:
        """Return the random generator and counters."""
        return {**super().numbers(), "rollout_length": self.rollout.length}

    def discard_rollout(self) -> None:
        """Drop the unfinished rollout, whose next steps will never be played."""
        super().discard_rollout()
        self.rollout.length = 0

    def warm_start(self, tensors: dict[str, Any]) -> None:
        """Load the backbone only, after the reward has changed.

        The heads keep their initial weights. A policy that is already certain would explore
        nothing, and values of the former reward would mislead it, so learning would take longer.
        """
        self.load_backbone(tensors)

    def restore(self, tensors: dict[str, Any], numbers: dict[str, Any]) -> None:
        """Continue from a checkpoint."""
        super().restore(tensors, numbers)
        self.rollout.length = numbers["rollout_length"]
        rollout = {name: tensor.numpy() for name, tensor in under("rollout.", tensors).items()}
        self.rollout.restore(rollout, self.rollout.length)
        if "noise" in tensors:  # earlier versions held none
            self.noise = tensors["noise"].numpy().copy()  # a copy, as the file is mapped

    def _evaluate(self, observations: Array) -> tuple[Array, Array]:
        """Return policy outputs (k, n) and values (n,) without gradients."""
        with torch.inference_mode():
            outputs, values = self.network(self.tensor(observations))
        return outputs.numpy(force=True), values.numpy(force=True)
