"""Regression: where will the ball land?

Description
    From two screens of paddle-and-ball, one step apart, tell the height at which the ball that
    flies closer will reach the paddle's side, bounces included. The engine knows the target for
    free.
Action Space
    `Box(0, 1, (1,), float32)`: box heights from the top.
Rewards
    Minus the absolute error, in box heights; the score too. Half a paddle and a ball's radius are
    0.13: a paddle that waits at the prediction hits the ball if the error is smaller.
Everything else
    See `stages.datasets.environments`, `stages.datasets.dataset.Dataset` and
    `stages.datasets.paddle_states.PaddleDataset`.
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
from stages.viewers.pictures import draw_marks, picture_of_errors


@dataclass(frozen=True)
class Regress(PaddleDataset):
    """Where will it land?"""

    action_names = ("landing",)

    @property
    def action_space(self) -> spaces.Box:
        return spaces.Box(0.0, 1.0, (1,), np.float32)

    @property
    def ways(self) -> tuple[int, ...]:
        """Who flies away has yet to turn round at the wall."""
        return CLOSER

    def targets_of(self, states: Any) -> Array:
        return landings(states)[:, None].astype(np.float32)

    def add_label_noise(self, targets: Array, generator: np.random.Generator) -> Array:
        """A wrong target may be any height."""
        drawn = generator.random(targets.shape, np.float32)
        return np.where(generator.random(targets.shape) < self.noise, drawn, targets)

    def loss(self, predictions: Array, targets: Array) -> Array:
        return np.asarray(np.abs(predictions - targets)[:, 0])

    def draw_prediction(self, surface: Any, prediction: Any, target: Array) -> None:
        """Mark the true landing point in white and the predicted one in colour."""
        places = {"truth": target[0]} | (
            {} if prediction is None else {"prediction": prediction[0]}
        )
        draw_marks(surface, {k: on_screen(float(y)) for k, y in places.items()})

    def assess(self, observations: Array, predictions: Array, targets: Array) -> Assessment:
        """Return the share of balls that a paddle waiting there would hit, and a plot."""
        hit = self.loss(predictions, targets) <= reach(OPTIONS)
        picture = picture_of_errors(predictions[:, 0], targets[:, 0], reach(OPTIONS))
        return Assessment({"share_hit": float(hit.mean())}, {"errors": picture})
