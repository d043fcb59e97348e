"""Regression: where will the ball land?

Description
    From two screens of paddle-and-ball, one step apart, tell the height at which the ball that
    flies closer will reach the paddle's side, bounces included. The engine knows the answer for
    free.
Action Space
    `Box(0, 1, (1,), float32)`: box heights from the top.
Rewards
    Minus the absolute error, in box heights; the score too. Half a paddle and a ball's radius are
    0.13: a paddle that waits at the guess hits the ball if the error is smaller.
Everything else
    See `stages.datasets.environments`, `stages.datasets.dataset.Stage` and
    `stages.datasets.paddle_states.PaddleStage`.
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
from stages.datasets.paddle_states import CLOSER, OPTIONS, PaddleStage, landings, on_screen
from stages.viewers.pictures import draw_marks, picture_of_errors


@dataclass(frozen=True)
class Regress(PaddleStage):
    """Where will it land?"""

    action_names = ("landing",)

    @property
    def action_space(self) -> spaces.Box:
        return spaces.Box(0.0, 1.0, (1,), np.float32)

    @property
    def ways(self) -> tuple[int, ...]:
        """Who flies away has yet to turn round at the wall."""
        return CLOSER

    def answers(self, states: Any) -> Array:
        return landings(states)[:, None].astype(np.float32)

    def spoil(self, answers: Array, generator: np.random.Generator) -> Array:
        """A wrong answer may be any height."""
        drawn = generator.random(answers.shape, np.float32)
        return np.where(generator.random(answers.shape) < self.noise, drawn, answers)

    def loss(self, guesses: Array, answers: Array) -> Array:
        return np.asarray(np.abs(guesses - answers)[:, 0])

    def draw_over(self, surface: Any, guess: Any, answer: Array) -> None:
        """A white mark at the paddle's side where it will land, a coloured one at the guess."""
        places = {"truth": answer[0]} | ({} if guess is None else {"guess": guess[0]})
        draw_marks(surface, {k: on_screen(float(y)) for k, y in places.items()})

    def assess(self, observations: Array, guesses: Array, answers: Array) -> Assessment:
        """The share of balls that a paddle waiting there would hit; guesses against the truth."""
        hit = self.loss(guesses, answers) <= reach(OPTIONS)
        picture = picture_of_errors(guesses[:, 0], answers[:, 0], reach(OPTIONS))
        return Assessment({"share_hit": float(hit.mean())}, {"errors": picture})
