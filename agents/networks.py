"""Networks from observations to features: one body for vectors, one for screens."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from torch import Tensor, nn

from agents.agent import UnsuitableTaskError


def make_body(space: spaces.Space[Any], width: int, generator: torch.Generator) -> nn.Module:
    """A body (n, *space.shape) -> (n, width).

    Raises:
        UnsuitableTaskError: if `space` is neither a float vector nor a stack of uint8 screens.
    """
    if isinstance(space, spaces.Box) and len(space.shape) == 1:
        return _initialised(vector_body(space.shape[0], width), generator)
    if isinstance(space, spaces.Box) and len(space.shape) == 3 and space.dtype == np.uint8:
        return _initialised(screen_body(space.shape, width), generator)
    raise UnsuitableTaskError(
        f"observations {space} cannot be served; what can are vectors (Box of one dimension) and "
        "screens (uint8 Box of frames x height x width)"
    )


def vector_body(inputs: int, width: int) -> nn.Module:
    """Two layers; ReLU takes a tenth of the time that tanh does."""
    return nn.Sequential(nn.Linear(inputs, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU())


def screen_body(shape: tuple[int, ...], width: int) -> nn.Module:
    """Two strided convolutions and a linear layer; bytes become 0..1 inside."""
    frames, height, rows = shape[0], shape[1], shape[2]
    convolutions = nn.Sequential(
        nn.Conv2d(frames, 16, 8, stride=4), nn.ReLU(), nn.Conv2d(16, 32, 4, stride=2), nn.ReLU()
    )
    features = convolutions(torch.zeros(1, frames, height, rows)).numel()
    return nn.Sequential(
        ToUnit(), convolutions, nn.Flatten(), nn.Linear(features, width), nn.ReLU()
    )


class ToUnit(nn.Module):
    """uint8 0..255 to float32 0..1."""

    def forward(self, screens: Tensor) -> Tensor:
        """(n, frames, height, width) of either dtype to float32."""
        return screens.float() / 255.0


def _initialised(body: nn.Module, generator: torch.Generator) -> nn.Module:
    """Orthogonal weights with gain sqrt(2) and no biases, as is usual for PPO."""
    for module in body.modules():
        if isinstance(module, (nn.Linear, nn.Conv2d)):
            orthogonal(module, math.sqrt(2.0), generator)
    return body


def orthogonal(layer: nn.Module, gain: float, generator: torch.Generator) -> None:
    """Orthogonal weights (Saxe et al. 2014), zero biases."""
    assert isinstance(layer.weight, Tensor)
    assert isinstance(layer.bias, Tensor)
    nn.init.orthogonal_(layer.weight, gain, generator)
    nn.init.zeros_(layer.bias)
