"""Regression: where will the ball land?

Description
    Predict from two screens of paddle-and-ball, one step apart, at which height an approaching
    ball will reach the paddle's side, bounces included. The engine supplies the targets.
Observation Space
    See `stages.datasets.paddle_states.PaddleDataset`.
Action Space
    `Box(0, 1, (1,), float32)`: box heights from the top.
Rewards
    Minus the absolute error, in box heights; the score is the same. A paddle that waits at the
    predicted height hits the ball if the error is below 0.13, half a paddle plus a ball's radius.
Arguments
    See `Regress`, its base classes and `stages.datasets.environments`.
Version History
    v0: first version.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from gymnasium import spaces

from envs.paddle.game import reach
from stages.datasets.dataset import Array, Assessment
from stages.datasets.paddle_states import CLOSER, OPTIONS, PaddleDataset, landings, on_screen
from stages.pictures.predictions import draw_marks, picture_of_errors


@dataclass(frozen=True)
class Regress(PaddleDataset):
    """Predict where an approaching ball will land."""

    action_names = ("landing",)

    @property
    def action_space(self) -> spaces.Box:
        return spaces.Box(0.0, 1.0, (1,), np.float32)

    @property
    def directions(self) -> tuple[int, ...]:
        """Balls that come closer."""
        return CLOSER

    def targets_of(self, states: Any) -> Array:
        return landings(states)[:, None].astype(np.float32)

    def add_label_noise(self, targets: Array, generator: np.random.Generator) -> Array:
        """Replace targets by uniformly random heights."""
        wrong = generator.random(targets.shape, np.float32)
        return np.where(generator.random(targets.shape) < self.noise, wrong, targets)

    def loss(self, predictions: Array, targets: Array) -> Array:
        return np.asarray(np.abs(predictions - targets)[:, 0])

    def draw_prediction(self, surface: Any, prediction: Any, target: Array) -> None:
        """Mark the target at the paddle's side in white, and the prediction in green."""
        places = {"truth": target[0]} | (
            {} if prediction is None else {"prediction": prediction[0]}
        )
        draw_marks(surface, {k: on_screen(float(y)) for k, y in places.items()})

    def assess(self, observations: Array, predictions: Array, targets: Array) -> Assessment:
        """Return the share of balls that a paddle at the prediction hits, and a scatter plot."""
        hit = self.loss(predictions, targets) <= reach(OPTIONS)
        picture = picture_of_errors(predictions[:, 0], targets[:, 0], reach(OPTIONS))
        return Assessment({"share_hit": float(hit.mean())}, {"errors": picture})
