"""The bottleneck of an autoencoder: a few numbers that everything has to pass through."""

from __future__ import annotations

import math

import torch
from torch import nn

from agents.networks.backbones import orthogonal
from agents.networks.state_action import mlp


class Bottleneck(nn.Module):
    """An `encoder` from features (n, width) to codes (n, codes), and a `decoder` back to features.

    The decoder has hidden layers, because an image is not a simple function of the positions in it
    (Hinton and Salakhutdinov, "Reducing the dimensionality of data with neural networks", Science
    2006). Codes are unbounded: with a tanh, they soon reach its limits and learning stops.
    """

    def __init__(self, width: int, codes: int, generator: torch.Generator) -> None:
        super().__init__()
        self.encoder = nn.Linear(width, codes)
        orthogonal(self.encoder, 1.0, generator)
        layers = mlp(codes, width, width, math.sqrt(2.0), generator)
        self.decoder = nn.Sequential(*layers, nn.ReLU())
