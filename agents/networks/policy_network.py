"""Policies as one network, from observations to actions, for export to other programs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from torch import Tensor, nn

from agents.networks.distributions import BoxScale


class PolicyNetwork(nn.Module):
    """Computes what an agent's `act(explore=False)` returns."""

    def __init__(
        self,
        network: nn.Module,
        outputs: Callable[[Any, Tensor], Tensor],
        choose: nn.Module,
    ) -> None:
        """Compute `choose(outputs(network, observations))` of outputs (k, n)."""
        super().__init__()
        self.network = network
        self._outputs = outputs
        self.choose = choose

    def forward(self, observations: Tensor) -> Tensor:
        """Map observations (n, ...) of the environment's dtype to its actions (n, ...)."""
        if observations.dtype != torch.uint8:
            observations = observations.float()
        actions: Tensor = self.choose(self._outputs(self.network, observations))
        return actions


class Best(nn.Module):
    """Chooses the discrete action with the largest output, as `Categorical` does."""

    def __init__(self, space: spaces.Discrete) -> None:
        super().__init__()
        self._start = int(space.start)

    def forward(self, outputs: Tensor) -> Tensor:
        """Map outputs (k, n) to actions (n,), int64."""
        return outputs.argmax(0) + self._start


class BestCandidate(nn.Module):
    """Chooses the candidate action with the largest output."""

    def __init__(self, candidates: Tensor) -> None:
        """Choose among `candidates` (k, ...)."""
        super().__init__()
        self.candidates: Tensor
        self.register_buffer("candidates", candidates)

    def forward(self, outputs: Tensor) -> Tensor:
        """Map outputs (k, n) to actions (n, ...)."""
        return self.candidates[outputs.argmax(0)]


class ScaledToBounds(nn.Module):
    """Scales outputs of -1..1 to the bounds of an action space, as `Gaussian` does."""

    def __init__(self, space: spaces.Box) -> None:
        super().__init__()
        self.centre: Tensor
        self.half_width: Tensor
        self.low: Tensor
        self.high: Tensor
        scale, self._shape = BoxScale(space), space.shape
        self._dtype = torch.from_numpy(np.zeros(0, space.dtype)).dtype
        for name, bound in {
            "centre": scale.centre,
            "half_width": scale.half_width,
            "low": space.low,
            "high": space.high,
        }.items():
            self.register_buffer(name, torch.from_numpy(bound.copy()))

    def forward(self, outputs: Tensor) -> Tensor:
        """Map outputs (k, n) to actions (n, ...)."""
        scaled = self.centre + self.half_width * outputs.T.reshape(-1, *self._shape)
        return scaled.clamp(self.low, self.high).to(self._dtype)


def best_in(space: spaces.Space[Any]) -> nn.Module:
    """Return the module from outputs (k, n) to actions (n, ...) of a Discrete or Box space."""
    if isinstance(space, spaces.Discrete):
        return Best(space)
    assert isinstance(space, spaces.Box)
    return ScaledToBounds(space)
