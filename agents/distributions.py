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


class Gaussian:
    """Continuous actions; `outputs` are means, in units in which the action space is -1..1.

    The spread does not depend on the state. Actions are clipped only on their way to the
    environment, so that their log-probabilities stay those of the Gaussian.
    """

    action_dtype = np.float32

    def __init__(self, space: spaces.Box) -> None:
        self.outputs = self.parameters = int(np.prod(space.shape))
        self.action_shape = (self.outputs,)
        self._space = space
        bounded = np.isfinite(space.low) & np.isfinite(space.high)
        low, high = np.where(bounded, space.low, -1.0), np.where(bounded, space.high, 1.0)
        self._centre, self._half = (low + high) / 2, (high - low) / 2

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
        shape = (len(actions), *self._space.shape)
        scaled = self._centre + self._half * actions.reshape(shape)
        return np.asarray(np.clip(scaled, self._space.low, self._space.high), self._space.dtype)


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
