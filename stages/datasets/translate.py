"""Recognition and generation: a state as numbers and as a picture, each predicted from the other.

Description
    Translate a state of paddle-and-ball from one kind of data to another. Screen to state is
    recognition, from many numbers to few. State to screen is generation, from few numbers to many.
    Coarse to screen is super-resolution, defocused to screen is focus, and cluttered to screen is
    the removal of a background. The engine supplies all of them.
Kinds of data
    `state`: three numbers in -1..1, the ball's x and y and the paddle's y. `screen`: 24 x 24
    pixels, blurred as in `--env reconstruct`. `coarse`: the same screen with 8 x 8 pixels, each the
    mean of a block. Sources only: `defocused`, the screen through a blurring lens, and `cluttered`,
    the screen in front of random waves of light.
Observation Space
    Depends on `source`: `Box(-1, 1, (3,), float32)`, `Box(0, 255, (1, 24, 24), uint8)` or
    `Box(0, 255, (1, 8, 8), uint8)`.
Action Space
    The same for `target`, with all types float32.
Rewards
    Minus the mean squared error, of pixels with black as 0 and white as 1. The score is the
    coefficient of determination R squared, which can be compared between kinds of data: 1 minus
    the error divided by that of the best constant prediction.
Arguments
    See `Translate`, its base classes and `stages.datasets.environments`.
Version History
    v0: first version.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from gymnasium import spaces

from envs.names import one_of
from envs.paddle.game import BALL_RADIUS, GAME
from stages.datasets.dataset import Array, Assessment, Examples, constant_loss
from stages.datasets.paddle_states import OPTIONS, PaddleDataset, on_screen, rows
from stages.datasets.reconstruct import SHOWN, Reconstruct, ball_rebuilt, blurred, squares
from stages.pictures.maps import picture_of_pairs
from stages.pictures.predictions import CLASS_COLOURS, draw_boxes

KINDS = ("state", "screen", "coarse")
SOURCES = (*KINDS, "defocused", "cluttered")
DEFOCUS = 3.0  # standard deviation of the blur of `defocused`, in pixels
WAVES, BRIGHTEST = 3, 45.0  # of the background of `cluttered`: number, and brightness of each
VISIBLE = [0, 1, 4]  # columns of `rows` that one screen shows
COARSE = 8  # pixels to a side


@dataclass(frozen=True)
class Translate(PaddleDataset):
    """Translate a state from one kind of data to another."""

    source: str = "state"
    """Kind of the observation: state, screen, coarse, defocused or cluttered."""
    target: str = "screen"
    """Kind of the target: another one, state, screen or coarse."""

    feedbacks: ClassVar[dict[str, str]] = {"answer": "labels"}

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.noise:
            raise ValueError("option `noise` must be 0: the engine supplies the targets")
        if self.observation != "screen":
            raise ValueError("option `observation` does not apply here: use `source`")
        if self.screen_size % COARSE:
            raise ValueError(
                f"option `screen_size` must be a multiple of {COARSE}, got {self.screen_size}"
            )
        for name, kinds in (("source", SOURCES), ("target", KINDS)):
            if getattr(self, name) not in kinds:
                raise ValueError(
                    f"option `{name}` must be {one_of(kinds)}, got {getattr(self, name)!r}"
                )
        if self.source == self.target:
            raise ValueError(
                "options `source` and `target` must differ: use --env reconstruct for equal kinds"
            )

    @property
    def observation_space(self) -> spaces.Box:
        if self.source == "state":
            return spaces.Box(-1.0, 1.0, (len(VISIBLE),), np.float32)
        return spaces.Box(0, 255, self._shape(self.source), np.uint8)

    @property
    def action_space(self) -> spaces.Box:
        if self.target == "state":
            return spaces.Box(-1.0, 1.0, (len(VISIBLE),), np.float32)
        return spaces.Box(0.0, 255.0, self._shape(self.target), np.float32)

    def _shape(self, kind: str) -> tuple[int, int, int]:
        side = COARSE if kind == "coarse" else self.screen_size
        return 1, side, side

    def sample(self, count: int, seed: int) -> Examples:
        screens, states = self.sample_states(count, seed)
        waves = np.random.default_rng((seed, 4)).random((count, WAVES, 4))
        return Examples(*(self.seen_as(kind, screens, states, waves) for kind in self.pair))

    def observe(self, screens: Array, states: Any) -> Array:
        """Return the newest screens, blurred."""
        return blurred(screens[:, -1:], Reconstruct.blur)

    def example_from_game(self, screens: Array, state: Any) -> tuple[Array, Array | None]:
        states = np.asarray([state], GAME.state)
        newest = self.observe(screens[None], states)
        waves = np.full((1, WAVES, 4), 0.5) * np.arange(1, WAVES + 1)[:, None] / WAVES
        source, target = (self.seen_as(kind, newest, states, waves)[0] for kind in self.pair)
        return source, target

    @property
    def pair(self) -> tuple[str, str]:
        """The kinds of the observation and of the target."""
        return self.source, self.target

    def seen_as(self, kind: str, screens: Array, states: Any, waves: Array) -> Array:
        """Return states (n,), with screens (n, 1, side, side), as one of `SOURCES`."""
        if kind == "defocused":
            return defocused(screens)
        return cluttered(screens, waves) if kind == "cluttered" else as_kind(kind, screens, states)

    def draw_prediction(self, surface: Any, prediction: Any, target: Array) -> None:
        """Draw frames at the predicted positions of ball and paddle."""
        if self.target == "state" and prediction is not None:
            draw_boxes(surface, frames(prediction), CLASS_COLOURS, 3)

    def side_screens(self, prediction: Any, target: Array) -> dict[str, Array]:
        """Return the target and the predicted screen."""
        if self.target == "state":
            return {}
        made = np.zeros_like(target) if prediction is None else prediction
        return {"target": target[0], "prediction": made[0]}

    def loss(self, predictions: Array, targets: Array) -> Array:
        differences = predictions - targets.astype(np.float32)
        return squares(differences * 255.0 if self.target == "state" else differences)

    def score(self, predictions: Array, targets: Array) -> Array:
        return 1.0 - self.loss(predictions, targets) / constant_loss(self)

    def assess(self, observations: Array, predictions: Array, targets: Array) -> Assessment:
        """Return the ball's mean error in box widths, or the share of its light, and pictures."""
        if self.target == "state":
            off = np.linalg.norm(predictions[:, :2] - targets[:, :2], axis=1) / 2
            return Assessment({"ball_off": float(off.mean())}, {})
        pictures = {"translations": picture_of_pairs(targets[:SHOWN, 0], predictions[:SHOWN, 0])}
        if self.target == "coarse":
            return Assessment({}, pictures)
        share = ball_rebuilt(predictions, targets, Reconstruct.blur)
        return Assessment({"ball_rebuilt": share}, pictures)


