"""With how many examples do hand-made features win, and with how many do raw pixels?

    python -m stages features

The question is where the ball will land, on screens with up to three decoys: rectangles as bright
as the ball, which do not move. The agent sees either two screens of 24 x 24 pixels, or five numbers
that a hand-written function computes from them (`features` in stages/datasets/paddle_states.py).
The function was written for screens without decoys. A third agent sees features that a person has
rewritten for decoys (`motion_features`). All learn from 1,000 to 30,000 examples; the test examples
are the same for all.
"""

from __future__ import annotations

from collections.abc import Sequence

from stages.lab.claims import claim_at
from stages.lab.experiment import Experiment
from stages.lab.results import Cell
from stages.lab.trials import Point, Trial

SIZES = (1_000, 10_000, 30_000)
FEW, MANY = SIZES[0], SIZES[-1]
OBSERVATIONS = ("features", "screen", "motion")


def error_percent(cell: Cell, points: Sequence[Point]) -> dict[Cell, float]:
    """Return the final error in percent of the box; the score is minus the error."""
    return {cell: -100 * points[-1].score}


EXPERIMENT = Experiment(
    series=OBSERVATIONS,
    sizes=SIZES,
    seeds=5,
    grid={
        (observation, size): Trial(
            "regress",
            steps=153_600,
            options={"examples": size, "observation": observation, "decoys": 3},
        )
        for observation in OBSERVATIONS
        for size in SIZES
    },
    values=error_percent,
    conclusions=(
        claim_at(FEW, "few", "screen", "features"),
        claim_at(MANY, "many", "features", "screen"),
        claim_at(MANY, "rewritten", "screen", "motion"),
    ),
)
