"""This project's network for screens, for Stable-Baselines3, whose own needs larger screens.

Importing this module imports Stable-Baselines3.
"""

from __future__ import annotations

import torch
from gymnasium import spaces
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor

from agents.networks.backbones import make_backbone

WIDTH = 64


class ScreenFeatures(BaseFeaturesExtractor):  # type: ignore[misc] # Stable-Baselines3 is optional
    """Features (n, WIDTH) of screens (n, frames, height, width), uint8 0..255."""

    def __init__(self, observation_space: spaces.Box) -> None:
        super().__init__(observation_space, WIDTH)
        self.backbone = make_backbone(observation_space, WIDTH, torch.default_generator)

    def forward(self, screens: torch.Tensor) -> torch.Tensor:
        """Return the features."""
        features: torch.Tensor = self.backbone(screens)
        return features
