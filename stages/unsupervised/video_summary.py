"""Do a few screens that k-means chooses sum up a long game better than evenly spaced ones?

    python -m stages video_summary

An autoencoder learns from screens without labels. A game of up to 1,000 screens is filmed, and
k-means groups the codes of its screens. The screen nearest to the centre of each group stands for
the group. How much of the game do these screens show? For each screen of the game, the ball's
distance from the nearest ball of the summary is measured, on average over 10 games. It is compared
with that of as many evenly spaced screens.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from agents.saliency import enlarged, tiled
from stages.lab.claims import Claim, mean_of
from stages.lab.experiment import Experiment
from stages.lab.plots import Curves
from stages.lab.results import Cell, Results
from stages.unsupervised.autoencoders import autoencoder
from stages.unsupervised.filming import CODES, COMPARED, SCREENS, WAYS, Summaries, summarise

FEWER = {"examples": 10_000, "test_examples": 1_000}


def distances(cell: Cell, found: Summaries) -> dict[Cell, float]:
    """Return the distances of a trial."""
    return found.unseen


def plot(axes: Any, results: Results) -> None:
    """Draw the curves, and next to them the chosen and the evenly spaced screens of one game."""
    left, right = axes.figure.add_gridspec(1, 2, width_ratios=(8, 7))
    axes.set_subplotspec(left)
    Curves(scale="even", legend={"loc": "upper right"})(axes, results)
    grids = right.subgridspec(2, 1)
    for k, way in enumerate(("codes", "evenly")):
        screens = results.found[CODES][0].screens[way]
        place = axes.figure.add_subplot(grids[k])
        place.imshow(tiled(enlarged(np.repeat(screens[..., None], 3, -1), 120), len(screens) // 2))
        place.set(xticks=[], yticks=[])
        place.set_xlabel(results.label(way), fontsize=17)
        place.grid(False)


EXPERIMENT = Experiment(
    series=WAYS,
    sizes=SCREENS,
    grid={CODES: autoencoder(CODES, steps=51_200).with_options(**FEWER)},
    measure=summarise,
    values=distances,
    conclusions=(
        Claim(
            *("verdict", ("codes", COMPARED), ("evenly", COMPARED)),
            smaller=True,
            words={
                "count": COMPARED,
                "chosen": mean_of(("codes", COMPARED)),
                "spaced": mean_of(("evenly", COMPARED)),
            },
        ),
    ),
    plot=plot,
)
