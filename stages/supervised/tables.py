"""Where do gradient-boosted trees win, and where does a network?

    python -m stages tables

The first question is where the ball will land. A row of the table is the state of the game, five
numbers, and in a second table 20 more columns of random numbers, which mean nothing. The third
question is panda or rabbit, from 576 pixels. For each number of examples, trees and network are
tuned equally: each may choose one of three lengths of training on the validation split.
"""

from __future__ import annotations

from collections.abc import Mapping

from stages.lab.claims import Note, claim_at
from stages.lab.experiment import Experiment
from stages.lab.plots import Curves, Panels
from stages.lab.results import Cell, ValueTable, joined_texts
from stages.lab.trials import Trial
from stages.supervised.boosted_trees import check_installed, train_both

SIZES = (100, 1_000, 30_000)
ROWS = {"observation": "state"}
QUESTIONS: dict[str, tuple[Trial, tuple[int, ...]]] = {
    "columns": (Trial("regress", 204_800, ROWS), SIZES),
    "noise": (Trial("regress", 204_800, {**ROWS, "noise_columns": 20}), SIZES),
    "pixels": (Trial("shapes", 102_400, {"of": "animals"}), SIZES[:2]),
}
"""Trial and sizes of each question."""
LEARNERS = ("trees", "network")
SERIES = tuple((question, learner) for question in QUESTIONS for learner in LEARNERS)
FEW, MANY = SIZES[1:]


def values(cell: tuple[str, int], errors: Mapping[str, float]) -> dict[Cell, float]:
    """Return the error of each learner."""
    question, size = cell
    return {((question, learner), size): errors[learner] for learner in LEARNERS}


EXPERIMENT = Experiment(
    series=SERIES,
    sizes=SIZES,
    labels=joined_texts(": "),
    seeds=5,
    grid={
        (question, size): trial.with_options(examples=size)
        for question, (trial, sizes) in QUESTIONS.items()
        for size in sizes
    },
    check=check_installed,
    measure=train_both,
    values=values,
    table=ValueTable(rows="series"),
    conclusions=(
        Note("claim"),
        claim_at(FEW, "meaningless", ("noise", "network"), ("noise", "trees")),
        claim_at(FEW, "unstructured", ("pixels", "trees"), ("pixels", "network")),
        Note("limits"),
        claim_at(FEW, "smooth", ("columns", "trees"), ("columns", "network")),
        claim_at(MANY, "limit", ("noise", "trees"), ("noise", "network")),
    ),
    plot=Panels(dict.fromkeys(QUESTIONS), Curves(legend={"loc": "upper right"})),
)
