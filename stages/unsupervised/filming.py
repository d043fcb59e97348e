"""Films of games, and a few screens that stand for all screens of a film."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from agents.kmeans import nearest, recomputed
from envs.paddle.rules import intercept
from rewards.make import make_vector
from stages.datasets.dataset import Array
from stages.datasets.paddle_states import rows
from stages.datasets.reconstruct import Reconstruct

MOMENTS = 1_000  # of a game, at most; 33 s


class Film(NamedTuple):
    """Every step of a game."""

    screens: Array
    """uint8 (n, 1, side, side), as in `--env reconstruct`."""
    places: Array
    """(n, 2): x and y of the ball in 0..1."""


def film(seed: int) -> Film:
    """Film a game of the player who goes to where the ball will land."""
    dataset = Reconstruct()
    side = dataset.screen_size
    batch = make_vector("paddle", num_envs=1, observation="screen", screen_size=side).batch
    batch.reset(np.arange(1), [seed])
    screens: list[Array] = []
    places: list[tuple[float, float]] = []
    while len(screens) < MOMENTS and not batch.terminated[0]:
        screens.append(batch.observations[0].copy())
        places.append((batch.states["ball_x"][0], batch.states["ball_y"][0]))
        batch.step(intercept(rows(batch.states)))
    return Film(dataset.observe(np.stack(screens), None), np.array(places))


def chosen(points: Array, count: int, generator: np.random.Generator) -> Array:
    """Return the indices (count,), in order, of the points nearest to the centres of k-means.

    `points` (n, k) must be at least `count`.
    """
    centres = points[generator.choice(len(points), count, replace=False)].astype(np.float64)
    while True:
        moved = recomputed(points, nearest(points, centres), centres)
        if np.array_equal(moved, centres):
            return np.sort(nearest(centres, points))
        centres = moved


def evenly_spaced(moments: int, count: int) -> Array:
    """Return the indices (count,) of the middles of `count` equal parts of a film."""
    return np.asarray((np.arange(count) + 0.5) * moments / count, np.int64)


def unseen(places: Array, shown: Array) -> float:
    """Return how far the ball (n, 2) is on average from the nearest one of the moments `shown`.

    In percent of the box.
    """
    far = np.linalg.norm(places[:, None] - places[shown], axis=2).min(1)
    return 100 * float(far.mean())
