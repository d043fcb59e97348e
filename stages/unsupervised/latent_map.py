"""Do codes that nobody has labelled put screens together that show the ball in the same place?

    python -m stages latent_map

An autoencoder is trained on screens alone. Of new screens, each one's nearest neighbour is looked
up, by its codes and by its pixels: how far from each other are the balls of the two? The slide
shows the codes of the first seed in a plane, coloured by where the ball is.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import NamedTuple

import numpy as np

from stages.datasets.dataset import Array
from stages.lab.experiment import ExperimentOptions, claim, tell
from stages.lab.intervals import mean, ratio
from stages.lab.slides import slide
from stages.lab.texts import load
from stages.lab.trials import run_trials
from stages.unsupervised.autoencoders import autoencoder, encoded
from stages.viewers.maps import box_of_colours, colours_of_places, in_a_plane
from training.config import RunConfig

CODES = 4
LOOKED_AT = 2_000

WAYS = ("codes", "pixels", "plane", "chance")


class Map(NamedTuple):
    """What one trial has found."""

    distances: dict[str, float]
    """Of the balls of neighbours, in percent of the box, by what makes neighbours."""
    plane: Array
    places: Array


def examine(config: RunConfig) -> Map:
    """Train, and look up neighbours."""
    _, screens, places, codes = encoded(config, LOOKED_AT)
    plane = in_a_plane(codes)
    neighbours = {
        "codes": nearest_other(codes),
        "pixels": nearest_other(screens.reshape(len(screens), -1)),
        "plane": nearest_other(plane),
        "chance": np.roll(np.arange(len(places)), 1),
    }
    distances = {
        way: 100 * float(np.linalg.norm(places - places[other], axis=1).mean())
        for way, other in neighbours.items()
    }
    return Map(distances, plane, places)


def nearest_other(points: Array) -> Array:
    """Of each of the points (n, k) the index of the nearest other one."""
    flat = points.astype(np.float64)
    lengths = np.square(flat).sum(1)
    squares = lengths[:, None] + lengths - 2 * flat @ flat.T
    np.fill_diagonal(squares, math.inf)
    return np.asarray(squares.argmin(1))


def experiment(options: ExperimentOptions, path: Path) -> None:
    """Measure, and show."""
    texts = load("latent_map", options.lang)
    configs = {CODES: [autoencoder(seed, CODES) for seed in options.each_seed]}
    found = run_trials(examine, configs, options.processes, texts["progress"])[CODES]
    distances = {way: [each.distances[way] for each in found] for way in WAYS}
    means = {way: mean(values) for way, values in distances.items()}
    rows = [(texts[way], f"{means[way]:.1f}") for way in WAYS]
    times = ratio(distances["chance"], distances["codes"])
    verdict = claim(
        options,
        texts["verdict"],
        times,
        times.low > 1,
        **{way: means[way].value for way in WAYS},
    )
    tell(texts["title"], texts["columns"], rows, verdict)
    draw(path, options.lang, found[0])


def draw(path: Path, lang: str, found: Map) -> None:
    """The plane, and the box that says which colour is where."""
    texts = load("latent_map", lang)
    with slide(path, lang) as axes:
        axes.scatter(*found.plane.T, c=colours_of_places(found.places) / 255, s=36)
        axes.set(title=texts["title"], xlabel=texts["first"], ylabel=texts["second"])
        axes.set(xticks=[], yticks=[])
        key = axes.inset_axes((1.03, 0.3, 0.22, 0.4))
        key.imshow(box_of_colours(64), aspect="auto")
        key.set(xticks=[], yticks=[], xlabel=texts["key"])
        key.grid(False)
