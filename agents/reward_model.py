"""Reward model: predicts rewards, and plans with these predictions.

A policy says which action to take. A reward model predicts the reward that an action in a state
brings at once. Training is supervised: while random actions are played, the targets are the terms
of the reward and whether the episode ended.

To act, the agent compares predictions. With `horizon` 1, it takes the action with the highest
predicted reward. This is not enough where rewards come late. With a larger horizon, it tries
sequences of actions in a copy of the game and adds up the predicted rewards. The dynamics are real
and only the rewards are predicted, which shows what a reward model alone can achieve.

Each term is predicted in units of a scale of its own (`return_scale`, with gamma 0: a return is one
reward), so that terms of any size are learned equally well.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from torch import Tensor, nn
from torch.nn import functional

from agents.agent import Array, Insight, Lookahead, Step, Task, UnsuitableTaskError
from agents.checkpointing import under
from agents.networks.policy_network import BestCandidate, PolicyNetwork
from agents.networks.state_action import Scaled, is_bounded_box, make_encoder, mlp
from agents.planning import plan, sequences
from agents.replay import Rows, empty_observations
from agents.return_scale import ReturnScale, ScaledAgent
from agents.scatter_plot import scatter
from agents.sticky_actions import persist, random_actions
from agents.validation import at_least_one, between_0_and_1, positive

REPORT_EVERY = 10_000  # environment steps
DOTS = 1_000  # in each scatter plot
PLANNING_SEED = 0  # planning tries the same sequences at every step


@dataclass(frozen=True)
class RewardModelSettings:
    """Hyperparameters of the reward model."""

    horizon: int = 1
    """Number of steps that the planner looks ahead; above 1 only in games that can be copied."""
    candidates: int = 64
    """Maximum number of sequences of actions that the planner tries."""
    gamma: float = 0.99
    """Discount factor of the predicted rewards."""
    persistence: float = 8.0
    """Average number of steps for which a random action is held, in training and in planning."""
    learning_rate: float = 1e-3
    """Learning rate of Adam."""
    batch_size: int = 256
    """Number of steps sampled for an update."""
    updates: int = 1
    """Number of updates after each step of all environments."""
    capacity: int = 500_000
    """Number of environment steps that are stored."""
    max_grad_norm: float = 1.0
    """Maximum norm of the gradient."""
    width: int = 128
    """Number of units in each hidden layer."""

    def __post_init__(self) -> None:
        at_least_one(self, "horizon", "candidates", "persistence", "batch_size", "updates")
        at_least_one(self, "capacity", "width")
        between_0_and_1(self, "gamma")
        positive(self, "learning_rate", "max_grad_norm")


class ActionEncoding(nn.Module):
    """Encodes actions for a network: one-hot if discrete, scaled to -1..1 if continuous."""

    def __init__(self, space: spaces.Space[Any]) -> None:
        super().__init__()
        self.choices = 0
        if isinstance(space, spaces.Discrete):
            self.outputs = self.choices = int(space.n)
            self._start = int(space.start)
            return
        if not is_bounded_box(space):
            raise UnsuitableTaskError(
                "reward_model: actions must be a Discrete space or a float Box space with bounds, "
                f"got {space}"
            )
        self.outputs = int(np.prod(space.shape))
        self.scaled = Scaled(space)

    def forward(self, actions: Tensor) -> Tensor:
        """Map actions (n, ...) to encodings (n, outputs)."""
        if self.choices:
            return functional.one_hot(actions.long() - self._start, self.choices).float()
        scaled: Tensor = self.scaled(actions)
        return scaled.reshape(len(actions), -1)


class RewardModel(nn.Module):
    """Predicts each reward term, and the logit that the episode ends, from state and action."""

    def __init__(self, task: Task, width: int, seed: int) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        self.encoder, features = make_encoder(task.observation_space, width, generator)
        self.encode_actions = ActionEncoding(task.action_space)
        outputs = len(task.terms) + 1
        inputs = features + self.encode_actions.outputs
        self.head = mlp(inputs, width, outputs, 0.1, generator)

    def forward(self, observations: Tensor, actions: Tensor) -> tuple[Tensor, Tensor]:
        """Return scaled terms (n, k) and logits (n,) for observations and actions (n, ...)."""
        inputs = torch.cat((self.encoder(observations), self.encode_actions(actions)), 1)
        outputs = self.head(inputs)
        return outputs[:, :-1], outputs[:, -1]


class Memory(Rows):
    """The newest `capacity` valid steps, in one row each."""

    def __init__(self, task: Task, capacity: int) -> None:
        space = task.action_space
        assert space.shape is not None
        self.observations = empty_observations(task.observation_space, capacity)
        self.actions = np.zeros((capacity, *space.shape), space.dtype)
        self.terms = np.zeros((capacity, len(task.terms)), np.float32)
        self.ends = np.zeros(capacity, np.float32)
        self._names = tuple(task.terms)
        self._capacity, self.added = capacity, 0

    def __len__(self) -> int:
        return min(self.added, self._capacity)

    def add(self, step: Step) -> None:
        """Store the valid rows of a step; environments of other projects have one term."""
        terms = np.stack([step.terms.get(name, step.rewards) for name in self._names], 1)
        rows = (self.added + np.arange(int(step.valid.sum()))) % self._capacity
        kept = (step.observations, step.actions, terms, step.terminated)
        for array, values in zip(self.arrays().values(), kept, strict=True):
            array[rows] = values[step.valid]
        self.added += len(rows)

    def rows(self, rows: Array) -> tuple[Array, ...]:
        """Return observations, actions, terms and ends of some rows."""
        return tuple(array[rows] for array in self.arrays().values())

    def newest(self, count: int) -> tuple[Array, ...]:
        """Return observations, actions, terms and ends of the newest `count` rows."""
        count = min(count, len(self))
        return self.rows((self.added - 1 - np.arange(count)) % self._capacity)


class RewardModelAgent(ScaledAgent):
    """Serves vectors and screens, discrete and bounded continuous actions."""

    name = "reward_model"

    def __init__(
        self, task: Task, settings: RewardModelSettings, seed: int, device: str = "cpu"
    ) -> None:
        self.settings = settings
        self.network: RewardModel
        network = RewardModel(task, settings.width, seed)
        super().__init__(task, network, settings.learning_rate, seed, device)
        self.memory = Memory(task, settings.capacity)
        terms = range(len(task.terms))
        self.scales = {f"{k}.": ReturnScale(task.num_envs, gamma=0.0) for k in terms}
        self.held = random_actions(task.action_space, task.num_envs, self.generator)
        self.lookahead: Lookahead | None = None
        self._weights = np.array(list(task.terms.values()))
        sizes = (settings.horizon, settings.candidates, settings.persistence)
        generator = np.random.default_rng(PLANNING_SEED)
        self._candidates = sequences(task.action_space, *sizes, generator)

    def set_lookahead(self, lookahead: Lookahead | None) -> None:
        """Set the simulator, which is needed if `horizon` is above 1."""
        if lookahead is None and self.settings.horizon > 1:
            raise UnsuitableTaskError(
                f"reward_model: horizon {self.settings.horizon} needs a copy of the game, and "
                f"{self.task.env_id} cannot be copied; use horizon 1"
            )
        self.lookahead = lookahead

    def act(self, observations: Array, explore: bool = True) -> Array:
        """Return random actions that are held for some steps, or without `explore` planned ones."""
        if explore:
            space, persistence = self.task.action_space, self.settings.persistence
            self.held = persist(space, self.held, persistence, self.generator)
            return self.held
        return self._plan(observations)[0]

    def _plan(self, observations: Array) -> tuple[Array, Array]:
        """Return the planned actions (n, ...) and their predicted returns (n,)."""
        gamma = self.settings.gamma
        return plan(observations, self._candidates, self.lookahead, self._predict, gamma)

    def _predict(self, observations: Array, actions: Array) -> tuple[Array, Array]:
        """Return rewards (n,), the weighted sums of the terms, and probabilities of an end (n,)."""
        terms, ends = self.predict(observations, actions)
        return terms @ self._weights, ends

    def predict(self, observations: Array, actions: Array) -> tuple[Array, Array]:
        """Return predicted terms (n, k) and probabilities (n,) that the episode ends."""
        with torch.inference_mode():
            inputs = (self.tensor(observations), torch.as_tensor(actions, device=self.device))
            terms, logits = self.network(*inputs)
            values = np.array([scale.value for scale in self.scales.values()])
            return terms.numpy(force=True) * values, logits.sigmoid().numpy(force=True)

    def learn(self, step: Step) -> dict[str, float] | None:
        """Store the step, and update the network with stored steps."""
        self.memory.add(step)
        self._rescale(step)
        before, self.steps_seen = self.steps_seen, self.steps_seen + len(step.rewards)
        for _ in range(self.settings.updates):
            metrics = self._improve()
        if self.steps_seen // REPORT_EVERY == before // REPORT_EVERY:
            return None
        return self.check({name: value.item() for name, value in metrics.items()})

    def _rescale(self, step: Step) -> None:
        """Measure the terms, and update their scales without a change of what is predicted."""
        last = list(self.network.head.parameters())[-2:]
        for k, (name, scale) in enumerate(zip(self.task.terms, self.scales.values(), strict=True)):
            scale.add(step.terms.get(name, step.rewards), np.ones_like(step.valid), step.valid)
            self.rescale_outputs(scale, (parameters[k] for parameters in last))

    def _improve(self) -> dict[str, Tensor]:
        """Take one gradient step: squared errors of the terms, cross-entropy of the end."""
        rows = self.generator.integers(len(self.memory), size=self.settings.batch_size)
        batch = (torch.from_numpy(array).to(self.device) for array in self.memory.rows(rows))
        observations, actions, terms, ends = batch
        predicted, logits = self.network(observations, actions)
        units = self.tensor(np.array([scale.unit for scale in self.scales.values()]))
        errors = (predicted - terms / units).square().mean(0)
        end_loss = functional.binary_cross_entropy_with_logits(logits, ends)
        self.descend(errors.sum() + end_loss, self.settings.max_grad_norm)
        in_units = errors.detach() * units.square()
        losses = {f"loss_of_{n}": e for n, e in zip(self.task.terms, in_units, strict=True)}
        return losses | {"end_loss": end_loss}

    def insight(self, observation: Array) -> Insight:
        """Return the predicted return of the best sequence as the value."""
        return Insight(value=float(self._plan(observation[None])[1][0]))

    def policy_network(self) -> PolicyNetwork:
        """Return the network with the action of the highest predicted reward.

        Raises:
            UnsuitableTaskError: if the planner looks further ahead than one step.
        """
        if self.settings.horizon > 1:
            raise UnsuitableTaskError(
                f"it plans {self.settings.horizon} steps ahead in a copy of the game; only horizon "
                "1 can be exported"
            )
        candidates = torch.from_numpy(self._candidates[0])
        weights = torch.tensor(self._weights * [scale.value for scale in self.scales.values()])

        def rewards(network: RewardModel, observations: Tensor) -> Tensor:
            features = network.encoder(observations)[:, None]
            encoded = network.encode_actions(candidates)[None]
            sizes = (features.shape[0], encoded.shape[1], -1)
            inputs = torch.cat((features.expand(*sizes), encoded.expand(*sizes)), 2)
            predicted: Tensor = network.head(inputs)[..., :-1].double() @ weights
            return predicted.T

        return PolicyNetwork(self.network, rewards, BestCandidate(candidates))

    def pictures(self, observations: Array) -> dict[str, list[Array]]:
        """Return scatter plots of predicted and real values: the newest, hardly used steps."""
        seen, actions, terms, ends = self.memory.newest(DOTS)
        if not len(seen):
            return {}
        predicted, probabilities = self.predict(seen, actions)
        pictures = {"the_end": scatter(ends, probabilities, "episode ends: probability and fact")}
        for k, name in enumerate(self.task.terms):
            title = f"{name}: newest {len(seen)} steps"
            pictures[name] = scatter(terms[:, k], predicted[:, k], title)
        return {f"predicted_{name}": [picture] for name, picture in pictures.items()}

    def tensors(self) -> dict[str, Any]:
        """Return network, optimizer, scales, stored steps and the held random actions."""
        stored = self.memory.copies(len(self.memory))
        memory = {f"memory.{n}": torch.from_numpy(a) for n, a in stored.items()}
        held = torch.from_numpy(self.held.copy())
        return super().tensors() | memory | {"held": held}

    def numbers(self) -> dict[str, Any]:
        """Return the random generator and counters."""
        return {**super().numbers(), "remembered": self.memory.added}

    def restore(self, tensors: dict[str, Any], numbers: dict[str, Any]) -> None:
        """Continue from a checkpoint."""
        super().restore(tensors, numbers)
        memory = {name: tensor.numpy() for name, tensor in under("memory.", tensors).items()}
        self.memory.added = numbers["remembered"]
        self.memory.restore(memory, len(self.memory))
        self.held = tensors["held"].numpy().copy()  # a copy, as the file is mapped
