"""The interface of all agents, and what they receive: their task and the steps they took."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np
from gymnasium import spaces

from envs.names import one_of
from envs.registry import agents_serving

if TYPE_CHECKING:  # most agents use PyTorch, this module does not
    from torch import nn

Array = np.ndarray[Any, Any]

NO_BACKBONE = (
    "--pretrained and --freeze need an agent whose network is one backbone with heads on it: ppo, "
    "dqn, pqn, gpt, or supervised with one prediction for each observation"
)


class UnsuitableTaskError(ValueError):
    """The agent cannot serve these spaces or this game; the message says what it can serve."""

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.split()))  # NumPy breaks long bounds into lines


class DivergedError(FloatingPointError):
    """A metric of the agent is not finite any more."""

    def __init__(self, message: str, metrics: dict[str, float]) -> None:
        super().__init__(message)
        self.metrics = metrics


def agents_for(space: spaces.Space[Any]) -> str:
    """Return the end of an error message: which agents serve the actions of `space`."""
    kind = {spaces.Discrete: "discrete", spaces.Box: "continuous"}.get(type(space))
    return f"; for {kind} actions, use {one_of(agents_serving(kind))}" if kind else ""


@dataclass(frozen=True)
class Task:
    """The task that an agent is created for."""

    env_id: str
    """Gymnasium id of the environment."""
    observation_space: spaces.Space[Any]
    """Observation space of one environment."""
    action_space: spaces.Space[Any]
    """Action space of one environment."""
    num_envs: int
    """Number of environments that run in parallel during training, in this process."""
    total_steps: int
    """Planned environment steps of the training, all environments together."""
    terms: dict[str, float] = field(default_factory=lambda: {"reward": 1.0})
    """Weight of each reward term by name; environments of other projects have one term."""


@dataclass(frozen=True)
class Step:
    """One step of `n` environments."""

    observations: Array
    """Observations (n, ...) that `act` was given."""
    actions: Array
    """Actions (n, ...) that `act` returned."""
    rewards: Array
    """Rewards (n,), float."""
    terms: dict[str, Array]
    """Each reward term (n,) before weighting, by name; empty in environments of other projects."""
    terminated: Array
    """Flags (n,): the episode ended in a terminal state, whose value is 0."""
    truncated: Array
    """Flags (n,): the episode was cut off; the state after it still has a value."""
    next_observations: Array
    """Observations (n, ...) after the step; for an episode that ended, its last observation."""
    valid: Array
    """Flags (n,): False where the environment was only reset and ignored the action."""
    labels: Array | None = None
    """Correct actions (n, ...), if the environment provides them."""


class Lookahead(Protocol):
    """Simulates `n` environments from their current states."""

    def futures(self, actions: Array) -> Iterator[Array]:
        """Yield the observations (n * m, ...) after each of the actions (steps, n * m, ...).

        The `m` copies of an environment follow one another. The environments do not change. Copies
        use other random generators, so they do not reveal the real future.
        """
        ...


@dataclass(frozen=True)
class Insight:
    """What an agent computes for one observation, to be shown to people."""

    probabilities: Array | None = None
    """Probability (actions,) of each discrete action."""
    value: float | None = None
    """Expected discounted return from this observation."""


class Agent:
    """Base class of all agents. Agents that learn override more than `act`."""

    learns_from_labels: ClassVar[bool] = False
    """Whether the agent uses `Step.labels`."""
    trains_on_ranks: ClassVar[bool] = False
    """Whether several processes can train the agent together; see `agents.ranks`."""

    def __init__(self, task: Task, seed: int) -> None:
        self.task = task
        self.generator = np.random.default_rng(seed)

    @property
    def converged(self) -> bool:
        """Whether further training would change nothing. Training then stops."""
        return False

    def set_lookahead(self, lookahead: Lookahead | None) -> None:
        """Set the simulator of the environments of the next `act`; None if they cannot be copied.

        Raises:
            UnsuitableTaskError: if the agent needs a simulator and there is none.
        """

    def act(self, observations: Array, explore: bool = True) -> Array:
        """Return actions (n, ...) for observations (n, ...).

        With `explore=False`, the agent takes the actions that it considers best, accepts any number
        of observations, and does not change.
        """
        raise NotImplementedError

    def learn(self, step: Step) -> dict[str, float] | None:
        """Learn from the step that followed the last `act`; return metrics after an update."""
        return None

    def insight(self, observation: Array) -> Insight:
        """Return what the agent computes for one observation (...)."""
        return Insight()

    def encode(self, observations: Array) -> Array | None:
        """Return codes (n, k) of observations (n, ...), or None if the agent computes none."""
        return None

    def pictures(self, observations: Array) -> dict[str, list[Array]]:
        """Return pictures of what the agent has learned, by name, for TensorBoard.

        `observations` (t, ...) are the first ones of an episode that the agent played. Frames are
        uint8 (height, width, 3); a still picture has one frame.
        """
        return {}

    def policy_network(self) -> nn.Module:
        """Return a network from observations (n, ...) to what `act(explore=False)` returns.

        Raises:
            UnsuitableTaskError: if the policy is not one network; the message gives the reason.
        """
        raise UnsuitableTaskError("its policy is Python code and not a network")

    def policy_tensors(self) -> dict[str, Any]:
        """Return the torch tensors that `restore_policy` needs, by name."""
        return {}

    def tensors(self) -> dict[str, Any]:
        """Return all torch tensors of a checkpoint, by name; `policy_tensors` are among them."""
        return {}

    def numbers(self) -> dict[str, Any]:
        """Return the rest of a checkpoint, as JSON can represent it."""
        return {"generator": self.generator.bit_generator.state}

    def discard_rollout(self) -> None:
        """Drop unfinished steps: the environments could not be saved and start new episodes."""

    def restore_policy(self, tensors: dict[str, Any]) -> None:
        """Load only what `act(explore=False)` needs; `tensors` may contain more."""

    def warm_start(self, tensors: dict[str, Any]) -> None:
        """Load what is still useful after the reward has changed; by default the policy."""
        self.restore_policy(tensors)

    def load_backbone(self, tensors: dict[str, Any]) -> None:
        """Load the backbone of another agent, which has learned features of observations.

        Raises:
            UnsuitableTaskError: if this agent has no backbone.
            ValueError: if `tensors` contain no backbone that fits.
        """
        raise UnsuitableTaskError(NO_BACKBONE)

    def freeze_backbone(self) -> None:
        """Keep the backbone fixed and train only the heads from now on.

        Raises:
            UnsuitableTaskError: if this agent has no backbone.
        """
        raise UnsuitableTaskError(NO_BACKBONE)

    def restore(self, tensors: dict[str, Any], numbers: dict[str, Any]) -> None:
        """Continue from a checkpoint of `tensors` and `numbers`."""
        self.generator.bit_generator.state = numbers["generator"]
