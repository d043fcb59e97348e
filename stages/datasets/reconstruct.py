"""Reconstruction: what was seen is the target. With few numbers to say it by, an autoencoder.

Description
    From one screen of paddle-and-ball, out of focus, say the same screen again (`frames=2`: from
    two, one step apart, the same two). Nobody has to know anything of it, neither a person nor the
    engine. It asks for a network through whose middle only a few numbers pass (`--codes 4`): those
    must then tell where ball and paddle are, and the half of the network up to there is all that is
    used afterwards.
Action Space
    `Box(0, 255, (frames, screen_size, screen_size), float32)`: the brightness of each pixel.
Rewards
    Minus the reconstruction error: the mean over the pixels of the squared difference, black being
    0 and white 1. The score is the share of the light that was rebuilt: 1 minus the error divided
    by that of a black screen.
Out of focus
    In sharp screens the ball is 1.6 of 576 pixels, and an error that is a mean over pixels pays for
    little but the paddle: `blur=0` shows it. Out of focus, it leads to the ball.
Everything else
    See `stages.datasets.environments`, `stages.datasets.dataset.Dataset` and
    `stages.datasets.paddle_states.PaddleDataset`.
Version History
    v0: first version.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from gymnasium import spaces

from envs.paddle.game import BALL_RADIUS
from stages.datasets.dataset import Array, Assessment, Embedding, Examples
from stages.datasets.paddle_states import FRAMES, PaddleDataset
from stages.viewers.maps import in_a_plane, picture_of_codes, picture_of_pairs

SHARPEST = 0.3  # pixels; below, nothing would change
PADDLE_SIDE = 2 * BALL_RADIUS  # screen widths that belong to the paddle alone
SHOWN = 12  # reconstructions in the picture
AT_ONCE = 1000  # screens; all of them as floats would take a gigabyte


@dataclass(frozen=True)
class Reconstruct(PaddleDataset):
    """What did you see?"""

    blur: float = 2.0
    """How far out of focus the screens are: the width of a Gaussian, in pixels."""
    frames: int = 1
    """Screens seen at once, the newest last: 1, or 2 as who plays the game sees them."""

    feedbacks: ClassVar[dict[str, str]] = {"observation": "the observation itself"}

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.noise:
            raise ValueError("option `noise` must be 0: what was seen is never a wrong answer")
        if self.observation != "screen":
            raise ValueError("option `observation` must be screen: that is what is rebuilt")
        if not 1 <= self.frames <= FRAMES:
            raise ValueError(f"option `frames` must be 1 or {FRAMES}, not {self.frames}")
        if not (self.blur == 0 or SHARPEST <= self.blur <= self.screen_size / 8):
            raise ValueError(
                f"option `blur` must be 0 or between {SHARPEST} and an eighth of the screen, not "
                f"{self.blur}"
            )

    @property
    def observation_space(self) -> spaces.Box:
        return spaces.Box(0, 255, (self.frames, self.screen_size, self.screen_size), np.uint8)

    @property
    def action_space(self) -> spaces.Box:
        return spaces.Box(0.0, 255.0, self.observation_space.shape, np.float32)

    def sample(self, count: int, seed: int) -> Examples:
        screens, states = self.moments(count, seed)
        return Examples(screens, screens, np.stack((states["ball_x"], states["ball_y"]), 1))

    def seen(self, screens: Array, states: Any) -> Array:
        """The newest, out of focus."""
        return out_of_focus(screens[:, -self.frames :], self.blur)

    def example_from_game(self, screens: Array, state: Any) -> tuple[Array, Array | None]:
        observation = self.seen(screens[None], state)[0]
        return observation, observation

    def side_screens(self, prediction: Any, target: Array) -> dict[str, Array]:
        """What was seen, and what was rebuilt of it."""
        rebuilt = np.zeros_like(target) if prediction is None else prediction
        return {"what it sees": target[-1], "what it rebuilds": rebuilt[-1]}

    def loss(self, predictions: Array, targets: Array) -> Array:
        return squares(predictions - targets.astype(np.float32))

    def score(self, predictions: Array, targets: Array) -> Array:
        return 1.0 - self.loss(predictions, targets) / squares(targets.astype(np.float32))

    def assess(self, observations: Array, predictions: Array, targets: Array) -> Assessment:
        """Screens beside what was made of them; how much of the ball's light was rebuilt."""
        picture = picture_of_pairs(targets[:SHOWN, -1], predictions[:SHOWN, -1])
        share = ball_rebuilt(predictions, targets, self.blur)
        return Assessment({"ball_rebuilt": share}, {"reconstructions": picture})

    def assess_codes(
        self, observations: Array, codes: Array, attributes: Array | None
    ) -> Assessment:
        """The codes in a plane, coloured by where the ball is; all of them for the projector."""
        assert attributes is not None
        places = {"ball_x": attributes[:, 0], "ball_y": attributes[:, 1]}
        picture = picture_of_codes(in_a_plane(codes), attributes)
        return Assessment({}, {"codes": picture}, Embedding(codes, places, observations[:, -1]))


def out_of_focus(screens: Array, width: float) -> Array:
    """Screens (n, frames, side, side) through a Gaussian of `width` pixels; uint8.

    The ball's middle stays white; the paddle, which has more light, is as white as white can be.
    """
    side = screens.shape[-1]
    if width == 0:
        return screens
    distances = np.subtract.outer(np.arange(side), np.arange(side))
    lens = np.exp(-0.5 * (distances / width) ** 2).astype(np.float32)
    lens /= lens.sum(1).max()
    ball = (2 * BALL_RADIUS * side / (1 + 4 * BALL_RADIUS)) ** 2  # pixels
    gain = max(1.0, 2 * math.pi * width**2 / ball)
    blurred = np.empty_like(screens)
    for start in range(0, len(screens), AT_ONCE):
        part = slice(start, start + AT_ONCE)
        light = lens @ screens[part].astype(np.float32) @ lens.T * gain
        blurred[part] = np.minimum(light + 0.5, 255.0)
    return blurred


def ball_rebuilt(predictions: Array, targets: Array, blur: float) -> float:
    """The share that was rebuilt of the light of screens (n, 1, side, side) beyond the paddle's."""
    beyond = math.ceil(PADDLE_SIDE * targets.shape[-1] + 2 * blur)
    ball = targets[..., beyond:].astype(np.float32)
    return float(1.0 - squares(predictions[..., beyond:] - ball).mean() / squares(ball).mean())


def squares(differences: Array) -> Array:
    """The mean square (n,) of brightnesses (n, ...), white being 1."""
    flat = differences.reshape(len(differences), -1) / 255.0
    return np.asarray(np.einsum("ij,ij->i", flat, flat) / flat.shape[1])