def as_kind(kind: str, screens: Array, states: Any) -> Array:
    """Return states (n,), with screens (n, 1, side, side), as one of `KINDS`."""
    if kind == "state":
        return rows(states)[:, VISIBLE]
    if kind == "screen":
        return screens
    count, _, side, _ = screens.shape
    blocks = screens.reshape(count, 1, COARSE, side // COARSE, COARSE, side // COARSE)
    return np.asarray(blocks.mean((3, 5)) + 0.5, np.uint8)


def defocused(screens: Array) -> Array:
    """Return uint8 screens (n, 1, side, side) as a lens out of focus shows them."""
    places = np.arange(screens.shape[-1])
    lens = np.exp(-0.5 * (np.subtract.outer(places, places) / DEFOCUS) ** 2).astype(np.float32)
    lens /= lens.sum(1).max()
    return np.asarray(lens @ screens.astype(np.float32) @ lens.T + 0.5, np.uint8)


def cluttered(screens: Array, waves: Array) -> Array:
    """Return uint8 screens (n, 1, side, side) in front of waves of light.

    `waves` (n, k, 4) in 0..1 are their numbers of periods across and down (up to 4), phase and
    brightness.
    """
    places = np.arange(screens.shape[-1]) / screens.shape[-1]
    across, down, phase, bright = np.moveaxis(waves, -1, 0)[..., None, None].astype(np.float32)
    turns = 4 * (2 * across - 1) * places + 4 * (2 * down - 1) * places[:, None] + phase
    light = (BRIGHTEST * bright * (1 + np.sin(2 * np.pi * turns))).sum(1, keepdims=True)
    return np.asarray(np.minimum(screens + light, 255.0), np.uint8)


def frames(numbers: Array) -> Array:
    """Return the boxes of ball and paddle of a state (3,), rows as in `draw_boxes`."""
    x, y, paddle_y = (on_screen((float(number) + 1) / 2) for number in numbers)
    scale = 1.0 / (1.0 + 4 * BALL_RADIUS)
    wide, long = 2 * BALL_RADIUS * scale, OPTIONS.paddle_size * scale
    return np.array([[0, x, y, wide, wide], [1, wide / 4, paddle_y, wide / 2, long]])
