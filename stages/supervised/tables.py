"""Do gradient-boosted trees learn better and faster from tables than a network?

    python -m stages tables

A row has five numbers: the state of the game as its engine stores it (`observation=state`). The
questions are where the ball will land, and whether it will be missed. The network is that of
`train.py --env regress` and `--env classify`; it makes 51,200 predictions for up to 1,000 rows and
307,200 for more. The seconds are those of one processor core, without evaluations.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stages.lab.claims import Claim, Note, label_of
from stages.lab.experiment import Experiment
from stages.lab.intervals import ratio
from stages.lab.results import Cell, Results, Table, Texts, ValueTable
from stages.lab.trials import Trial
from stages.supervised.boosted_trees import Learned, check_installed, train_both

SIZES = (100, 300, 1_000, 3_000, 10_000, 30_000)
QUESTIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "landing": ("regress", {}),
    "missed": ("classify", {"question": "missed"}),
}
"""Environment of each question and its options."""
LEARNERS = ("trees", "network")


def values(cell: tuple[str, int], found: Mapping[str, Learned]) -> dict[Cell, float]:
    """Return the errors, and the seconds, which the lab averages over both questions."""
    question, size = cell
    errors: dict[Cell, float] = {
        ((question, learner), size): found[learner].error for learner in LEARNERS
    }
    return errors | {("seconds", learner, size): found[learner].seconds for learner in LEARNERS}


def label(texts: Texts, key: tuple[str, ...]) -> str:
    """Return the name of a question with a learner."""
    return ", ".join(texts[part] for part in key)


def table(results: Results) -> Table:
    """Return the usual table with the seconds of both learners."""
    columns, rows = ValueTable()(results)
    texts = results.texts
    names = [texts["seconds"].format(texts[learner]) for learner in LEARNERS]
    longer = [
        (*row, *(f"{results.mean(('seconds', learner, size)).value:.2f}" for learner in LEARNERS))
        for row, size in zip(rows, SIZES, strict=True)
    ]
    return Table((texts["examples"], *columns[1:], *names), longer)


def error_claim(question: str, size: int) -> Claim:
    """Return the claim that trees err less."""
    network, trees = (((question, learner), size) for learner in ("network", "trees"))
    return Claim("error", network, trees, words={"question": label_of((question,)), "size": size})


EXPERIMENT = Experiment(
    series=tuple((question, learner) for question in QUESTIONS for learner in LEARNERS),
    sizes=SIZES,
    labels=label,
    grid={
        (question, size): Trial(
            env,
            steps=51_200 if size <= 1_000 else 307_200,
            options={"examples": size, "observation": "state", **options},
        )
        for question, (env, options) in QUESTIONS.items()
        for size in SIZES
    },
    check=check_installed,
    measure=train_both,
    values=values,
    table=table,
    conclusions=(
        Note("claim"),
        *(error_claim(question, size) for question in QUESTIONS for size in (SIZES[0], SIZES[-1])),
        Claim(
            *("time", ("seconds", "network", SIZES[-1]), ("seconds", "trees", SIZES[-1])),
            compare=ratio,
            words={"size": SIZES[-1]},
        ),
    ),
)
