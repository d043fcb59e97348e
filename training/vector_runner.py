"""Runs vector environments for an agent and sums up their episodes.

Gymnasium's vector environments reset a finished episode in the same step, in the next step, or not
at all (`metadata["autoreset_mode"]`). All three modes become the same `Step` here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.envs.registration import EnvSpec
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.wrappers import FlattenObservation
from gymnasium.wrappers.vector import FlattenObservation as FlattenObservations

from agents.agent import Array, Step
from agents.checkpointing import under
from envs.engine.batch import TERM_PREFIX
from envs.engine.capabilities import batch_of
from envs.names import UnknownOptionError
from envs.registry import DATASETS, env_ids
from rewards.kernel import WeightedSum
from rewards.make import reward_of
from training.lookahead import make_lookahead

EnvId = str | EnvSpec
"""A Gymnasium id, or what `gymnasium.make` takes for an environment that is not registered."""
UNUSABLE = (TypeError, AssertionError, AttributeError, LookupError)
"""What environments of other projects raise for options that they do not take."""


@dataclass(frozen=True)
class Episodes:
    """Episodes that ended in one step; each array has one entry per episode."""

    returns: Array
    """Sum of the rewards."""
    lengths: Array
    """Number of steps."""
    scores: Array
    """Score of the game, or the return where an environment has no score."""
    terms: dict[str, Array]
    """Sum of each reward term before weighting, by name."""
    terminated: Array
    """Flags: the episode ended in a terminal state, and was not cut off."""
    rows: Array
    """Index of the environment."""


def make_environments(env_id: EnvId, num_envs: int, options: dict[str, Any]) -> Any:
    """Return a vector environment for agents, made by `gymnasium.make_vec`.

    Observations that are not arrays become one: a `Discrete` one-hot vectors, a `Tuple` or a `Dict`
    all their parts in a row.

    Raises:
        ValueError: for options that the environment does not take.
    """
    try:
        environments: Any = gymnasium.make_vec(env_id, num_envs=num_envs, **options)
    except UNUSABLE as error:
        raise _cannot_be_made(env_id, error) from None
    if _needs_flattening(env_id, environments.single_observation_space):
        return FlattenObservations(environments)
    return environments


def make_environment(env_id: EnvId, options: dict[str, Any]) -> gymnasium.Env[Any, Any]:
    """Return one environment, made by `gymnasium.make`, with the observations that agents see.

    Raises:
        ValueError: for options that the environment does not take.
    """
    try:
        environment: gymnasium.Env[Any, Any] = gymnasium.make(env_id, **options)
    except UNUSABLE as error:
        raise _cannot_be_made(env_id, error) from None
    if _needs_flattening(env_id, environment.observation_space):
        return FlattenObservation(environment)
    return environment


def _needs_flattening(env_id: EnvId, space: spaces.Space[Any]) -> bool:
    """Return whether no agent takes such observations; datasets have agents that take theirs."""
    is_array = isinstance(space, spaces.Box)
    return not is_array and env_id not in env_ids(DATASETS) and space.is_np_flattenable


def _cannot_be_made(env_id: EnvId, error: Exception) -> ValueError:
    """Return the error for options that an environment does not take."""
    if isinstance(error, UnknownOptionError):
        return ValueError(error.plain)
    reason = str(error).partition(" was raised from the environment creator")[0]
    name = env_id.id if isinstance(env_id, EnvSpec) else env_id
    return ValueError(f"{name} cannot be made with these options: {reason}")


def reward_weights(environment: Any) -> dict[str, float]:
    """Return the weight of each reward term, by name; other projects have one term, `reward`."""
    reward = reward_of(environment)
    if reward is None:
        return {"reward": 1.0}
    return dict(zip(reward.names, reward.weights, strict=True))


class VectorRunner:
    """Steps a vector environment for one agent, which acts on `observations`."""

    def __init__(self, environments: Any, seed: int) -> None:
        self.environments: VectorEnv[Any, Any, Any] = environments
        self.count = environments.num_envs
        self.mode = environments.metadata.get("autoreset_mode", AutoresetMode.NEXT_STEP)
        self.batch = batch_of(environments)  # None if the environments are not ours
        self.lookahead = make_lookahead(environments)
        self.begin(seed)

    def begin(self, seed: int) -> None:
        """Start a new episode in every environment."""
        self.observations, _ = self.environments.reset(seed=seed)
        self._valid = np.ones(self.count, np.bool_)  # False where the next step is only a reset
        self._lengths = np.zeros(self.count, np.int64)
        self._sums: dict[str, Array] = {"": np.zeros(self.count)}

    def step(self, actions: Array) -> tuple[Step, Episodes | None]:
        """Step every environment; return the step, and the episodes that ended in it, if any."""
        observations, rewards, terminated, truncated, infos = self.environments.step(actions)
        done, valid = terminated | truncated, self._valid
        if self.mode == AutoresetMode.NEXT_STEP:
            self._valid = ~done
        any_done = bool(done.any())
        followed = self._next_observations(observations, infos) if any_done else observations
        before, terms, labels = self.observations, under(TERM_PREFIX, infos), infos.get("answer")
        ends = (terminated, truncated)
        step = Step(before, actions, rewards, terms, *ends, followed, valid, labels)
        self._add_up(step)
        if any_done and self.mode == AutoresetMode.DISABLED:
            observations, _ = self.environments.reset(options={"reset_mask": done})
        self.observations = observations
        return step, self._ended(done, terminated, infos) if any_done else None

    def _next_observations(self, observations: Array, infos: dict[str, Any]) -> Array:
        """Return the observations after the step; where an episode ended, its last one."""
        if self.mode != AutoresetMode.SAME_STEP:
            return observations
        ended, last = infos["_final_obs"], infos["final_obs"]
        if ended.all() and last.dtype == observations.dtype:
            return last  # type: ignore[no-any-return]
        followed, rows = observations.copy(), np.flatnonzero(ended)
        followed[rows] = np.stack(last[rows])  # object arrays in environments that are not ours
        return followed

    def _add_up(self, step: Step) -> None:
        self._lengths += step.valid
        for name, values in (("", step.rewards), *step.terms.items()):
            if name not in self._sums:
                self._sums[name] = np.zeros(self.count)
            np.add(self._sums[name], values, out=self._sums[name], where=step.valid)

    def _ended(self, done: Array, terminated: Array, infos: dict[str, Any]) -> Episodes:
        rows = np.flatnonzero(done)
        sums = {name: values[rows] for name, values in self._sums.items()}
        returns = sums.pop("")
        final = infos.get("final_info", {}) if self.mode == AutoresetMode.SAME_STEP else infos
        scores = np.asarray(final["score"], np.float64)[rows] if "score" in final else returns
        lengths = self._lengths[rows].copy()
        episodes = Episodes(returns, lengths, scores, sums, terminated[rows].copy(), rows)
        self._lengths[rows] = 0
        for values in self._sums.values():
            values[rows] = 0.0
        return episodes

    @property
    def terms(self) -> dict[str, float]:
        """Weight of each reward term, by name."""
        return reward_weights(self.environments)

    @property
    def reward(self) -> WeightedSum | None:
        """Reward of a game of ours; None in all other environments."""
        return reward_of(self.environments)

    @property
    def exact(self) -> bool:
        """Whether the environments can be saved and continue exactly."""
        return self.batch is not None

    def checkpoint(self) -> dict[str, Array]:
        """Return everything that decides how the episodes continue, by name."""
        saved = {f"sums.{name}": values for name, values in self._sums.items()}
        saved["lengths"] = self._lengths
        if self.batch is not None:
            saved |= {f"batch.{name}": values for name, values in self.batch.checkpoint().items()}
        return saved

    def restore(self, saved: dict[str, Array]) -> None:
        """Continue from a checkpoint; the environments must be `exact`.

        Raises:
            ValueError: if it belongs to other environments.
        """
        assert self.batch is not None
        lengths, sums = saved["lengths"], under("sums.", saved)
        for array, dtype in ((lengths, np.int64), *((each, np.float64) for each in sums.values())):
            if array.shape != (self.count,) or array.dtype != dtype:
                raise ValueError("the checkpoint belongs to other environments")
        self.batch.restore(under("batch.", saved))
        self.observations = self.batch.observations.copy()
        self._lengths = lengths.copy()
        self._sums = {"": np.zeros(self.count)} | {name: each.copy() for name, each in sums.items()}
