"""Measurements of a shape on a screen, thought up by a person, and a hand-written rule on them.

The light is smoothed, and pixels that are bright enough count as the shape. No measurement depends
on where the shape is, how large it is or how it is turned:

- `rings`: the share of each of five rings around its centre that it fills, and the share that it
  fills of a disc with the same radius of gyration. These come to mind first.
- `harmonics`: six more, for a person who knows Fourier series. They say how often the shape looks
  the same in one full turn (2: a stick, 3: a triangle, 5: a star): the magnitudes of a series over
  the angle, weighted by the radius.

The rule draws every kind without noise, in the middle and at a medium size, measures it, and
answers with the kind whose row of measurements is nearest.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
from gymnasium import spaces

from stages.datasets.dataset import Array
from stages.datasets.shape_kinds import KINDS, NUMBERS, SIDE, UPRIGHT, lit

RINGS = (0.0, 0.35, 0.7, 1.05, 1.4, 1.75)  # radii, in multiples of the radius of gyration
HARMONICS = (1, 2, 3, 4, 5, 6)
MEASUREMENTS = {"rings": len(RINGS), "harmonics": len(RINGS) + len(HARMONICS)}
"""Numbers of measurements; the first ones are the same."""
BRIGHT = 0.45  # of the brightest smoothed pixel; the shape is above
CHUNK = 1_000  # screens measured at a time, to save memory
TURNS = 8  # drawings of each kind for the table of the rule


def measurements(screens: Array) -> Array:
    """Return the measurements float32 (n, 12) of screens (n, 1, SIDE, SIDE) in 0..255."""
    parts = [screens[start : start + CHUNK, 0] for start in range(0, len(screens), CHUNK)]
    return np.concatenate([_measured(part) for part in parts]).astype(np.float32)


def _measured(screens: Array) -> Array:
    shape = _smoothed(screens.astype(np.float32))
    shape = (shape > BRIGHT * shape.max((1, 2), keepdims=True)).astype(np.float32)
    area = shape.sum((1, 2))
    places = np.arange(SIDE, dtype=np.float32)
    centre_x, centre_y = shape.sum(1) @ places / area, shape.sum(2) @ places / area
    x, y = places - centre_x[:, None, None], places[:, None] - centre_y[:, None, None]
    squares = x * x + y * y
    gyration = np.sqrt((shape * squares).sum((1, 2)) / area)[:, None, None] + 1e-6
    radius = np.sqrt(squares) / gyration + 1e-6
    rings = [(radius >= low) & (radius < high) for low, high in pairwise(RINGS)]
    filled = [(shape * ring).sum((1, 2)) / np.maximum(ring.sum((1, 2)), 1) for ring in rings]
    turn = (x + 1j * y) / (radius * gyration)  # of length 1
    waves, wave = [], shape * radius
    for _ in HARMONICS:
        wave = wave * turn
        waves.append(np.abs(wave.sum((1, 2))) / area)
    disc = 2 * np.pi * gyration[:, 0, 0] ** 2  # the area of a disc with this radius of gyration
    return np.stack([*filled, area / disc, *waves], 1)


def _smoothed(screens: Array) -> Array:
    """Return the mean of each pixel and its eight neighbours."""
    padded = np.pad(screens, ((0, 0), (1, 1), (1, 1)))
    rows = padded[:, :-2] + padded[:, 1:-1] + padded[:, 2:]
    return np.asarray((rows[..., :-2] + rows[..., 1:-1] + rows[..., 2:]) / 9.0)


@functools.cache
def table_of(kinds: str) -> Array:
    """Return the rows of the rule: the measurements (k, 12) of each of `KINDS[kinds]`."""
    numbers = np.full((TURNS, NUMBERS), 0.5)
    numbers[:, 1] = (np.arange(TURNS) + 0.5) / TURNS
    turns = 2 * UPRIGHT if kinds == "digits" else 1.0
    drawn = [lit(inside, numbers, turns)[:, None] for inside in KINDS[kinds].values()]
    return np.stack([measurements(screens).mean(0) for screens in drawn])


def nearest_row(observations: Array, kinds: str) -> Array:
    """Return the kind (n,) whose row is nearest, with each measurement in units of its spread."""
    table = table_of(kinds)[:, : observations.shape[1]]
    spread = table.std(0)
    distances = np.square((observations[:, None] - table) / spread).sum(2)
    return np.asarray(distances.argmin(1))


def rules(action_space: spaces.Space[Any]) -> dict[str, Callable[[Array], Array]]:
    """Return the hand-written rule for the kinds that have as many classes."""
    for name, kinds in KINDS.items():
        if action_space == spaces.Discrete(len(kinds)):
            return {"nearest_row": functools.partial(nearest_row, kinds=name)}
    return {}
