"""Parts of networks whose input is an observation together with an action."""

from __future__ import annotations

import math
from typing import Any, TypeGuard

import numpy as np
import torch
from gymnasium import spaces
from torch import Tensor, nn

from agents.networks.backbones import make_backbone, orthogonal
from agents.networks.distributions import UNBOUNDED, BoxScale


def is_bounded_box(space: spaces.Space[Any]) -> TypeGuard[spaces.Box]:
    """Return whether a space is a float Box with bounds."""
    return (
        isinstance(space, spaces.Box)
        and np.issubdtype(space.dtype, np.floating)
        and bool((np.abs([space.low, space.high]) < UNBOUNDED).all())
    )


class Scaled(nn.Module):
    """Scales vectors to -1..1 by the bounds of their space; unbounded numbers stay."""

    def __init__(self, space: spaces.Box) -> None:
        super().__init__()
        self.centre: Tensor
        self.half_width: Tensor
        scale = BoxScale(space)
        self.register_buffer("centre", torch.from_numpy(scale.centre))
        self.register_buffer("half_width", torch.from_numpy(scale.half_width))

    def forward(self, vectors: Tensor) -> Tensor:
        """Map (n, k) to (n, k)."""
        return (vectors - self.centre) / self.half_width


def make_encoder(
    space: spaces.Space[Any], width: int, generator: torch.Generator
) -> tuple[nn.Module, int]:
    """Return scaling (vectors) or a backbone (screens), (n, *space.shape) to (n, k), and k.

    Raises:
        UnsuitableTaskError: if `make_backbone` does not serve `space`.
    """
    if isinstance(space, spaces.Box) and len(space.shape) == 1:
        return Scaled(space), space.shape[0]
    return make_backbone(space, width, generator), width


def mlp(
    inputs: int, width: int, outputs: int, last_gain: float, generator: torch.Generator
) -> nn.Sequential:
    """Return an MLP with two hidden layers and ReLU; the last layer's weights have `last_gain`."""
    sizes = ((inputs, width), (width, width), (width, outputs))
    first, second, last = (nn.Linear(*size) for size in sizes)
    for layer, gain in ((first, math.sqrt(2.0)), (second, math.sqrt(2.0)), (last, last_gain)):
        orthogonal(layer, gain, generator)
    return nn.Sequential(first, nn.ReLU(), second, nn.ReLU(), last)
