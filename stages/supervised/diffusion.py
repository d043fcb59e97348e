"""Can a network that has only learned to remove noise draw a panda or a rabbit on demand?

    python -m stages diffusion

The network learns to predict the clean picture from a noisy one, the share of noise and the animal
(`--env denoise`). It then starts with pure noise and a wish, and removes a little noise at each of
20 steps. A classifier that has learned from real pictures says whether each drawing is the wanted
animal. Drawings of the same animal must differ from each other: their mean squared difference is
compared with that of real pictures.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from agents.saliency import enlarged, tiled
from stages.datasets.denoise import as_screens
from stages.datasets.shape_kinds import ANIMALS
from stages.lab.claims import Claim, mean_of
from stages.lab.experiment import Experiment
from stages.lab.results import Cell, Results, Table
from stages.lab.trials import Trial
from stages.supervised.drawing import SHOWN, STEPS, Drawn, learn_and_draw

ROWS = 3  # of the slide: a panda, a rabbit, and more of both


def numbers_of(cell: Cell, drawn: Drawn) -> dict[Cell, float]:
    """Return the numbers of a trial."""
    return drawn.numbers


def table(results: Results) -> Table:
    """Return a row for one step, for all steps and for real pictures."""
    rows = []
    for key in (*STEPS, "real"):
        numbers = (f"{results.mean((name, key)):.1f}" for name in ("recognised", "spread"))
        rows.append((results.texts[str(key)], *numbers))
    return Table(results.texts["columns"], rows)


def plot(axes: Any, results: Results) -> None:
    """Draw the way from noise to a panda and to a rabbit, and more drawings."""
    pictures, count = results.found["denoise"][0].pictures, len(SHOWN)
    others = pictures[-1, len(ANIMALS) : len(ANIMALS) + count]
    screens = as_screens(np.concatenate((pictures[:, 0], pictures[:, 1], others)))
    picture = tiled(enlarged(np.repeat(screens[..., None], 3, -1), 190), count)
    axes.imshow(picture)
    axes.grid(False)
    height, width = picture.shape[0] / ROWS, picture.shape[1] / count
    texts = results.texts
    axes.set_xticks((np.arange(count) + 0.5) * width, [str(step) for step in SHOWN])
    axes.set_yticks((np.arange(ROWS) + 0.5) * height, [*map(texts.get, ANIMALS), texts["more"]])
    axes.tick_params(length=0)


EXPERIMENT = Experiment(
    grid={
        "denoise": Trial(
            "denoise", steps=51_200, options={"examples": 20_000, "test_examples": 1_000}
        )
    },
    measure=learn_and_draw,
    values=numbers_of,
    table=table,
    conclusions=(
        Claim(
            *("wanted", ("recognised", STEPS[-1]), ("recognised", "chance")),
            words={"found": mean_of(("recognised", STEPS[-1])), "steps": STEPS[-1]},
        ),
        Claim(*("varied", ("spread", STEPS[-1]), ("spread", 1)), words={"steps": STEPS[-1]}),
    ),
    plot=plot,
)
