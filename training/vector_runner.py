"""Environments stepped so that an agent need not know how they begin anew.

Gymnasium's vector environments reset a finished episode in the same step, in the next one, or not
at all (`metadata["autoreset_mode"]`). Here all three become the same `Step`, and episodes are
counted alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv

from agents.agent import Array, Step
from agents.checkpointing import under
from envs.engine.batch import TERM_PREFIX
from envs.engine.capabilities import batch_of
from rewards.kernel import WeightedSum
from rewards.make import reward_of
from training.lookahead import make_lookahead


@dataclass(frozen=True)
class Episodes:
    """Episodes that ended; arrays of one entry each."""

    returns: Array
    """Sums of rewards."""
    lengths: Array
    """Steps."""
    scores: Array
    """The game's own yardstick, or the return where a game has none."""
    terms: dict[str, Array]
    """Sums of each reward term, before weighting."""
    rows: Array
    """Index of the environment that each was played in."""


def make_environments(env_id: str, num_envs: int, options: dict[str, Any]) -> Any:
    """A vector environment, native if there is one; always through `gymnasium.make_vec`.

    Raises:
        ValueError: for options that the environment does not take.
    """
    try:
        return gymnasium.make_vec(env_id, num_envs=num_envs, **options)
    except TypeError as error:
        raise ValueError(f"{env_id} cannot be made with {options}: {error}") from None


def reward_weights(environment: Any) -> dict[str, float]:
    """The weight of each term in the reward of `environment`, one or a vector of them.

    Others' environments have one term that is all of it.
    """
    reward = reward_of(environment)
    return (
        {"reward": 1.0} if reward is None else dict(zip(reward.names, reward.weights, strict=True))
    )


class VectorRunner:
    """Steps a vector environment for one agent; `observations` is what to act on next."""

    def __init__(self, environments: Any, seed: int) -> None:
        self.environments: VectorEnv[Any, Any, Any] = environments
        self.count = environments.num_envs
        self.mode = environments.metadata.get("autoreset_mode", AutoresetMode.NEXT_STEP)
        self.batch = batch_of(environments)  # of our own ones only
        self.lookahead = make_lookahead(environments)
        self.begin(seed)

    def begin(self, seed: int) -> None:
        """Start new episodes everywhere."""
        self.observations, _ = self.environments.reset(seed=seed)
        self._valid = np.ones(self.count, np.bool_)  # not waiting to begin anew
        self._lengths = np.zeros(self.count, np.int64)
        self._sums: dict[str, Array] = {"": np.zeros(self.count)}

    def step(self, actions: Array) -> tuple[Step, Episodes | None]:
        """Act in every environment; also returns the episodes that ended, if any did."""
        observations, rewards, terminated, truncated, infos = self.environments.step(actions)
        done, valid = terminated | truncated, self._valid
        if self.mode == AutoresetMode.NEXT_STEP:
            self._valid = ~done
        any_done = bool(done.any())
        followed = self._what_followed(observations, infos) if any_done else observations
        terms = {
            key.removeprefix(TERM_PREFIX): values
            for key, values in infos.items()
            if key.startswith(TERM_PREFIX)
        }
        step = Step(
            self.observations,
            actions,
            rewards,
            terms,
            terminated,
            truncated,
            followed,
            valid,
            infos.get("answer"),
        )
        self._add_up(step)
        if any_done and self.mode == AutoresetMode.DISABLED:
            observations, _ = self.environments.reset(options={"reset_mask": done})
        self.observations = observations
        return step, self._ended(done, infos) if any_done else None

    def _what_followed(self, observations: Array, infos: dict[str, Any]) -> Array:
        """The observations after the step, of finished episodes the last ones."""
        if self.mode != AutoresetMode.SAME_STEP:
            return observations
        ended, last = infos["_final_obs"], infos["final_obs"]
        if ended.all() and last.dtype == observations.dtype:
            return last  # type: ignore[no-any-return]
        followed, rows = observations.copy(), np.flatnonzero(ended)
        followed[rows] = np.stack(last[rows])  # others' are arrays of arrays
        return followed

    def _add_up(self, step: Step) -> None:
        self._lengths += step.valid
        for name, values in (("", step.rewards), *step.terms.items()):
            if name not in self._sums:
                self._sums[name] = np.zeros(self.count)
            np.add(self._sums[name], values, out=self._sums[name], where=step.valid)

    def _ended(self, done: Array, infos: dict[str, Any]) -> Episodes:
        rows = np.flatnonzero(done)
        sums = {name: values[rows] for name, values in self._sums.items()}
        returns = sums.pop("")
        final = infos.get("final_info", {}) if self.mode == AutoresetMode.SAME_STEP else infos
        scores = np.asarray(final["score"], np.float64)[rows] if "score" in final else returns
        episodes = Episodes(returns, self._lengths[rows].copy(), scores, sums, rows)
        self._lengths[rows] = 0
        for values in self._sums.values():
            values[rows] = 0.0
        return episodes

    @property
    def terms(self) -> dict[str, float]:
        """The weight of each term in the reward."""
        return reward_weights(self.environments)

    @property
    def reward(self) -> WeightedSum | None:
        """The weighted sum that a game of ours was given; None for all others."""
        return reward_of(self.environments)

    @property
    def exact(self) -> bool:
        """Can these environments be saved and go on exactly?"""
        return self.batch is not None

    def checkpoint(self) -> dict[str, Array]:
        """Everything that decides how the episodes go on, by name."""
        saved = {f"sums.{name}": values for name, values in self._sums.items()}
        saved["lengths"] = self._lengths
        if self.batch is not None:
            saved |= {f"batch.{name}": values for name, values in self.batch.checkpoint().items()}
        return saved

    def restore(self, saved: dict[str, Array]) -> None:
        """Go on from a checkpoint, where environments are `exact`."""
        assert self.batch is not None
        self.batch.restore(under("batch.", saved))
        self.observations = self.batch.observations.copy()
        self._lengths = saved["lengths"].copy()
        self._sums = {name: values.copy() for name, values in under("sums.", saved).items()}
