"""The waist of an autoencoder: all that is known of an observation has to pass through it."""

from __future__ import annotations

import math

import torch
from torch import nn

from agents.networks.backbones import orthogonal
from agents.networks.state_action import mlp


class Bottleneck(nn.Module):
    """The way `encoder` from features (n, width) to codes (n, codes), and `decoder` to features.

    The way out has layers of its own, since a picture is no simple function of where things are
    (Hinton and Salakhutdinov, "Reducing the dimensionality of data with neural networks", Science
    2006). Codes have no bounds: behind a tanh they soon stick at its ends, and nothing is learned.
    """

    def __init__(self, width: int, codes: int, generator: torch.Generator) -> None:
        super().__init__()
        self.encoder = nn.Linear(width, codes)
        orthogonal(self.encoder, 1.0, generator)
        layers = mlp(codes, width, width, math.sqrt(2.0), generator)
        self.decoder = nn.Sequential(*layers, nn.ReLU())
