"""Classification of shapes: 20 kinds of balls, or pandas and rabbits, for pretraining networks.

Description
    Classify the one shape on a dark, noisy screen. Its position, size, angle, brightness and width
    are random. A shape is a function of position that is positive inside, composed of a few discs
    and boxes: see `BALLS` and `ANIMALS`.
Observation Space
    `Box(0, 255, (1, 24, 24), uint8)`.
Action Space
    `Discrete(20)` for `of="balls"`. `Discrete(2)` for `of="animals"`: panda or rabbit, neither of
    which is among the balls.
Rewards
    0 for the right class, -1 for a wrong one. The score is 1 for the right class, so that the mean
    score is the accuracy.
Starting State
    The classes alternate in the dataset: 2n examples of animals are n pandas and n rabbits.
Arguments
    See `Shapes`, `stages.datasets.dataset.Dataset` and `stages.datasets.environments`.
Version History
    v0: first version.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from gymnasium import spaces

from envs.names import one_of
from stages.datasets.classification import ClassificationDataset
from stages.datasets.dataset import Array, Examples
from training import hand_labels

SIDE = 24  # pixels
SMALLEST, LARGEST = 5.5, 9.0  # pixels from the centre of a shape to its rim
NARROWEST = 0.8  # width by height
DARKEST = 100.0  # of 255
GRAIN = 20.0  # standard deviation of the noise of a pixel
CHUNK = 1_000  # screens computed at a time, to save memory
NUMBERS = 6  # random parameters of a shape

Inside = Callable[[Array, Array], Array]


def disc(x: Array, y: Array, radius: float = 1.0, at: tuple[float, float] = (0.0, 0.0)) -> Array:
    """Return the signed distance to the rim of a disc, positive inside."""
    return np.asarray(radius - np.hypot(x - at[0], y - at[1]))


def box(
    x: Array, y: Array, width: float, height: float, at: tuple[float, float] = (0.0, 0.0)
) -> Array:
    """Return how far (x, y) is inside a box that extends `width` and `height` to each side."""
    return np.asarray(np.minimum(width - np.abs(x - at[0]), height - np.abs(y - at[1])))


def polygon(x: Array, y: Array, corners: int) -> Array:
    """Return how far (x, y) is inside a regular polygon with a horizontal lower side."""
    turns = 2 * math.pi / corners * np.arange(corners)
    sides = [x * math.sin(turn) + y * math.cos(turn) for turn in turns]
    return np.asarray(math.cos(math.pi / corners) - np.max(sides, 0))


def rays(x: Array, y: Array, count: int, depth: float) -> Array:
    """Return how far (x, y) is inside a disc whose rim has `count` notches of `depth`."""
    rim = 1.0 - depth * (0.5 + 0.5 * np.cos(count * np.arctan2(x, y)))
    return np.asarray(rim - np.hypot(x, y))


def both(*parts: Array) -> Array:
    """Return the intersection of the parts."""
    return np.asarray(np.min(parts, 0))


def either(*parts: Array) -> Array:
    """Return the union of the parts."""
    return np.asarray(np.max(parts, 0))


def mirrored(part: Callable[[Array, Array], Array], x: Array, y: Array) -> Array:
    """Return a part on the right together with its mirror image on the left."""
    return part(np.abs(x), y)


BALLS: dict[str, Inside] = {
    "ball": disc,
    "ring": lambda x, y: both(disc(x, y), -disc(x, y, 0.55)),
    "target": lambda x, y: either(disc(x, y, 0.35), both(disc(x, y), -disc(x, y, 0.68))),
    "half": lambda x, y: both(disc(x, y), y + 0.1),
    "moon": lambda x, y: both(disc(x, y), -disc(x, y, 0.8, (0.5, 0.0))),
    "mouth": lambda x, y: both(disc(x, y), np.abs(y) - 0.7 * x),
    "egg": lambda x, y: 0.6 * disc(x / 0.55, y),
    "triangle": lambda x, y: polygon(x, y, 3),
    "square": lambda x, y: polygon(x, y, 4),
    "hexagon": lambda x, y: polygon(x, y, 6),
    "frame": lambda x, y: both(polygon(x, y, 4), -box(x, y, 0.4, 0.4)),
    "stick": lambda x, y: box(x, y, 1.0, 0.22),
    "cross": lambda x, y: either(box(x, y, 1.0, 0.25), box(x, y, 0.25, 1.0)),
    "corner": lambda x, y: either(
        box(x, y, 0.9, 0.25, (0.0, 0.65)), box(x, y, 0.25, 0.9, (-0.65, 0.0))
    ),
    "hammer": lambda x, y: either(
        box(x, y, 0.9, 0.25, (0.0, -0.65)), box(x, y, 0.22, 0.9, (0.0, 0.0))
    ),
    "star": lambda x, y: rays(x, y, 5, 0.65),
    "flower": lambda x, y: both(rays(x, y, 4, 0.5), -disc(x, y, 0.22)),
    "dumbbell": lambda x, y: either(
        mirrored(lambda x, y: disc(x, y, 0.42, (0.6, 0.0)), x, y), box(x, y, 0.7, 0.14)
    ),
    "hourglass": lambda x, y: both(0.7 * (np.abs(y) - np.abs(x)) + 0.08, box(x, y, 0.9, 0.8)),
    "drop": lambda x, y: either(
        disc(x, y, 0.6, (0.0, 0.4)), both(0.9 - 0.85 * np.abs(x) * 2 + y, 0.4 - y, 1.0 + y)
    ),
}
"""For each kind, how far (x, y) is inside it; y points down and the rim is at about 1."""
ANIMALS: dict[str, Inside] = {
    "panda": lambda x, y: both(
        either(
            disc(x, y, 0.72, (0.0, 0.2)),
            mirrored(lambda x, y: disc(x, y, 0.32, (0.6, -0.55)), x, y),
        ),
        -mirrored(lambda x, y: disc(x, y, 0.22, (0.3, 0.05)), x, y),
    ),
    "rabbit": lambda x, y: both(
        either(
            disc(x, y, 0.55, (0.0, 0.42)),
            mirrored(lambda x, y: 0.3 * disc((x - 0.3) / 0.2, (y + 0.4) / 0.6), x, y),
        ),
        -mirrored(lambda x, y: disc(x, y, 0.13, (0.22, 0.35)), x, y),
    ),
}
KINDS = {"balls": BALLS, "animals": ANIMALS}


@dataclass(frozen=True)
class Shapes(ClassificationDataset):
    """Classify the shape on a screen."""

    of: str = "balls"
    """balls: 20 kinds; animals: panda or rabbit."""
    labels: str = ""
    """File of `play.py --label`, whose screens and labels are the training examples."""

    training_only = ("noise", "labels")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.of not in KINDS:
            raise ValueError(f"option `of` must be {one_of(KINDS)}, got {self.of!r}")
        if self.labels:
            by_hand = hand_labels.read(Path(self.labels))
            space = self.observation_space
            fits = by_hand.observations.shape[1:] == space.shape
            if not fits or tuple(by_hand.names) != self.action_names:
                raise ValueError(
                    f"option `labels`: {self.labels} has other screens or classes; they must be "
                    f"of={self.of}"
                )
            object.__setattr__(self, "examples", len(by_hand.labels))

    @property
    def action_names(self) -> tuple[str, ...]:  # type: ignore[override]
        """The names of the kinds."""
        return tuple(KINDS[self.of])

    @property
    def observation_space(self) -> spaces.Box:
        return spaces.Box(0, 255, (1, SIDE, SIDE), np.uint8)

    def sample(self, count: int, seed: int) -> Examples:
        if self.labels:
            by_hand = hand_labels.read(Path(self.labels))
            screens = by_hand.observations.astype(np.uint8)
            return Examples(screens[:count], by_hand.labels[:count].astype(np.int64))
        kinds = list(KINDS[self.of].values())
        targets = np.arange(count, dtype=np.int64) % len(kinds)
        places, noise = (np.random.default_rng((seed, k)) for k in range(2))
        screens = np.empty((count, 1, SIDE, SIDE), np.uint8)
        for start in range(0, count, CHUNK):
            part = screens[start : start + CHUNK, 0]
            light = noise.normal(0.0, GRAIN, part.shape)
            numbers = places.random((len(part), NUMBERS))
            for k, inside in enumerate(kinds):
                chosen = targets[start : start + CHUNK] == k
                light[chosen] += lit(inside, numbers[chosen])
            part[:] = np.clip(light, 0.0, 255.0)
        return Examples(screens, targets)


def lit(inside: Inside, numbers: Array) -> Array:
    """Return the light (n, SIDE, SIDE) of shapes with parameters `numbers` (n, NUMBERS) in 0..1."""
    size, turn, across, down, wide, bright = numbers.T[..., None, None]
    size = SMALLEST + (LARGEST - SMALLEST) * size
    turn, wide = 2 * math.pi * turn, NARROWEST + (1.0 - NARROWEST) * wide
    free = SIDE - 2 * size
    pixels = np.arange(SIDE) + 0.5
    x, y = pixels - size - free * across, pixels[:, None] - size - free * down
    along = (x * np.cos(turn) + y * np.sin(turn)) / (size * wide)
    aside = (y * np.cos(turn) - x * np.sin(turn)) / size
    covered = np.clip(inside(along, aside) * size + 0.5, 0.0, 1.0)  # share of each pixel
    return np.asarray(covered * (DARKEST + (255.0 - DARKEST) * bright))
