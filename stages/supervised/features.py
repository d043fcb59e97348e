"""With how many examples do hand-made features win, and with how many do raw pixels?

    python -m stages features

The question is where the ball will land. The agent sees either two screens of 24 x 24 pixels or
five numbers that a hand-written function computes from the same screens (`features` in
stages/datasets/paddle_states.py). It learns from 100 to 30,000 examples; the test examples are the
same for all.
"""

from __future__ import annotations

from collections.abc import Sequence

from stages.lab.claims import Claim
from stages.lab.experiment import Experiment
from stages.lab.results import Cell
from stages.lab.trials import Point, Trial

SIZES = (100, 300, 1_000, 3_000, 10_000, 30_000)
OBSERVATIONS = ("features", "screen")


def error_percent(cell: Cell, points: Sequence[Point]) -> dict[Cell, float]:
    """Return the final error in percent of the box; the score is minus the error."""
    return {cell: -100 * points[-1].score}


EXPERIMENT = Experiment(
    series=OBSERVATIONS,
    sizes=SIZES,
    grid={
        (observation, size): Trial(
            "regress",
            steps=51_200 if size <= 1_000 else 153_600,
            options={"examples": size, "observation": observation},
        )
        for observation in OBSERVATIONS
        for size in SIZES
    },
    values=error_percent,
    conclusions=(
        Claim("few", ("screen", SIZES[0]), ("features", SIZES[0]), words={"size": SIZES[0]}),
        Claim("many", ("features", SIZES[-1]), ("screen", SIZES[-1]), words={"size": SIZES[-1]}),
    ),
)
