"""How accurate is a network after 0 to 64 examples in its prompt, and does its size matter?

    python -m stages in_context

Transformers of four sizes are trained on prompts of many hidden rules. Then they answer questions
about rules that they have never seen, without a learning step (zero-shot, one-shot, few-shot). They
are also compared with fine-tuning on the same examples (stages/in_context/fine_tuning.py). A second
slide, in_context_2.png, has the accuracy over the number of parameters.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from stages.datasets.prompts import BUTTONS, REPORTED
from stages.in_context.fine_tuning import RULES, mean_accuracy
from stages.in_context.transformers import LARGE, LEARNING_RATES, SMALL, Size, prompts
from stages.lab.claims import Claim, Note, difference_of
from stages.lab.experiment import Experiment
from stages.lab.plots import Curves, draw_curve, draw_footer, make_logarithmic
from stages.lab.results import Cell, Results, Texts, ValueTable, own_cells
from stages.lab.trials import parameters_of, run_trial
from training.config import RunConfig
from training.loop import Run

SIZES = tuple(LEARNING_RATES)
METRICS = {"few_shot": "shots", "described": "told"}
COMPARED = (4, 64)
"""Numbers of examples at which the prompt is compared with fine-tuning, the last for all sizes."""
FEW, MANY = COMPARED[0], COMPARED[-1]
WAYS = (*METRICS, "prompt", "fine_tuned")
SHOTS = (("described", 0), ("described", 1), ("prompt", MANY), ("fine_tuned", MANY))
"""Curves of the second slide: zero-shot, one-shot, few-shot and fine-tuning."""
BASELINE = 100 / len(BUTTONS)


def measure(
    config: RunConfig, compare: Callable[[Run, int], dict[str, float]] = mean_accuracy
) -> dict[Cell, float]:
    """Train on many rules; return accuracies on other rules, in percent, and the parameters.

    `compare` returns the accuracies of a prompt and of fine-tuning with a number of examples.
    """
    run, points = run_trial(config)
    size = Size(config.settings.width, config.settings.layers, config.settings.heads)
    metrics = points[-1].metrics
    found: dict[Cell, float] = {
        ((way, size), k): 100 * metrics[f"{metric}_{k}"]
        for way, metric in METRICS.items()
        for k in REPORTED
    }
    for k in COMPARED if size == LARGE else (MANY,):
        accuracies = compare(run, k)
        found |= {((way, size), k): 100 * each for way, each in accuracies.items()}
    found["lead", size] = found[("prompt", size), MANY] - found[("fine_tuned", size), MANY]
    found["parameters", size] = parameters_of(run.agent)
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


def plot_examples(axes: Any, results: Results) -> None:
    """Draw the accuracy of each size over the number of examples."""
    sizes = dataclasses.replace(results, series=[("few_shot", size) for size in SIZES])
    Curves((0, 100), BASELINE, scale="even", legend={"loc": "upper left"})(axes, sizes)
    axes.set_xlabel(f"{results.texts['x']}\n{results.texts['note']}")


def plot_parameters(axes: Any, results: Results) -> None:
    """Draw the accuracy of each way to use examples over the number of parameters."""
    parameters = [round(results.mean(("parameters", size)).value) for size in SIZES]
    for k, (way, shots) in enumerate(SHOTS):
        means = [results.mean(((way, size), shots)) for size in SIZES]
        draw_curve(axes, k, parameters, means, results.texts["shots"][k])
    axes.axhline(BASELINE, color="grey", ls=":")
    make_logarithmic(axes, parameters)
    axes.set_ylim(0, 100)
    axes.legend(loc="lower center", ncols=2)
    draw_footer(axes, results, "intervals")


EXPERIMENT = Experiment(
    series=(*((way, size) for way in WAYS for size in SIZES), ("scratch", LARGE)),
    sizes=REPORTED,
    labels=label,
    seeds=5,
    quick=0.02,
    grid={size: prompts(size) for size in reversed(SIZES)},  # the slowest first
    measure=measure,
    values=own_cells,
    table=ValueTable(rows="series", digits=0),
    conclusions=(
        Note("compared", words={"rules": RULES}),
        claim("learns", ("few_shot", LARGE), ("few_shot", LARGE), (FEW, 0), (MANY, 0)),
        claim("description", ("described", LARGE), ("few_shot", LARGE), (0, 0), (MANY, MANY)),
        claim("size", ("few_shot", LARGE), ("few_shot", SMALL), (MANY, MANY), (FEW, FEW)),
        claim("tuning", ("prompt", LARGE), ("fine_tuned", LARGE), (FEW, FEW), (MANY, MANY)),
        Claim("lead", ("lead", LARGE), ("lead", SMALL), words={"many": MANY}),
    ),
    plot=plot_examples,
    second_plot=plot_parameters,
)
