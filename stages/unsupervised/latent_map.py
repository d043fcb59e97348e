"""Are screens with similar latent codes screens with the ball in a similar place?

    python -m stages latent_map

An autoencoder is trained on screens without labels. For each test screen, the nearest neighbour is
found by latent codes and by pixels, and the distance between the balls of the two screens is
measured. The slide shows the codes of the first seed in a plane, coloured by the ball's position.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stages.lab.claims import Claim, mean_of
from stages.lab.experiment import Experiment
from stages.lab.intervals import ratio
from stages.lab.results import Cell, Results, Table
from stages.pictures.maps import box_of_colours, colours_of_places
from stages.unsupervised.autoencoders import autoencoder
from stages.unsupervised.neighbours import Map, find_neighbours

CODES = 4
NEIGHBOURS = ("codes", "pixels", "plane", "chance")


def distances(cell: Cell, found: Map) -> Mapping[str, float]:
    """Return the distances of a trial."""
    return found.distances


def table(results: Results) -> Table:
    """Return a row for each kind of neighbour."""
    rows = [(results.label(kind), f"{results.mean(kind):.1f}") for kind in NEIGHBOURS]
    return Table(results.texts["columns"], rows)


def plot(axes: Any, results: Results) -> None:
    """Draw the plane, and a box that shows which colour is where."""
    texts, found = results.texts, results.found[CODES][0]
    axes.scatter(*found.plane.T, c=colours_of_places(found.positions) / 255, s=36)
    axes.set(xlabel=texts["first"], ylabel=texts["second"], xticks=[], yticks=[])
    key = axes.inset_axes((1.03, 0.3, 0.22, 0.4))
    key.imshow(box_of_colours(64), aspect="auto")
    key.set(xticks=[], yticks=[], xlabel=texts["key"])
    key.grid(False)


EXPERIMENT = Experiment(
    grid={CODES: autoencoder(CODES)},
    measure=find_neighbours,
    values=distances,
    table=table,
    conclusions=(
        Claim(
            *("verdict", "chance", "codes"),
            compare=ratio,
            words={kind: mean_of(kind) for kind in NEIGHBOURS},
        ),
    ),
    plot=plot,
)
