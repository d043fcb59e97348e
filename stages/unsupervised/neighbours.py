"""Nearest neighbours of screens, by the latent codes of an autoencoder and by pixels."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from stages.datasets.dataset import Array
from stages.pictures.maps import in_a_plane
from stages.unsupervised.autoencoders import train_and_encode
from training.config import RunConfig

SCREENS = 2_000


class Map(NamedTuple):
    """Latent codes of test screens in a plane, and how well they tell where the ball is."""

    distances: Mapping[str, float]
    """Distance between the balls of neighbours in percent of the box, by kind of neighbour."""
    plane: Array
    """Codes in a plane, (n, 2)."""
    positions: Array
    """Positions of the ball, (n, 2)."""


def find_neighbours(config: RunConfig) -> Map:
    """Train an autoencoder, and find the neighbours of test screens."""
    _, screens, positions, codes = train_and_encode(config, SCREENS)
    plane = in_a_plane(codes)
    neighbours = {
        "codes": nearest_other(codes),
        "pixels": nearest_other(screens.reshape(len(screens), -1)),
        "plane": nearest_other(plane),
        "chance": np.roll(np.arange(len(positions)), 1),
    }
    distances = {
        kind: 100 * float(np.linalg.norm(positions - positions[other], axis=1).mean())
        for kind, other in neighbours.items()
    }
    return Map(distances, plane, positions)


def nearest_other(points: Array) -> Array:
    """Return the index (n,) of the nearest other point of each of the points (n, k)."""
    flat = points.astype(np.float64)
    lengths = np.square(flat).sum(1)
    squares = lengths[:, None] + lengths - 2 * flat @ flat.T
    np.fill_diagonal(squares, math.inf)
    return np.asarray(squares.argmin(1))
