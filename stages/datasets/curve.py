"""Regression in one dimension: where does a ball land that flies off at this angle?

Description
    A ball flies from the middle of the wall opposite the paddle and bounces off the walls above and
    below. Predict from the angle alone at which height it reaches the paddle's side. The examples
    are points, and the right answers are a curve, so that a model can be drawn next to them.
Observation Space
    `Box(-1, 1, (1,), float32)`: the angle, from the steepest flight up to the steepest one down.
Action Space
    `Box(0, 1, (1,), float32)`: box heights from the top.
Rewards
    Minus the absolute error, in box heights; the score is the same.
Arguments
    See `Curve`, `stages.datasets.dataset.Dataset` and `stages.datasets.environments`.
Version History
    v0: first version.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from gymnasium import spaces

from envs.engine.palette import BACKGROUND, WHITE
from envs.names import one_of
from envs.paddle.game import STEEPEST_ANGLE, landing
from stages.datasets.dataset import Array, Dataset, Examples
from stages.datasets.paddle_states import on_screen
from stages.pictures.predictions import draw_marks

START = (1.0, 0.5)  # where the ball flies off
LINE = 0.25  # of the flight that is drawn, in box widths
REGIONS = ("all", "upper")


@dataclass(frozen=True)
class Curve(Dataset):
    """Predict where a ball lands from its angle."""

    spread: float = 0.0
    """Standard deviation of the errors of the training labels, in box heights."""
    region: str = "all"
    """Angles of the training set: all or upper, those of balls that fly up."""

    training_only = ("noise", "spread", "region")
    action_names = ("landing",)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.spread <= 1:
            raise ValueError(f"option `spread` must be between 0 and 1, got {self.spread}")
        if self.region not in REGIONS:
            raise ValueError(f"option `region` must be {one_of(REGIONS)}, got {self.region!r}")

    @property
    def observation_space(self) -> spaces.Box:
        return spaces.Box(-1.0, 1.0, (1,), np.float32)

    @property
    def action_space(self) -> spaces.Box:
        return spaces.Box(0.0, 1.0, (1,), np.float32)

    def sample(self, count: int, seed: int) -> Examples:
        places, errors = (np.random.default_rng((seed, k)) for k in range(2))
        highest = 0.0 if self.region == "upper" else 1.0
        angles = places.uniform(-1.0, highest, (count, 1)).astype(np.float32)
        heights = heights_at(angles) + errors.normal(0.0, self.spread, angles.shape)
        return Examples(angles, heights.astype(np.float32))

    def add_label_noise(self, targets: Array, generator: np.random.Generator) -> Array:
        """Replace targets by uniformly random heights."""
        wrong = generator.random(targets.shape, np.float32)
        return np.where(generator.random(targets.shape) < self.noise, wrong, targets)

    def loss(self, predictions: Array, targets: Array) -> Array:
        return np.asarray(np.abs(predictions - targets)[:, 0])

    def draw_example(self, surface: Any, observation: Array) -> None:
        """Draw the ball and the direction of its flight."""
        import pygame

        surface.fill(BACKGROUND)
        side = surface.get_width()
        angle = STEEPEST_ANGLE * float(observation[0])
        ends = [
            (START[0] - along * math.cos(angle), START[1] + along * math.sin(angle))
            for along in (0.0, LINE)
        ]
        ball, end = (tuple(on_screen(place) * side for place in point) for point in ends)
        pygame.draw.line(surface, WHITE, ball, end, 3)
        pygame.draw.circle(surface, WHITE, ball, 10)

    def draw_prediction(self, surface: Any, prediction: Any, target: Array) -> None:
        """Mark the target at the paddle's side in white, and the prediction in green."""
        places = {"truth": target} | ({} if prediction is None else {"prediction": prediction})
        draw_marks(surface, {name: on_screen(float(place[0])) for name, place in places.items()})


def heights_at(angles: Array) -> Array:
    """Return the heights (n, ...) in 0..1 at which balls with angles (n, ...) in -1..1 land."""
    turns = STEEPEST_ANGLE * np.asarray(angles, np.float64)
    return np.asarray(landing(*START, -np.cos(turns), np.sin(turns)))
