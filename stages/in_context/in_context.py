"""How accurate is a network after 0 to 64 examples in its prompt?

    python -m stages in_context

Transformers of three sizes are trained on prompts of many hidden rules. Then they answer questions
about rules that they have never seen, without a learning step (zero-shot and few-shot). The largest
is also compared with fine-tuning on the same examples (stages/in_context/fine_tuning.py).
"""

from __future__ import annotations

from typing import Any

from stages.datasets.prompts import BUTTONS, REPORTED
from stages.in_context.fine_tuning import RULES, mean_accuracy
from stages.in_context.transformers import LARGE, LEARNING_RATES, SMALL, Size, prompts
from stages.lab.claims import Claim, Note, difference_of
from stages.lab.experiment import Experiment
from stages.lab.plots import Curves
from stages.lab.results import Cell, Results, Texts, ValueTable, own_cells
from stages.lab.trials import run_trial
from training.config import RunConfig

METRICS = {"few_shot": "shots", "described": "told"}
COMPARED = (4, 16, 64)
"""Numbers of examples at which the prompt is compared with fine-tuning."""
FEW, MANY = COMPARED[0], COMPARED[-1]
OTHERS = tuple((way, LARGE) for way in ("described", "prompt", "fine_tuned", "scratch"))


def measure(config: RunConfig) -> dict[Cell, float]:
    """Train on many rules; return accuracies on other rules, in percent."""
    run, points = run_trial(config)
    size = Size(config.settings.width, config.settings.layers, config.settings.heads)
    metrics = points[-1].metrics
    found: dict[Cell, float] = {
        ((way, size), k): 100 * metrics[f"{metric}_{k}"]
        for way, metric in METRICS.items()
        for k in REPORTED
    }
    for k in COMPARED if size == LARGE else ():
        accuracies = mean_accuracy(run, k)
        found |= {((way, size), k): 100 * each for way, each in accuracies.items()}
    return found


def claim(text: str, first: Any, second: Any, *counts: tuple[int, int]) -> Claim:
    """Return the claim that a series is above another, at the first of two pairs of counts."""
    pairs = [((first, a), (second, b)) for a, b in counts]
    words = {"few": FEW, "many": MANY, "second": difference_of(*pairs[1])}
    return Claim(text, *pairs[0], words=words)


def label(texts: Texts, series: tuple[str, Size]) -> str:
    """Return the name of a series."""
    way, size = series
    return str(texts[way].format(size))


def plot(axes: Any, results: Results) -> None:
    """Draw the curves, with the note below them."""
    legend = {"loc": "upper left", "ncols": 2, "fontsize": 15}
    baseline = 100 / len(BUTTONS)
    Curves((0, 100), baseline, scale="even", dashed=OTHERS, legend=legend)(axes, results)
    axes.set_xlabel(f"{results.texts['x']}\n{results.texts['note'].format(rules=RULES)}")


EXPERIMENT = Experiment(
    series=(*(("few_shot", size) for size in LEARNING_RATES), *OTHERS),
    sizes=REPORTED,
    labels=label,
    grid={size: prompts(size) for size in reversed(LEARNING_RATES)},  # the slowest first
    measure=measure,
    values=own_cells,
    table=ValueTable(rows="series", digits=0),
    conclusions=(
        Note("note", words={"rules": RULES}),
        claim("learns", ("few_shot", LARGE), ("few_shot", LARGE), (FEW, 0), (MANY, 0)),
        claim("description", ("described", LARGE), ("few_shot", LARGE), (0, 0), (MANY, MANY)),
        claim("size", ("few_shot", LARGE), ("few_shot", SMALL), (MANY, MANY), (FEW, FEW)),
        claim("tuning", ("prompt", LARGE), ("fine_tuned", LARGE), (FEW, FEW), (MANY, MANY)),
    ),
    plot=plot,
)
