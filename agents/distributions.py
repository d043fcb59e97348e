"""What a policy draws its actions from.

A policy network answers with `outputs` (k, n): numbers along the first axis, the batch along the
second, so that every operation runs over long rows. Few numbers in the last axis are slow in torch.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from torch import Tensor

from agents.agent import UnsuitableTaskError

HALF_LOG_TAU = 0.5 * math.log(2 * math.pi)


class Categorical:
    """Discrete actions; `outputs` are logits."""

    action_dtype = np.int64
    action_shape = ()

    def __init__(self, space: spaces.Discrete) -> None:
        self.outputs = int(space.n)
        self.parameters = 0
        self._start = int(space.start)

    def sample(self, outputs: Tensor, log_std: Tensor, generator: torch.Generator) -> Tensor:
        """Draw actions (n,): the race of exponential clocks, which is the Gumbel-max trick."""
        clocks = torch.empty_like(outputs).exponential_(generator=generator)
        return (outputs - clocks.log_()).max(0).indices

    def mode(self, outputs: Tensor) -> Tensor:
        """The likeliest actions (n,)."""
        return outputs.max(0).indices  # which takes a quarter of the time of argmax

    def log_prob_and_entropy(
        self, outputs: Tensor, actions: Tensor, log_std: Tensor
    ) -> tuple[Tensor, Tensor]:
        """log pi(a|s) and the entropy of pi(.|s), both (n,)."""
        log_probs = outputs.log_softmax(0)
        entropy = -(log_probs.exp() * log_probs).sum(0)
        return log_probs.gather(0, actions[None])[0], entropy

    def to_environment(self, actions: Tensor) -> np.ndarray[Any, Any]:
        """As the action space counts them."""
        return np.asarray(actions.numpy(force=True) + self._start)


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

    def sample(self, outputs: Tensor, log_std: Tensor, generator: torch.Generator) -> Tensor:
        """Draw actions (n, k)."""
        noise = torch.empty_like(outputs).normal_(generator=generator)
        return (outputs + log_std.exp()[:, None] * noise).T

    def mode(self, outputs: Tensor) -> Tensor:
        """The means (n, k)."""
        return outputs.T

    def log_prob_and_entropy(
        self, outputs: Tensor, actions: Tensor, log_std: Tensor
    ) -> tuple[Tensor, Tensor]:
        """log pi(a|s) and the entropy of pi(.|s), both (n,)."""
        deviations = (actions.T - outputs) * (-log_std).exp()[:, None]
        normaliser = (log_std + HALF_LOG_TAU).sum()
        entropy = (normaliser + 0.5 * len(log_std)).expand(outputs.shape[1])
        return -0.5 * deviations.square().sum(0) - normaliser, entropy

    def to_environment(self, actions: Tensor) -> np.ndarray[Any, Any]:
        """Scaled to the action space and clipped to its bounds."""
        shape = (len(actions), *self._space.shape)
        scaled = self._centre + self._half * actions.numpy(force=True).reshape(shape)
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
