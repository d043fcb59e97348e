"""Recognition and generation: the same moment, once as numbers and once as a picture.

Description
    A moment of paddle-and-ball is given as one kind of data and asked for as another. Screen to
    state is recognition: few numbers out of many. State to screen is generation: many out of few.
    Coarse to screen is super-resolution: what can the fewer pixels have been? The engine knows all
    three for free.
Kinds of data
    `state`: three numbers, -1..1: the ball's x and y, the paddle's y. `screen`: 24 x 24 pixels, out
    of focus as in `--env reconstruct`. `coarse`: the same screen, 8 x 8 pixels, each the mean of
    those that it stands for.
Observation Space
    Of `source`: `Box(-1, 1, (3,), float32)`, `Box(0, 255, (1, 24, 24), uint8)` or
    `Box(0, 255, (1, 8, 8), uint8)`.
Action Space
    Of `target`, the same, but all float32.
Rewards
    Minus the mean squared error, of numbers as they are, of pixels black being 0 and white 1. The
    score can be compared between all of them: it is the share that is right of what can be told,
    1 minus the error divided by that of the best target which is always the same (the coefficient
    of determination, R squared).
Everything else
    See `stages.datasets.environments`, `stages.datasets.dataset.Dataset` and
    `stages.datasets.paddle_states.PaddleDataset`.
Version History
    v0: first version.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from gymnasium import spaces

from envs.paddle.game import BALL_RADIUS, GAME
from stages.datasets.dataset import Array, Assessment, Examples, examples_of
from stages.datasets.paddle_states import OPTIONS, PaddleDataset, on_screen, rows
from stages.datasets.reconstruct import SHOWN, Reconstruct, ball_rebuilt, out_of_focus, squares
from stages.viewers.maps import picture_of_pairs
from stages.viewers.pictures import OF_CLASSES, draw_boxes

KINDS = ("state", "screen", "coarse")
KNOWN = [0, 1, 4]  # of the numbers of `rows`, what one screen shows
COARSE = 8  # pixels to a side


@dataclass(frozen=True)
class Translate(PaddleDataset):
    """How would you say it in another kind of data?"""

    source: str = "state"
    """What is given: state, screen or coarse."""
    target: str = "screen"
    """What is asked for: another of the three."""

    feedbacks: ClassVar[dict[str, str]] = {"answer": "the right answer"}

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.noise:
            raise ValueError("option `noise` must be 0: nobody labels these by hand")
        if self.observation != "screen":
            raise ValueError("option `observation` must be left out: `source` says what is seen")
        if self.screen_size % COARSE:
            raise ValueError(
                f"option `screen_size` must be a multiple of {COARSE}, not {self.screen_size}"
            )
        for name in ("source", "target"):
            if getattr(self, name) not in KINDS:
                raise ValueError(
                    f"option `{name}` must be {', '.join(KINDS)}, not {getattr(self, name)!r}"
                )
        if self.source == self.target:
            raise ValueError(
                "options `source` and `target` must differ: --env reconstruct says the same again"
            )

    @property
    def observation_space(self) -> spaces.Box:
        if self.source == "state":
            return spaces.Box(-1.0, 1.0, (len(KNOWN),), np.float32)
        return spaces.Box(0, 255, self._shape(self.source), np.uint8)

    @property
    def action_space(self) -> spaces.Box:
        if self.target == "state":
            return spaces.Box(-1.0, 1.0, (len(KNOWN),), np.float32)
        return spaces.Box(0.0, 255.0, self._shape(self.target), np.float32)

    def _shape(self, kind: str) -> tuple[int, int, int]:
        side = COARSE if kind == "coarse" else self.screen_size
        return 1, side, side

    def sample(self, count: int, seed: int) -> Examples:
        screens, states = self.moments(count, seed)
        return Examples(*(as_kind(kind, screens, states) for kind in (self.source, self.target)))

    def seen(self, screens: Array, states: Any) -> Array:
        """The newest only, out of focus."""
        return out_of_focus(screens[:, -1:], Reconstruct.blur)

    def example_from_game(self, screens: Array, state: Any) -> tuple[Array, Array | None]:
        states = np.asarray([state], GAME.state)
        seen = self.seen(screens[None], states)
        source, target = (as_kind(kind, seen, states)[0] for kind in (self.source, self.target))
        return source, target

    def draw_prediction(self, surface: Any, prediction: Any, target: Array) -> None:
        """Frames where ball and paddle are said to be."""
        if self.target == "state" and prediction is not None:
            draw_boxes(surface, frames(prediction), OF_CLASSES, 3)

    def side_screens(self, prediction: Any, target: Array) -> dict[str, Array]:
        """The picture that is asked for, and the one that was made."""
        if self.target == "state":
            return {}
        made = np.zeros_like(target) if prediction is None else prediction
        return {"what it should be": target[0], "what it makes": made[0]}

    def loss(self, predictions: Array, targets: Array) -> Array:
        differences = predictions - targets.astype(np.float32)
        return squares(differences * 255.0 if self.target == "state" else differences)

    def score(self, predictions: Array, targets: Array) -> Array:
        return 1.0 - self.loss(predictions, targets) / variance(self)

    def assess(self, observations: Array, predictions: Array, targets: Array) -> Assessment:
        """How far off the ball is, in box widths; or how much of its light was made."""
        if self.target == "state":
            off = np.linalg.norm(predictions[:, :2] - targets[:, :2], axis=1) / 2
            return Assessment({"ball_off": float(off.mean())}, {})
        pictures = {"translations": picture_of_pairs(targets[:SHOWN, 0], predictions[:SHOWN, 0])}
        if self.target == "coarse":
            return Assessment({}, pictures)
        share = ball_rebuilt(predictions, targets, Reconstruct.blur)
        return Assessment({"ball_rebuilt": share}, pictures)


def as_kind(kind: str, screens: Array, states: Any) -> Array:
    """Moments (n,), whose screens (n, 1, side, side) are given too, as one of `KINDS`."""
    if kind == "state":
        return rows(states)[:, KNOWN]
    if kind == "screen":
        return screens
    count, _, side, _ = screens.shape
    blocks = screens.reshape(count, 1, COARSE, side // COARSE, COARSE, side // COARSE)
    return np.asarray(blocks.mean((3, 5)) + 0.5, np.uint8)


@functools.lru_cache(maxsize=4)
def variance(dataset: Translate) -> float:
    """The mean loss on the test examples of the best prediction that is always the same."""
    targets = examples_of(dataset, "test").targets
    middle = targets.mean(0, dtype=np.float64).astype(np.float32)
    return float(dataset.loss(np.broadcast_to(middle, targets.shape), targets).mean())


def frames(numbers: Array) -> Array:
    """Ball and paddle of a state (3,), rows as in `draw_boxes`."""
    x, y, paddle_y = (on_screen((float(number) + 1) / 2) for number in numbers)
    scale = 1.0 / (1.0 + 4 * BALL_RADIUS)
    wide, long = 2 * BALL_RADIUS * scale, OPTIONS.paddle_size * scale
    return np.array([[0, x, y, wide, wide], [1, wide / 4, paddle_y, wide / 2, long]])
