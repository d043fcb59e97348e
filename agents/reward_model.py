"""A reward model, and a planner that acts by it.

The second kind of model for a game: not which action to take (a policy), but what reward a state
and an action bring at once. It is supervised learning, from what happens under random actions: the
answers are the terms of the reward, and whether the episode ended there.

To act, one asks it. `horizon` 1: which action is rewarded most now? Where the reward comes late,
that says nothing. Longer: try sequences of actions in a copy of the game, and add up the rewards
predicted on the way. So the dynamics are real and only the rewards are predicted, which shows what
a reward model alone is worth.
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
from agents.networks.state_action import Scaled, is_bounded_box, make_encoder, mlp
from agents.planning import plan, sequences
from agents.scatter_plot import scatter
from agents.sticky_actions import persist, random_actions
from agents.torch_agent import TorchAgent
from agents.validation import at_least_one, between_0_and_1, positive

REPORT_EVERY = 10_000  # environment steps
DOTS = 1_000  # in a picture
PLANNING_SEED = 0  # of the sequences tried, always the same ones: planning changes nothing


@dataclass(frozen=True)
class RewardModelSettings:
    """Hyperparameters."""

    horizon: int = 1
    """Steps that the planner looks ahead; more than 1 in the project's own games only."""
    candidates: int = 64
    """Most sequences of actions that it tries."""
    gamma: float = 0.99
    """Discount of the rewards on the way."""
    persistence: float = 8.0
    """Steps for which a random action is held on average, in training and in sequences tried."""
    learning_rate: float = 1e-3
    """Step size of Adam."""
    batch_size: int = 256
    """Steps in a minibatch."""
    updates: int = 1
    """Minibatches learned from after each step of all environments."""
    capacity: int = 500_000
    """Steps that are remembered."""
    max_grad_norm: float = 1.0
    """Longest gradient."""
    width: int = 128
    """Features in each layer."""

    def __post_init__(self) -> None:
        at_least_one(self, "horizon", "candidates", "persistence", "batch_size", "updates")
        at_least_one(self, "capacity", "width")
        between_0_and_1(self, "gamma")
        positive(self, "learning_rate", "max_grad_norm")


class ActionEncoding(nn.Module):
    """Actions as a network reads them: one-hot if discrete, scaled to -1..1 if continuous."""

    def __init__(self, space: spaces.Space[Any]) -> None:
        super().__init__()
        self.choices = 0
        if isinstance(space, spaces.Discrete):
            self.outputs = self.choices = int(space.n)
            self._start = int(space.start)
            return
        if not is_bounded_box(space):
            raise UnsuitableTaskError(
                f"reward_model: actions {space} cannot be served; it serves Discrete spaces and "
                "float Box spaces with bounds"
            )
        self.outputs = int(np.prod(space.shape))
        self.scaled = Scaled(space)

    def forward(self, actions: Tensor) -> Tensor:
        """(n, ...) to (n, outputs)."""
        if self.choices:
            return functional.one_hot(actions.long() - self._start, self.choices).float()
        scaled: Tensor = self.scaled(actions)
        return scaled.reshape(len(actions), -1)


class RewardModel(nn.Module):
    """From an observation and an action to each term of the reward and the end's logit."""

    def __init__(self, task: Task, width: int, seed: int) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        self.encoder, features = make_encoder(task.observation_space, width, generator)
        self.code = ActionEncoding(task.action_space)
        outputs = len(task.terms) + 1
        self.judge = mlp(features + self.code.outputs, width, outputs, 0.1, generator)

    def forward(self, observations: Tensor, actions: Tensor) -> tuple[Tensor, Tensor]:
        """Terms (n, k) and logits (n,) for observations and actions (n, ...)."""
        judged = self.judge(torch.cat((self.encoder(observations), self.code(actions)), 1))
        return judged[:, :-1], judged[:, -1]


class Memory:
    """The newest `capacity` steps, without those in which an environment only began anew."""

    def __init__(self, task: Task, capacity: int) -> None:
        seen, done = task.observation_space, task.action_space
        assert seen.shape is not None
        assert done.shape is not None
        dtype = np.uint8 if seen.dtype == np.uint8 else np.float32
        self._arrays: dict[str, Array] = {
            "observations": np.zeros((capacity, *seen.shape), dtype),
            "actions": np.zeros((capacity, *done.shape), done.dtype),
            "terms": np.zeros((capacity, len(task.terms)), np.float32),
            "ends": np.zeros(capacity, np.float32),
        }
        self._names = tuple(task.terms)
        self._capacity, self.added = capacity, 0

    def __len__(self) -> int:
        return min(self.added, self._capacity)

    def add(self, step: Step) -> None:
        """Keep what is valid; others' environments have one term, the reward."""
        terms = np.stack([step.terms.get(name, step.rewards) for name in self._names], 1)
        rows = (self.added + np.arange(int(step.valid.sum()))) % self._capacity
        kept = (step.observations, step.actions, terms, step.terminated)
        for array, values in zip(self._arrays.values(), kept, strict=True):
            array[rows] = values[step.valid]
        self.added += len(rows)

    def rows(self, rows: Array) -> tuple[Array, ...]:
        """Observations, actions, terms and ends of some rows."""
        return tuple(array[rows] for array in self._arrays.values())

    def newest(self, count: int) -> tuple[Array, ...]:
        """The same of the `count` newest."""
        count = min(count, len(self))
        return self.rows((self.added - 1 - np.arange(count)) % self._capacity)

    def arrays(self) -> dict[str, Array]:
        """All that is held, by name."""
        return {name: array[: len(self)].copy() for name, array in self._arrays.items()}

    def restore(self, arrays: dict[str, Array], added: int) -> None:
        """Go on from where `arrays` was taken."""
        self.added = added
        for name, array in self._arrays.items():
            array[: len(self)] = arrays[name]


