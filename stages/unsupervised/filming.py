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
from stages.lab.results import Cell
from stages.lab.trials import run_trial
from training.config import RunConfig

MOMENTS = 1_000  # of a game, at most; 33 s
GAMES = 10
SCREENS = (4, 8, 16)  # of a summary
COMPARED = 8
WAYS = ("codes", "evenly")
CODES = 4


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


class Summaries(NamedTuple):
    """Summaries of the games of one seed."""

    unseen: dict[Cell, float]
    """Mean distance in percent of the box, by way and number of screens."""
    screens: dict[str, Array]
    """Screens (COMPARED, side, side) of the first game, by way."""


def summarise(config: RunConfig) -> Summaries:
    """Train an autoencoder, film games and sum them up."""
    agent = run_trial(config)[0].agent
    found: dict[Cell, list[float]] = {(way, count): [] for way in WAYS for count in SCREENS}
    shown: dict[str, Array] = {}
    for game in range(GAMES):
        screens, places = film(GAMES * config.seed + game)
        codes, generator = agent.encode(screens), np.random.default_rng((config.seed, game))
        assert codes is not None
        for count in SCREENS:
            summaries = {
                "codes": chosen(codes, count, generator),
                "evenly": evenly_spaced(len(screens), count),
            }
            for way, summary in summaries.items():
                found[way, count].append(unseen(places, summary))
                if count == COMPARED and game == 0:
                    shown[way] = screens[summary, 0]
    return Summaries({cell: float(np.mean(each)) for cell, each in found.items()}, shown)
