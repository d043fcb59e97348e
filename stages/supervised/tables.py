"""Where do gradient-boosted trees win, and where does a network?

    python -m stages tables

The first question is where the ball will land. A row of the table is the state of the game, five
numbers, and in a second table 20 more columns of random numbers, which mean nothing. The third
question is panda or rabbit, from 576 pixels. For each number of examples, trees and network are
tuned equally: each may choose one of three lengths of training on the validation split.
"""

from __future__ import annotations

from collections.abc import Mapping

from stages.lab.claims import Claim, Note
from stages.lab.experiment import Experiment
from stages.lab.plots import Curves, Panels
from stages.lab.results import Cell, Texts, ValueTable
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


def label(texts: Texts, series: tuple[str, str]) -> str:
    """Return the name of a question with a learner."""
    return ": ".join(texts[part] for part in series)


def claim(text: str, question: str, size: int, worse: str, better: str) -> Claim:
    """Return the claim that one learner errs less."""
    first, second = (((question, learner), size) for learner in (worse, better))
    return Claim(text, first, second, words={"size": size})


EXPERIMENT = Experiment(
    series=SERIES,
    sizes=SIZES,
    labels=label,
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
        claim("meaningless", "noise", FEW, "network", "trees"),
        claim("unstructured", "pixels", FEW, "trees", "network"),
        Note("limits"),
        claim("smooth", "columns", FEW, "trees", "network"),
        claim("limit", "noise", MANY, "trees", "network"),
    ),
    plot=Panels(dict.fromkeys(QUESTIONS), Curves(legend={"loc": "upper right"})),
)
