"""What every agent can do, and what it is told about its task."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

import numpy as np
from gymnasium import spaces

Array = np.ndarray[Any, Any]

NO_BACKBONE = (
    "--pretrained and --freeze need an agent whose network is one backbone with heads on it: ppo, "
    "dqn, pqn, gpt, or supervised with one prediction for each observation"
)


class UnsuitableTaskError(ValueError):
    """The agent cannot serve these spaces or this game; the message says what it can serve."""

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.split()))  # numpy breaks long bounds into lines


@dataclass(frozen=True)
class Task:
    """What an agent is made for."""

    env_id: str
    """Gymnasium id."""
    observation_space: spaces.Space[Any]
    """Of one environment."""
    action_space: spaces.Space[Any]
    """Of one environment."""
    num_envs: int
    """How many environments it will learn from at once."""
    total_steps: int
    """Environment steps that training is planned to take; what annealing runs out at."""
    terms: dict[str, float] = field(default_factory=lambda: {"reward": 1.0})
    """The weight of each term in the reward; others' environments have one that is all of it."""


@dataclass(frozen=True)
class Step:
    """One step of `n` environments, as the agent that acted learns of it."""

    observations: Array
    """(n, ...) what `act` was given."""
    actions: Array
    """(n, ...) what it answered."""
    rewards: Array
    """(n,) float."""
    terms: dict[str, Array]
    """(n,) each term of the reward before weighting, by name; empty in others' environments."""
    terminated: Array
    """(n,) bool: the episode is over, nothing can follow."""
    truncated: Array
    """(n,) bool: the episode was cut short; what would have followed has a value."""
    next_observations: Array
    """(n, ...) what followed; where an episode ended, its last observation."""
    valid: Array
    """(n,) bool: False where the environment only began anew and ignored the action."""
    labels: Array | None = None
    """(n, ...) what the actions should have been, where the environment tells."""


class Lookahead(Protocol):
    """Tells what would be seen in `n` environments, from where they stand at that moment."""

    def futures(self, actions: Array) -> Iterator[Array]:
        """The observations (n * m, ...) after each of the actions (steps, n * m, ...).

        Each environment is copied `m` times, its copies one after the other. Nothing is changed,
        and what chance will bring is not told: copies have a chance of their own.
        """
        ...


@dataclass(frozen=True)
class Insight:
    """What an agent thinks of one observation, for people to see."""

    probabilities: Array | None = None
    """(actions,) of each discrete action."""
    value: float | None = None
    """The discounted return that it expects from here."""


class Agent:
    """An agent that acts and does not learn; those that learn override the rest."""

    learns_from_labels: ClassVar[bool] = False
    """Does it learn from right answers, where an environment tells them?"""

    def __init__(self, task: Task, seed: int) -> None:
        self.task = task
        self.generator = np.random.default_rng(seed)

    @property
    def converged(self) -> bool:
        """Would nothing that could follow change it? Then training stops."""
        return False

    def set_lookahead(self, lookahead: Lookahead | None) -> None:
        """Be told, before `act`, of the environments that are acted in; None: no way to copy them.

        Raises:
            UnsuitableTaskError: if the agent needs to look ahead there and cannot.
        """

    def act(self, observations: Array, explore: bool = True) -> Array:
        """Actions (n, ...) for observations (n, ...).

        With `explore=False` the agent does what it holds best, for any number of observations, and
        nothing of it changes.
        """
        raise NotImplementedError

    def learn(self, step: Step) -> dict[str, float] | None:
        """Take in the step that followed the last `act`; returns metrics after an update."""
        return None

    def insight(self, observation: Array) -> Insight:
        """What the agent thinks of one observation (...)."""
        return Insight()

    def encode(self, observations: Array) -> Array | None:
        """The few numbers (n, k) that it makes of observations (n, ...), if it is built so."""
        return None

    def pictures(self, observations: Array) -> dict[str, list[Array]]:
        """What can be seen of how it thinks, by name, for TensorBoard at each evaluation.

        Args:
            observations: (t, ...) of the beginning of one episode that it played.

        Returns:
            Frames uint8 (height, width, 3) of each picture; a still one has one frame.
        """
        return {}

    def tensors(self) -> dict[str, Any]:
        """All torch tensors that a checkpoint has to hold, by name."""
        return {}

    def numbers(self) -> dict[str, Any]:
        """Everything else that a checkpoint has to hold, as JSON can write it."""
        return {"generator": self.generator.bit_generator.state}

    def discard_rollout(self) -> None:
        """Forget steps under way: the environments could not be saved and begin anew."""

    def restore_policy(self, tensors: dict[str, Any]) -> None:
        """Take over only what decides how to act; `tensors` may hold more."""

    def warm_start(self, tensors: dict[str, Any]) -> None:
        """Take over what is still of use now that something else is good; by default the policy."""
        self.restore_policy(tensors)

    def load_backbone(self, tensors: dict[str, Any]) -> None:
        """Begin with the backbone of another agent: with what that one has learned to see.

        Raises:
            UnsuitableTaskError: if this agent has none.
            ValueError: if `tensors` hold none that fits.
        """
        raise UnsuitableTaskError(NO_BACKBONE)

    def freeze_backbone(self) -> None:
        """Learn with the heads alone from now on.

        Raises:
            UnsuitableTaskError: if this agent has no backbone.
        """
        raise UnsuitableTaskError(NO_BACKBONE)

    def restore(self, tensors: dict[str, Any], numbers: dict[str, Any]) -> None:
        """Go on from where `tensors` and `numbers` were taken."""
        self.generator.bit_generator.state = numbers["generator"]
