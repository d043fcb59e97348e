"""Networks from observations to features: one backbone for vectors, one for screens."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from torch import Tensor, nn
from torch.nn import functional

from agents.agent import UnsuitableTaskError

FILTERS = 16  # of the first layer of a backbone for screens; twice as many in each further one
KERNEL = 8  # pixels to a side that each of them looks at, which is also the smallest screen
LARGEST_MAP = 10  # places to a side that are left for the linear layer


def make_backbone(space: spaces.Space[Any], width: int, generator: torch.Generator) -> nn.Module:
    """A backbone (n, *space.shape) -> (n, width); rows of vectors are looked at as one long vector.

    Raises:
        UnsuitableTaskError: if `space` is neither a vector, nor rows of float vectors, nor a stack
            of uint8 screens.
    """
    if isinstance(space, spaces.Box) and (len(space.shape) == 1 or _is_rows(space)):
        return _initialised(VectorBackbone(math.prod(space.shape), width), generator)
    if isinstance(space, spaces.Box) and _is_screens(space):
        return _initialised(screen_backbone(space.shape, width), generator)
    raise UnsuitableTaskError(
        f"observations {space} cannot be served; what can are vectors (Box of one dimension), rows "
        "of float vectors (of two) and screens (uint8 Box of frames x height x width, the sides at "
        f"least {KERNEL})"
    )


def _is_rows(space: spaces.Box) -> bool:
    return len(space.shape) == 2 and np.issubdtype(space.dtype, np.floating)


def _is_screens(space: spaces.Box) -> bool:
    return len(space.shape) == 3 and min(space.shape[1:]) >= KERNEL and space.dtype == np.uint8


class VectorBackbone(nn.Module):
    """Two layers; ReLU takes a tenth of the time that tanh does."""

    def __init__(self, inputs: int, width: int) -> None:
        super().__init__()
        self.first = nn.Linear(inputs, width)
        self.second = nn.Linear(width, width)

    def forward(self, vectors: Tensor) -> Tensor:
        """(n, inputs), or (n, rows, columns), to (n, width)."""
        first, second = self.first, self.second  # not called as modules, which takes longer
        hidden = functional.linear(vectors.flatten(1), first.weight, first.bias).relu_()
        return functional.linear(hidden, second.weight, second.bias).relu_()


def screen_backbone(shape: tuple[int, ...], width: int) -> nn.Module:
    """A convolution of stride 4, as many more as a large screen needs, and a linear layer.

    Chosen by measurement on paddle-and-ball's 24 x 24 x 2 bytes, where it is one convolution, one
    thread, microseconds to learn from a screen once: this one 9, in PyTorch's channels-last order
    15, as one matrix multiplication over copied windows 17. Windows that do not overlap take 6, a
    linear layer over all the pixels 7, but both learn less from as many screens.
    """
    layers = [ToUnit(), nn.Conv2d(shape[0], FILTERS, KERNEL, stride=4), nn.ReLU(inplace=True)]
    maps = nn.Sequential(*layers)(torch.zeros(1, *shape))
    while max(maps.shape[2:]) > LARGEST_MAP and min(maps.shape[2:]) >= 4:
        further = [nn.Conv2d(maps.shape[1], 2 * FILTERS, 4, stride=2), nn.ReLU(inplace=True)]
        maps = nn.Sequential(*further)(maps)
        layers += further
    linear = nn.Linear(maps.numel(), width)
    return nn.Sequential(*layers, nn.Flatten(), linear, nn.ReLU(inplace=True))


class ToUnit(nn.Module):
    """uint8 0..255 to float32 0..1."""

    def forward(self, screens: Tensor) -> Tensor:
        """(n, frames, height, width) of either dtype to float32; in place saves a sixth."""
        return screens.to(torch.float32, copy=True).div_(255.0)


def _initialised(backbone: nn.Module, generator: torch.Generator) -> nn.Module:
    """Orthogonal weights with gain sqrt(2) and no biases, as is usual for PPO."""
    for module in backbone.modules():
        if isinstance(module, (nn.Linear, nn.Conv2d)):
            orthogonal(module, math.sqrt(2.0), generator)
    return backbone


def orthogonal(layer: nn.Module, gain: float, generator: torch.Generator) -> None:
    """Orthogonal weights (Saxe et al. 2014), zero biases."""
    assert isinstance(layer.weight, Tensor)
    assert isinstance(layer.bias, Tensor)
    nn.init.orthogonal_(layer.weight, gain, generator)
    nn.init.zeros_(layer.bias)


def flatten(network: nn.Module) -> nn.Parameter:
    """Lay all parameters of `network`, and their gradients, into one vector, and return it.

    They become views of it, so that clipping and an optimizer's step are few large operations
    instead of many small ones. Set the vector's gradient to zero in place, never to None.
    """
    parameters = list(network.parameters())
    vector = nn.Parameter(nn.utils.parameters_to_vector(parameters).detach())
    vector.grad = torch.zeros_like(vector)
    start = 0
    for parameter in parameters:
        part = slice(start, start + parameter.numel())
        parameter.data = vector.data[part].view_as(parameter)
        parameter.grad = vector.grad[part].view_as(parameter)
        start = part.stop
    return vector
