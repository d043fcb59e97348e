"""Backbones: networks from observations to features, for vectors and for screens."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from torch import Tensor, nn
from torch.nn import functional

from agents.agent import UnsuitableTaskError

FILTERS = 16  # of the first convolution; the others have twice as many
KERNEL = 8  # side of the first filters in pixels, and of the smallest screen
LARGEST_MAP = 10  # side of the feature map before the linear layer, at most


def make_backbone(
    space: spaces.Space[Any], width: int, generator: torch.Generator, recurrent: bool = False
) -> nn.Module:
    """Return a backbone, (n, *space.shape) to (n, width).

    Rows of vectors are concatenated; with `recurrent`, they are read one after another.

    Raises:
        UnsuitableTaskError: if `space` has neither vectors, nor rows of float vectors, nor stacks
            of uint8 screens; or if there are no rows for a `recurrent` backbone to read.
    """
    if recurrent:
        if not isinstance(space, spaces.Box) or not _is_rows(space):
            raise UnsuitableTaskError(
                "--recurrent needs rows of float vectors, oldest first, which --env-options "
                f"history=8 gives; got {space}"
            )
        return _initialised(RecurrentBackbone(space.shape[1], width), generator)
    if isinstance(space, spaces.Box) and (len(space.shape) == 1 or _is_rows(space)):
        return _initialised(VectorBackbone(math.prod(space.shape), width), generator)
    if isinstance(space, spaces.Box) and _is_screens(space):
        return _initialised(screen_backbone(space.shape, width), generator)
    raise UnsuitableTaskError(
        "observations must be vectors (a Box of one dimension), rows of float vectors (of two) or "
        f"screens (a uint8 Box of frames x height x width, with sides of at least {KERNEL}), got "
        f"{space}"
    )


def _is_rows(space: spaces.Box) -> bool:
    return len(space.shape) == 2 and np.issubdtype(space.dtype, np.floating)


def _is_screens(space: spaces.Box) -> bool:
    return len(space.shape) == 3 and min(space.shape[1:]) >= KERNEL and space.dtype == np.uint8


class VectorBackbone(nn.Module):
    """Two layers with ReLU, which takes a tenth of the time of tanh."""

    def __init__(self, inputs: int, width: int) -> None:
        super().__init__()
        self.first = nn.Linear(inputs, width)
        self.second = nn.Linear(width, width)

    def forward(self, vectors: Tensor) -> Tensor:
        """Map (n, inputs) or (n, rows, columns) to (n, width)."""
        first, second = self.first, self.second  # faster than calling modules
        hidden = functional.linear(vectors.flatten(1), first.weight, first.bias).relu_()
        return functional.linear(hidden, second.weight, second.bias).relu_()


class RecurrentBackbone(nn.Module):
    """A gated recurrent unit (GRU) that reads rows, oldest first (Cho et al., arXiv 1406.1078).

    It begins with a state of zeros at the oldest row, so an observation is all that it remembers.
    """

    def __init__(self, columns: int, width: int) -> None:
        super().__init__()
        self.unit = nn.GRU(columns, width, batch_first=True)

    def forward(self, rows: Tensor) -> Tensor:
        """Map (n, rows, columns) to its state after the last row, (n, width)."""
        states: Tensor = self.unit(rows)[0]  # (n, rows, width)
        return states[:, -1]


def screen_backbone(shape: tuple[int, ...], width: int) -> nn.Module:
    """Return a convolution of stride 4, more of stride 2 for large screens, and a linear layer.

    Training on a 2 x 24 x 24 screen takes 9 microseconds on one thread. Windows without overlap
    take 6 and a linear layer over all pixels 7, but both learn less from as many screens.
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
    """Scales uint8 0..255 to float32 0..1."""

    def forward(self, screens: Tensor) -> Tensor:
        """Map (n, frames, height, width) of any dtype to float32; in place is a sixth faster."""
        return screens.to(torch.float32, copy=True).div_(255.0)


def _initialised(backbone: nn.Module, generator: torch.Generator) -> nn.Module:
    """Return `backbone` with orthogonal weights and zero biases, usual in PPO.

    The gain is sqrt(2) before a ReLU, and 1 in a GRU, whose parts have saturating activations.
    """
    for module in backbone.modules():
        if isinstance(module, (nn.Linear, nn.Conv2d)):
            orthogonal(module, math.sqrt(2.0), generator)
        if isinstance(module, nn.GRU):
            for parameter in module.parameters():
                if parameter.ndim == 1:
                    nn.init.zeros_(parameter)
                else:
                    for part in parameter.detach().chunk(3):  # reset gate, update gate, new state
                        nn.init.orthogonal_(part, 1.0, generator)
    return backbone


def orthogonal(layer: nn.Module, gain: float, generator: torch.Generator) -> None:
    """Set orthogonal weights (Saxe et al., ICLR 2014) and zero biases."""
    assert isinstance(layer.weight, Tensor)
    assert isinstance(layer.bias, Tensor)
    nn.init.orthogonal_(layer.weight, gain, generator)
    nn.init.zeros_(layer.bias)


def flatten(network: nn.Module) -> nn.Parameter:
    """Move all parameters of `network` and their gradients into one vector, and return it.

    Gradient clipping and the optimizer's step are then a few large operations instead of many small
    ones. The vector's gradient must be set to zero in place, never to None.
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
