"""Is it harder to generate a screen than to recognise what is on it?

    python -m stages generation

The same agent learns three tasks from 100 to 10,000 examples. Recognition: given a screen, predict
where ball and paddle are. Generation: given where they are, predict the screen. Super-resolution:
given a ninth of the pixels, predict the screen. The score is the share of variance explained (R^2):
0 for a constant prediction, 100 for a perfect one.
"""

from __future__ import annotations

from typing import Any

from stages.lab.claims import Claim
from stages.lab.experiment import Experiment
from stages.lab.plots import Curves
from stages.lab.results import Cell, Results, Table, ValueTable
from stages.lab.trials import Trial
from stages.supervised.predictions import Predicted, side_by_side, train_and_predict

TASKS = {
    "recognise": ("screen", "state"),
    "generate": ("state", "screen"),
    "sharpen": ("coarse", "screen"),
}
"""Source and target of each task."""
SIZES = (100, 1_000, 10_000)
COMPARED = 1_000


def score(cell: Cell, learned: Predicted) -> dict[Cell, float]:
    """Return the score of a trial."""
    return {cell: learned.score}


def table(results: Results) -> Table:
    """Return the usual table, with the number of outputs of each task."""
    columns, rows = ValueTable(rows="series")(results)
    outputs = [str(results.found[task, SIZES[0]][0].targets[0].size) for task in TASKS]
    longer = [(*row, number) for row, number in zip(rows, outputs, strict=True)]
    return Table((*columns, results.texts["numbers"]), longer)


def plot(axes: Any, results: Results) -> None:
    """Draw the curves, and next to them true, generated and sharpened screens."""
    left, right = axes.figure.add_gridspec(1, 2, width_ratios=(9, 5))
    axes.set_subplotspec(left)
    Curves(ylim=(None, 102), legend={"loc": "lower right"})(axes, results)
    generated, sharpened = (results.found[task, SIZES[-1]][0] for task in ("generate", "sharpen"))
    pictures = axes.figure.add_subplot(right)
    pictures.imshow(side_by_side(generated, sharpened))
    pictures.set(xticks=[], yticks=[])
    pictures.set_xlabel(results.texts["pictures"], fontsize=17)
    pictures.grid(False)


def claim(text: str, task: str) -> Claim:
    """Return the claim that `task` scores more than generation."""
    return Claim(text, (task, COMPARED), ("generate", COMPARED), words={"size": COMPARED})


EXPERIMENT = Experiment(
    series=tuple(TASKS),
    sizes=SIZES,
    grid={
        (task, size): Trial(
            "translate",
            steps=102_400,
            options={"examples": size, "source": source, "target": target},
        )
        for task, (source, target) in TASKS.items()
        for size in SIZES
    },
    measure=train_and_predict,
    values=score,
    table=table,
    conclusions=(claim("generate_verdict", "recognise"), claim("sharpen_verdict", "sharpen")),
    plot=plot,
)
