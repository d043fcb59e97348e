"""Kinds of shapes: how far a point is inside each, and how they are drawn on a screen.

A shape is a function of position that is positive inside, composed of a few discs and boxes.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from stages.datasets.dataset import Array

SIDE = 24  # pixels
SMALLEST, LARGEST = 5.5, 9.0  # pixels from the centre of a shape to its rim
NARROWEST = 0.8  # width by height
DARKEST = 100.0  # of 255
GRAIN = 20.0  # standard deviation of the noise of a pixel
INVENTED = 100
UPRIGHT = 0.08  # turns to each side by which digits lean, at most
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
SEGMENTS = {
    "top": (0.45, 0.14, (0.0, -0.8)),
    "middle": (0.45, 0.14, (0.0, 0.0)),
    "bottom": (0.45, 0.14, (0.0, 0.8)),
    "upper left": (0.14, 0.5, (-0.45, -0.4)),
    "upper right": (0.14, 0.5, (0.45, -0.4)),
    "lower left": (0.14, 0.5, (-0.45, 0.4)),
    "lower right": (0.14, 0.5, (0.45, 0.4)),
}
"""Boxes of which digits are made, as on a pocket calculator: half width, half height, centre."""
UNLIT = {
    "0": ("middle",),
    "1": ("top", "middle", "bottom", "upper left", "lower left"),
    "2": ("upper left", "lower right"),
    "3": ("upper left", "lower left"),
    "4": ("top", "bottom", "lower left"),
    "5": ("upper right", "lower left"),
    "6": ("upper right",),
    "7": ("middle", "bottom", "upper left", "lower left"),
    "8": (),
    "9": ("lower left",),
}


def digit(unlit: tuple[str, ...]) -> Inside:
    """Return the shape of a digit without the `unlit` segments."""
    lit_ones = [box_of for name, box_of in SEGMENTS.items() if name not in unlit]
    return lambda x, y: either(*(box(x, y, *box_of) for box_of in lit_ones))


def invented(number: int) -> Inside:
    """Return a shape that nobody has drawn: discs and boxes at random places, with holes."""
    rng = np.random.default_rng((1, number))
    discs, boxes, holes = rng.integers((1, 1, 0), (3, 3, 3))

    def place(reach: float) -> tuple[float, float]:
        turn, far = 2 * math.pi * rng.random(), 1.0 - reach
        return far * math.cos(turn), far * math.sin(turn)

    radii = rng.uniform(0.25, 0.55, discs)
    solid = [(radius, place(radius)) for radius in radii]
    sides = rng.uniform((0.35, 0.14), (0.8, 0.3), (boxes, 2))
    bars = [(*side, place(float(np.hypot(*side))), math.pi * rng.random()) for side in sides]
    cut = [(radius, place(0.4)) for radius in rng.uniform(0.15, 0.3, holes)]

    def inside(x: Array, y: Array) -> Array:
        parts = [disc(x, y, *each) for each in solid]
        for wide, high, (right, down), turn in bars:
            cos, sin = math.cos(turn), math.sin(turn)
            across, below = x - right, y - down
            parts.append(box(cos * across + sin * below, cos * below - sin * across, wide, high))
        return both(either(*parts), *(-disc(x, y, *each) for each in cut))

    return inside


KINDS: dict[str, dict[str, Inside]] = {
    "balls": BALLS,
    "animals": ANIMALS,
    "digits": {name: digit(unlit) for name, unlit in UNLIT.items()},
    "invented": {f"kind {k + 1}": invented(k) for k in range(INVENTED)},
}


def lit(inside: Inside, numbers: Array, turns: float = 1.0) -> Array:
    """Return the light (n, SIDE, SIDE) of shapes with parameters `numbers` (n, NUMBERS) in 0..1.

    `turns` is the range of angles, in full turns.
    """
    size, turn, across, down, wide, bright = numbers.T[..., None, None]
    turn = turns * (turn - 0.5) if turns < 1 else turn
    size = SMALLEST + (LARGEST - SMALLEST) * size
    turn, wide = 2 * math.pi * turn, NARROWEST + (1.0 - NARROWEST) * wide
    free = SIDE - 2 * size
    pixels = np.arange(SIDE) + 0.5
    x, y = pixels - size - free * across, pixels[:, None] - size - free * down
    along = (x * np.cos(turn) + y * np.sin(turn)) / (size * wide)
    aside = (y * np.cos(turn) - x * np.sin(turn)) / size
    covered = np.clip(inside(along, aside) * size + 0.5, 0.0, 1.0)  # share of each pixel
    return np.asarray(covered * (DARKEST + (255.0 - DARKEST) * bright))