class RewardModelAgent(TorchAgent):
    """Serves vectors and screens, discrete actions and continuous ones with bounds."""

    name = "reward_model"

    def __init__(
        self, task: Task, settings: RewardModelSettings, seed: int, device: str = "cpu"
    ) -> None:
        self.settings = settings
        self.network: RewardModel
        network = RewardModel(task, settings.width, seed)
        super().__init__(task, network, settings.learning_rate, seed, device)
        self.memory = Memory(task, settings.capacity)
        self.held = random_actions(task.action_space, task.num_envs, self.generator)
        self.lookahead: Lookahead | None = None
        self._weights = np.array(list(task.terms.values()))
        self._tried = sequences(
            task.action_space,
            settings.horizon,
            settings.candidates,
            settings.persistence,
            np.random.default_rng(PLANNING_SEED),
        )

    def set_lookahead(self, lookahead: Lookahead | None) -> None:
        """Take what tells the future of the environments that it acts in next."""
        if lookahead is None and self.settings.horizon > 1:
            raise UnsuitableTaskError(
                f"reward_model: horizon {self.settings.horizon} looks ahead in a copy of the game, "
                f"and {self.task.env_id} cannot be copied; use horizon 1"
            )
        self.lookahead = lookahead

    def act(self, observations: Array, explore: bool = True) -> Array:
        """To learn, random actions that last; else what the plan says."""
        if explore:
            space, persistence = self.task.action_space, self.settings.persistence
            self.held = persist(space, self.held, persistence, self.generator)
            return self.held
        return self._plan(observations)[0]

    def _plan(self, observations: Array) -> tuple[Array, Array]:
        gamma = self.settings.gamma
        return plan(observations, self._tried, self.lookahead, self._predict, gamma)

    def _predict(self, observations: Array, actions: Array) -> tuple[Array, Array]:
        """Rewards (n,), the weighted sums of the terms, and the probabilities of an end (n,)."""
        terms, ends = self.predict(observations, actions)
        return terms @ self._weights, ends

    def predict(self, observations: Array, actions: Array) -> tuple[Array, Array]:
        """Terms (n, k) and the probabilities of an end (n,)."""
        with torch.inference_mode():
            done = torch.as_tensor(actions, device=self.device)
            terms, logits = self.network(self.tensor(observations), done)
            return terms.numpy(force=True), logits.sigmoid().numpy(force=True)

    def learn(self, step: Step) -> dict[str, float] | None:
        """Remember the step, and learn from some that are remembered."""
        self.memory.add(step)
        before, self.steps_seen = self.steps_seen, self.steps_seen + len(step.rewards)
        for _ in range(self.settings.updates):
            metrics = self._improve()
        if self.steps_seen // REPORT_EVERY == before // REPORT_EVERY:
            return None
        return self.check({name: value.item() for name, value in metrics.items()})

    def _improve(self) -> dict[str, Tensor]:
        """One minibatch: squared errors of the terms, cross-entropy of the end."""
        rows = self.generator.integers(len(self.memory), size=self.settings.batch_size)
        batch = (torch.from_numpy(array).to(self.device) for array in self.memory.rows(rows))
        observations, actions, terms, ends = batch
        predicted, logits = self.network(observations, actions)
        errors = (predicted - terms).square().mean(0)
        end_loss = functional.binary_cross_entropy_with_logits(logits, ends)
        self.descend(errors.sum() + end_loss, self.settings.max_grad_norm)
        losses = {f"loss_of_{n}": e for n, e in zip(self.task.terms, errors, strict=True)}
        return losses | {"end_loss": end_loss}

    def insight(self, observation: Array) -> Insight:
        """What the best of the sequences tried promises."""
        return Insight(value=float(self._plan(observation[None])[1][0]))

    def pictures(self, observations: Array) -> dict[str, list[Array]]:
        """Predicted against real, each term and the end, of the newest steps.

        They were learned from a few times at most, so that this is nearly what unseen steps give.
        """
        seen, actions, terms, ends = self.memory.newest(DOTS)
        if not len(seen):
            return {}
        predicted, probabilities = self.predict(seen, actions)
        pictures = {"the_end": scatter(ends, probabilities, "the end: probability and fact")}
        for k, name in enumerate(self.task.terms):
            title = f"{name}, the newest {len(seen)} steps"
            pictures[name] = scatter(terms[:, k], predicted[:, k], title)
        return {f"predicted_{name}": [picture] for name, picture in pictures.items()}

    def tensors(self) -> dict[str, Any]:
        """Network, optimizer, memory and the random actions being held."""
        memory = {f"memory.{n}": torch.from_numpy(a) for n, a in self.memory.arrays().items()}
        return super().tensors() | memory | {"held": torch.from_numpy(self.held.copy())}

    def numbers(self) -> dict[str, Any]:
        """Counters."""
        return {**super().numbers(), "remembered": self.memory.added}

    def restore(self, tensors: dict[str, Any], numbers: dict[str, Any]) -> None:
        """Go on from where `tensors` and `numbers` were taken."""
        super().restore(tensors, numbers)
        memory = {name: tensor.numpy() for name, tensor in under("memory.", tensors).items()}
        self.memory.restore(memory, numbers["remembered"])
        self.held = tensors["held"].numpy()
