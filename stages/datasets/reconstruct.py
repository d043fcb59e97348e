"""Reconstruction: the target is the observation. With a bottleneck, the agent is an autoencoder.

Description
    Reconstruct a blurred screen of paddle-and-ball (`frames=2`: two screens, one step apart).
    Nothing is labelled. A network with a bottleneck of a few numbers (`--codes 4`) has to encode
    in them where ball and paddle are; afterwards only its encoder is used.
Observation Space
    `Box(0, 255, (frames, screen_size, screen_size), uint8)`.
Action Space
    `Box(0, 255, (frames, screen_size, screen_size), float32)`: the brightness of each pixel.
Rewards
    Minus the mean squared error of the pixels, with black as 0 and white as 1. The score is the
    share of the light that was reconstructed: 1 minus the error divided by that of a black screen.
Arguments
    See `Reconstruct`, its base classes and `stages.datasets.environments`. On sharp screens
    (`blur=0`) the ball covers 1.6 of 576 pixels, and the mean squared error rewards little but the
    paddle. Blur enlarges the ball, and the error then leads to it.
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
from stages.pictures.maps import in_a_plane, picture_of_codes, picture_of_pairs

MIN_BLUR = 0.3  # pixels; less changes nothing
PADDLE_SIDE = 2 * BALL_RADIUS  # screen widths with nothing but the paddle
SHOWN = 12  # reconstructions in the picture
CHUNK = 1000  # screens blurred at a time, to save a gigabyte of memory


@dataclass(frozen=True)
class Reconstruct(PaddleDataset):
    """Reconstruct a blurred screen."""

    blur: float = 2.0
    """Standard deviation of the Gaussian blur in pixels; 0: none."""
    frames: int = 1
    """Number of screens, the newest last: 1, or 2 as in the game's own observation."""

    feedbacks: ClassVar[dict[str, str]] = {"observation": "the observation itself"}

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.noise:
            raise ValueError("option `noise` must be 0: the target is the observation itself")
        if self.observation != "screen":
            raise ValueError("option `observation` must be screen: only screens are reconstructed")
        if not 1 <= self.frames <= FRAMES:
            raise ValueError(f"option `frames` must be 1 or {FRAMES}, got {self.frames}")
        if not (self.blur == 0 or MIN_BLUR <= self.blur <= self.screen_size / 8):
            raise ValueError(
                f"option `blur` must be 0 or between {MIN_BLUR} and an eighth of the screen, got "
                f"{self.blur}"
            )

    @property
    def observation_space(self) -> spaces.Box:
        return spaces.Box(0, 255, (self.frames, self.screen_size, self.screen_size), np.uint8)

    @property
    def action_space(self) -> spaces.Box:
        return spaces.Box(0.0, 255.0, self.observation_space.shape, np.float32)

    def sample(self, count: int, seed: int) -> Examples:
        screens, states = self.sample_states(count, seed)
        return Examples(screens, screens, np.stack((states["ball_x"], states["ball_y"]), 1))

    def observe(self, screens: Array, states: Any) -> Array:
        """Return the newest screens, blurred."""
        return blurred(screens[:, -self.frames :], self.blur)

    def example_from_game(self, screens: Array, state: Any) -> tuple[Array, Array | None]:
        observation = self.observe(screens[None], state)[0]
        return observation, observation

    def side_screens(self, prediction: Any, target: Array) -> dict[str, Array]:
        """Return the observation and its reconstruction."""
        rebuilt = np.zeros_like(target) if prediction is None else prediction
        return {"observation": target[-1], "reconstruction": rebuilt[-1]}

    def loss(self, predictions: Array, targets: Array) -> Array:
        return squares(predictions - targets.astype(np.float32))

    def score(self, predictions: Array, targets: Array) -> Array:
        return 1.0 - self.loss(predictions, targets) / squares(targets.astype(np.float32))

    def assess(self, observations: Array, predictions: Array, targets: Array) -> Assessment:
        """Return the share of the ball's light that was reconstructed, and some screens."""
        picture = picture_of_pairs(targets[:SHOWN, -1], predictions[:SHOWN, -1])
        share = ball_rebuilt(predictions, targets, self.blur)
        return Assessment({"ball_rebuilt": share}, {"reconstructions": picture})

    def assess_codes(
        self, observations: Array, codes: Array, attributes: Array | None
    ) -> Assessment:
        """Return the codes in a plane, coloured by the ball's position, and all of them."""
        assert attributes is not None
        positions = {"ball_x": attributes[:, 0], "ball_y": attributes[:, 1]}
        picture = picture_of_codes(in_a_plane(codes), attributes)
        return Assessment({}, {"codes": picture}, Embedding(codes, positions, observations[:, -1]))


def blurred(screens: Array, width: float) -> Array:
    """Return screens uint8 (n, frames, side, side) with a Gaussian blur of `width` pixels.

    The centre of the ball stays white. The paddle has more light and is clipped to white.
    """
    side = screens.shape[-1]
    if width == 0:
        return screens
    distances = np.subtract.outer(np.arange(side), np.arange(side))
    lens = np.exp(-0.5 * (distances / width) ** 2).astype(np.float32)
    lens /= lens.sum(1).max()
    ball = (2 * BALL_RADIUS * side / (1 + 4 * BALL_RADIUS)) ** 2  # pixels
    gain = max(1.0, 2 * math.pi * width**2 / ball)
    result = np.empty_like(screens)
    for start in range(0, len(screens), CHUNK):
        part = slice(start, start + CHUNK)
        light = lens @ screens[part].astype(np.float32) @ lens.T * gain
        result[part] = np.minimum(light + 0.5, 255.0)
    return result


def ball_rebuilt(predictions: Array, targets: Array, blur: float) -> float:
    """Return the rebuilt share of the light right of the paddle; screens are (n, 1, side, side)."""
    beyond = math.ceil(PADDLE_SIDE * targets.shape[-1] + 2 * blur)
    ball = targets[..., beyond:].astype(np.float32)
    return float(1.0 - squares(predictions[..., beyond:] - ball).mean() / squares(ball).mean())


def squares(differences: Array) -> Array:
    """Return the mean square (n,) of pixels (n, ...), with white as 1."""
    flat = differences.reshape(len(differences), -1) / 255.0
    return np.asarray(np.einsum("ij,ij->i", flat, flat) / flat.shape[1])
