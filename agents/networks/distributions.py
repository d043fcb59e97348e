"""What a policy draws its actions from.

A policy network answers with `outputs` (k, n): numbers along the first axis, the batch along the
second, so that every operation runs over long rows. Few numbers in the last axis are slow in torch.
To act, they are NumPy's, which is quicker on so few numbers; to learn, torch's.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from gymnasium import spaces
from torch import Tensor

from agents.agent import Array, UnsuitableTaskError

HALF_LOG_TAU = 0.5 * math.log(2 * math.pi)
SMALLEST = np.finfo(np.float32).tiny

UNBOUNDED = 1e6  # what may be larger than this has no scale


class BoxScale:
    """Between -1..1 and the bounds of a space; numbers without bounds stay as they are."""

    def __init__(self, space: spaces.Box) -> None:
        self._space = space
        low, high = space.low.astype(np.float64), space.high.astype(np.float64)
        bounded = (np.maximum(np.abs(low), np.abs(high)) < UNBOUNDED) & (low < high)
        low, high = np.where(bounded, low, -1.0), np.where(bounded, high, 1.0)
        self.centre = np.asarray((low + high) / 2, np.float32)
        self.half_width = np.asarray((high - low) / 2, np.float32)

    def to_environment(self, actions: Array) -> Array:
        """From -1..1 (n, k) to the bounds and shape of the space; what lies outside is clipped."""
        scaled = self.centre + self.half_width * actions.reshape(-1, *self._space.shape)
        return np.asarray(np.clip(scaled, self._space.low, self._space.high), self._space.dtype)

    def to_unit(self, actions: Array) -> Array:
        """The way back, (n, k)."""
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

    def sample(self, outputs: Array, log_std: Array, generator: np.random.Generator) -> Array:
        """Draw actions (n,): the race of exponential clocks, which is the Gumbel-max trick."""
        clocks = generator.standard_exponential(outputs.shape, np.float32)
        drawn: Array = (outputs - np.log(clocks + SMALLEST)).argmax(0)
        return drawn

    def mode(self, outputs: Array) -> Array:
        """The likeliest actions (n,)."""
        likeliest: Array = outputs.argmax(0)
        return likeliest

    def log_prob(self, outputs: Tensor, actions: Tensor, log_std: Tensor) -> Tensor:
        """log pi(a|s), (n,)."""
        return outputs.log_softmax(0).gather(0, actions[None])[0]

    def entropy(self, outputs: Tensor, log_std: Tensor) -> Tensor:
        """Of pi(.|s), (n,)."""
        log_probs = outputs.log_softmax(0)
        return -(log_probs.exp() * log_probs).sum(0)

    def to_environment(self, actions: Array) -> Array:
        """As the action space counts them."""
        counted: Array = actions + self._start
        return counted

    def from_environment(self, actions: Array) -> Array:
        """The way back: actions that somebody else chose."""
        uncounted: Array = actions - self._start
        return uncounted


class Gaussian:
    """Continuous actions; `outputs` are means, in units in which the action space is -1..1.

    The spread does not depend on the state. Actions are clipped only on their way to the
    environment, so that their log-probabilities stay those of the Gaussian.
    """

    action_dtype = np.float32

    def __init__(self, space: spaces.Box) -> None:
        self.outputs = self.parameters = int(np.prod(space.shape))
        self.action_shape = (self.outputs,)
        self._scale = BoxScale(space)

    def sample(self, outputs: Array, log_std: Array, generator: np.random.Generator) -> Array:
        """Draw actions (n, k)."""
        noise = generator.standard_normal(outputs.shape, np.float32)
        drawn: Array = (outputs + np.exp(log_std)[:, None] * noise).T
        return drawn

    def mode(self, outputs: Array) -> Array:
        """The means (n, k)."""
        return outputs.T

    def log_prob(self, outputs: Tensor, actions: Tensor, log_std: Tensor) -> Tensor:
        """log pi(a|s), (n,)."""
        deviations = (actions.T - outputs) * (-log_std).exp()[:, None]
        return -0.5 * deviations.square().sum(0) - (log_std + HALF_LOG_TAU).sum()

    def entropy(self, outputs: Tensor, log_std: Tensor) -> Tensor:
        """Of pi(.|s), (n,)."""
        return (log_std + HALF_LOG_TAU + 0.5).sum().expand(outputs.shape[1])

    def to_environment(self, actions: Array) -> Array:
        """Scaled to the action space and clipped to its bounds."""
        return self._scale.to_environment(actions)

    def from_environment(self, actions: Array) -> Array:
        """The way back: actions that somebody else chose."""
        return self._scale.to_unit(actions)


def make_distribution(space: spaces.Space[Any]) -> Categorical | Gaussian:
    """The distribution for an action space.

    Raises:
        UnsuitableTaskError: if it is neither `Discrete` nor a float `Box`.
    """
    if isinstance(space, spaces.Discrete):
        return Categorical(space)
    if isinstance(space, spaces.Box) and np.issubdtype(space.dtype, np.floating):
        return Gaussian(space)
    raise UnsuitableTaskError(
        f"actions {space} cannot be served; what can are Discrete and float Box spaces"
    )
