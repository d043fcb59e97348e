"""The waist of an autoencoder: all that is known of an observation has to pass through it."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from agents.encoding import mlp
from agents.networks import orthogonal


class Bottleneck(nn.Module):
    """Features to a few numbers, the codes, and from them to features again.

    The way out has layers of its own, since a picture is no simple function of where things are
    (Hinton and Salakhutdinov, "Reducing the dimensionality of data with neural networks", Science
    2006). Codes have no bounds: behind a tanh they soon stick at its ends, and nothing is learned.
    """

    def __init__(self, width: int, codes: int, generator: torch.Generator) -> None:
        super().__init__()
        self.inwards = nn.Linear(width, codes)
        orthogonal(self.inwards, 1.0, generator)
        self.outwards = mlp(codes, width, width, math.sqrt(2.0), generator)

    def forward(self, features: Tensor) -> Tensor:
        """(n, width) to (n, width)."""
        widened: Tensor = self.outwards(self.inwards(features)).relu()
        return widened
