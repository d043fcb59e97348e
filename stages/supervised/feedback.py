"""How much more feedback does an agent need if it is given rewards instead of labels?

    python -m stages feedback

The environment, the network and the learning rate are the same; only the feedback differs. A label
and a reward are one number each, so both learning curves share an axis.
"""

from __future__ import annotations

from collections.abc import Sequence

from stages.lab.claims import Claim
from stages.lab.experiment import Experiment
from stages.lab.intervals import ratio
from stages.lab.plots import LearningCurves
from stages.lab.results import Cell, Results, Table, numbers_needed
from stages.lab.trials import Point, Trial

STEPS = {"answer": 153_600, "reward": 230_400}
EVALUATE_EVERY = 15_360
ACCURACIES = (0.6, 0.7, 0.8, 0.9)
COMPARED = 0.8
RANDOM_ACCURACY = 0.25


def values(feedback: Cell, points: Sequence[Point]) -> dict[Cell, float]:
    """Return the numbers of feedback needed for each accuracy."""
    return {
        (feedback, accuracy): numbers_needed(points, accuracy, RANDOM_ACCURACY)
        for accuracy in ACCURACIES
    }


def table(results: Results) -> Table:
    """Return a row for each accuracy: labels, rewards and their ratio."""
    rows = []
    for accuracy in ACCURACIES:
        labels, rewards = (results.values[feedback, accuracy] for feedback in STEPS)
        means = (f"{results.mean((feedback, accuracy)).value:,.0f}" for feedback in STEPS)
        rows.append((f"{accuracy:.0%}", *means, f"{ratio(rewards, labels).value:.1f}"))
    return Table(results.texts["columns"], rows)


EXPERIMENT = Experiment(
    series=tuple(STEPS),
    grid={
        feedback: Trial(
            "classify",
            steps,
            options={"examples": 100_000, "feedback": feedback},
            settings={"anneal": False},
            evaluations=steps // EVALUATE_EVERY,
        )
        for feedback, steps in STEPS.items()
    },
    values=values,
    table=table,
    conclusions=(
        Claim(
            "verdict",
            ("reward", COMPARED),
            ("answer", COMPARED),
            compare=ratio,
            words={"bar": COMPARED},
        ),
    ),
    plot=LearningCurves(
        x="numbers", ylim=(0, 1), baseline=RANDOM_ACCURACY, legend={"loc": "lower right"}
    ),
)
