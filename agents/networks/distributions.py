"""Distributions of actions: what a policy samples from.

A policy network returns `outputs` (k, n): k numbers for each of n observations. The batch is the
second axis, so that every operation runs over long rows; PyTorch is slow if the last axis is short.
Acting uses NumPy, which is faster on so few numbers; learning uses PyTorch.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from gymnasium import spaces
from torch import Tensor

from agents import ranks
from agents.agent import Array, UnsuitableTaskError

HALF_LOG_TAU = 0.5 * math.log(2 * math.pi)
SMALLEST = np.finfo(np.float32).tiny

UNBOUNDED = 1e6  # numbers with bounds beyond this count as unbounded


class BoxScale:
    """Converts between -1..1 and the bounds of a space; unbounded numbers stay."""

    def __init__(self, space: spaces.Box) -> None:
        self._space = space
        low, high = space.low.astype(np.float64), space.high.astype(np.float64)
        bounded = (np.maximum(np.abs(low), np.abs(high)) < UNBOUNDED) & (low < high)
        low, high = np.where(bounded, low, -1.0), np.where(bounded, high, 1.0)
        self.centre = np.asarray((low + high) / 2, np.float32)
        self.half_width = np.asarray((high - low) / 2, np.float32)

    def to_environment(self, actions: Array) -> Array:
        """Scale actions (n, k) from -1..1 to the space's bounds, and clip them to the bounds."""
        scaled = self.centre + self.half_width * actions.reshape(-1, *self._space.shape)
        return np.asarray(np.clip(scaled, self._space.low, self._space.high), self._space.dtype)

    def to_unit(self, actions: Array) -> Array:
        """Scale the environment's actions (n, ...) to -1..1, (n, k)."""
        unit: Array = (actions - self.centre) / self.half_width
        return unit.reshape(len(actions), -1)


class Categorical:
    """Discrete actions; `outputs` are logits."""

    action_dtype = np.int64
    action_shape = ()

    def __init__(self, space: spaces.Discrete) -> None:
        self.outputs = int(space.n)
        self.parameters = 0
        self._start = int(space.start)

    def noise(self, shape: tuple[int, ...], generator: np.random.Generator) -> Array:
        """Return exponential variables (n, k) for outputs of shape (k, n); they decide the sample.

        Outputs of shape (k, n, m), for several actions in each state, get noise (m, n, k).
        """
        noise = ranks.sampled(
            lambda each: generator.standard_exponential(each, np.float32), shape, axis=1
        )
        return noise.T

    def with_noise(self, outputs: Array, log_std: Array, noise: Array) -> Array:
        """Return the actions (n,) that `noise` (n, k) samples, by the Gumbel-max trick."""
        sampled: Array = (outputs - np.log(noise.T + SMALLEST)).argmax(0)
        return sampled

    def sample(self, outputs: Array, log_std: Array, generator: np.random.Generator) -> Array:
        """Sample actions (n,), or more of them (n, ...) for logits (k, n, ...)."""
        return self.with_noise(outputs, log_std, self.noise(outputs.shape, generator))

    def mode(self, outputs: Array) -> Array:
        """Return the most likely actions (n,)."""
        actions: Array = outputs.argmax(0)
        return actions

    def log_prob(self, outputs: Tensor, actions: Tensor, log_std: Tensor) -> Tensor:
        """Return log pi(a|s) (n,)."""
        return outputs.log_softmax(0).gather(0, actions[None])[0]

    def entropy(self, outputs: Tensor, log_std: Tensor) -> Tensor:
        """Return the entropy (n,) of pi(.|s)."""
        log_probs = outputs.log_softmax(0)
        return -(log_probs.exp() * log_probs).sum(0)

    def to_environment(self, actions: Array) -> Array:
        """Return actions as numbered by the action space."""
        numbered: Array = actions + self._start
        return numbered

    def from_environment(self, actions: Array) -> Array:
        """Convert the environment's actions, or a dataset's labels, to indices from 0."""
        indices: Array = actions - self._start
        return indices


class Gaussian:
    """Continuous actions; `outputs` are means, scaled so that the action space is -1..1.

    The standard deviations do not depend on the state. Actions are clipped only for the
    environment, so that their log-probabilities remain those of the Gaussian.
    """

    action_dtype = np.float32

    def __init__(self, space: spaces.Box) -> None:
        self.outputs = self.parameters = int(np.prod(space.shape))
        self.action_shape = (self.outputs,)
        self._scale = BoxScale(space)

    def noise(self, shape: tuple[int, ...], generator: np.random.Generator) -> Array:
        """Return normal variables (n, k) for outputs of shape (k, n); they decide the sample."""
        noise = ranks.sampled(
            lambda each: generator.standard_normal(each, np.float32), shape, axis=1
        )
        return noise.T

    def with_noise(self, outputs: Array, log_std: Array, noise: Array) -> Array:
        """Return the actions (n, k) that `noise` (n, k) samples."""
        sampled: Array = (outputs + np.exp(log_std)[:, None] * noise.T).T
        return sampled

    def sample(self, outputs: Array, log_std: Array, generator: np.random.Generator) -> Array:
        """Sample actions (n, k)."""
        return self.with_noise(outputs, log_std, self.noise(outputs.shape, generator))

    def mode(self, outputs: Array) -> Array:
        """Return the means (n, k)."""
        return outputs.T

    def log_prob(self, outputs: Tensor, actions: Tensor, log_std: Tensor) -> Tensor:
        """Return log pi(a|s) (n,)."""
        deviations = (actions.T - outputs) * (-log_std).exp()[:, None]
        return -0.5 * deviations.square().sum(0) - (log_std + HALF_LOG_TAU).sum()

    def entropy(self, outputs: Tensor, log_std: Tensor) -> Tensor:
        """Return the entropy (n,) of pi(.|s)."""
        return (log_std + HALF_LOG_TAU + 0.5).sum().expand(outputs.shape[1])

    def to_environment(self, actions: Array) -> Array:
        """Return actions scaled to the action space and clipped to its bounds."""
        return self._scale.to_environment(actions)

    def from_environment(self, actions: Array) -> Array:
        """Return the environment's actions, such as labels, scaled to -1..1."""
        return self._scale.to_unit(actions)


def make_distribution(space: spaces.Space[Any]) -> Categorical | Gaussian:
    """Return the distribution for an action space.

    Raises:
        UnsuitableTaskError: if the space is neither `Discrete` nor a float `Box`.
    """
    if isinstance(space, spaces.Discrete):
        return Categorical(space)
    if isinstance(space, spaces.Box) and np.issubdtype(space.dtype, np.floating):
        return Gaussian(space)
    raise UnsuitableTaskError(f"actions must be a Discrete or a float Box space, got {space}")
