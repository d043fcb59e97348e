"""Statistics of the rewards and observations of training, over windows of about 4,096 steps.

Curves of episodes have no point before the first episodes end. These show from the beginning what
the agent is paid and what it sees: whether there is any reward, which term pays most, and whether
observations are constant, huge or not numbers at all.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from agents.agent import Array, Step

WINDOW = 4_096
"""Environment steps in a window, of all environments together."""
OBSERVATIONS = 64
"""Least number of observations that a window looks at, spread over its steps."""


class StepMeasures:
    """Collects the steps of `count` environments, and measures each window once it is full."""

    def __init__(self, count: int, weights: dict[str, float]) -> None:
        """Measure the share of each reward term if `weights` has several, by name."""
        self._shape = (math.ceil(WINDOW / count), count)
        self._rewards = np.zeros(self._shape)
        self._valid = np.zeros(self._shape, np.bool_)
        self._weights = weights if len(weights) > 1 else {}
        self._terms = {name: np.zeros(self._shape) for name in self._weights}
        self._seen: list[Array] = []
        self._every = max(1, self._shape[0] // math.ceil(OBSERVATIONS / count))
        self._length = 0

    def add(self, step: Step) -> dict[str, float] | None:
        """Add a step; return the measures by TensorBoard tag if it completes a window."""
        t = self._length
        self._rewards[t], self._valid[t] = step.rewards, step.valid
        for name, terms in self._terms.items():
            terms[t] = step.terms[name]
        if t % self._every == 0 and _is_numeric(step.observations):
            self._seen.append(step.observations.copy())
        self._length += 1
        return self.measure() if self._length == len(self._rewards) else None

    def measure(self) -> dict[str, float]:
        """Return the measures of the present window, and begin the next one."""
        valid = self._valid[: self._length]
        rewards = self._rewards[: self._length][valid]
        found = _of_rewards(rewards) if rewards.size else {}
        pay = {
            name: abs(self._weights[name]) * float(np.abs(terms[: self._length][valid]).sum())
            for name, terms in self._terms.items()
        }
        total = sum(pay.values())
        found |= {f"rollout/share/{name}": paid / total for name, paid in pay.items() if total}
        if self._seen:
            found |= _of_observations(np.concatenate(self._seen))
        self._length, self._seen = 0, []
        return found

    def checkpoint(self) -> dict[str, Array]:
        """Return the unfinished window, by name."""
        terms = {f"term.{name}": each[: self._length] for name, each in self._terms.items()}
        seen = {"seen": np.stack(self._seen)} if self._seen else {}
        rows = {"rewards": self._rewards[: self._length], "valid": self._valid[: self._length]}
        return rows | terms | seen

    def restore(self, saved: dict[str, Array]) -> None:
        """Continue with the window in `saved`; earlier versions saved none, and a new one begins.

        Raises:
            ValueError: if it belongs to other environments.
        """
        self._length, self._seen = 0, []
        if not saved:
            return
        names = {"rewards": self._rewards, "valid": self._valid}
        names |= {f"term.{name}": each for name, each in self._terms.items()}
        length, seen = len(saved["rewards"]), saved.get("seen", np.zeros((0, self._shape[1])))
        expected = len(range(0, length, self._every)) if "seen" in saved else 0
        if length >= len(self._rewards) or seen.shape[:2] != (expected, self._shape[1]):
            raise ValueError("the checkpoint belongs to other environments")
        for name, array in names.items():
            rows = saved[name]
            if rows.shape != (length, self._shape[1]) or rows.dtype != array.dtype:
                raise ValueError("the checkpoint belongs to other environments")
            array[:length] = rows
        self._length, self._seen = length, [each.copy() for each in seen]


def _is_numeric(observations: Any) -> bool:
    return isinstance(observations, np.ndarray) and observations.dtype.kind in "fiub"


def _of_rewards(rewards: Array) -> dict[str, float]:
    return {
        "rollout/rew_mean": float(rewards.mean()),
        "rollout/rew_std": float(rewards.std()),
        "rollout/rew_min": float(rewards.min()),
        "rollout/rew_max": float(rewards.max()),
        "rollout/rew_nonzero": float(np.count_nonzero(rewards) / rewards.size),
    }


def _of_observations(seen: Array) -> dict[str, float]:
    """Return measures of observations (m, ...): of their components, and the worst of each."""
    rows = seen.reshape(len(seen), -1).astype(np.float64)
    if seen.dtype == np.uint8:
        rows /= 255.0  # as networks see screens
    finite = np.isfinite(rows)
    rows = np.where(finite, rows, 0.0)
    return {
        "rollout/obs_rms": float(np.sqrt(np.square(rows).mean(0)).max()),
        "rollout/obs_max": float(np.abs(rows).max()),
        "rollout/obs_constant": float((np.ptp(rows, axis=0) == 0.0).mean()),
        "rollout/obs_not_finite": float(1.0 - finite.mean()),
    }
