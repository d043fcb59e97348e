"""Recognition against generation: which takes more examples?

    python -m stages generation

One game, three questions. Recognition: a screen is given, where are ball and paddle? Generation: it
is told where they are, how does the screen look? Super-resolution: a ninth of the pixels is given,
how does the whole screen look? The same agent learns each of them from 100 to 10,000 examples. The
score of all three is the share that is right of what can be told: 0 for who always says the same,
100 for who is right.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from agents.saliency import enlarged, tiled
from stages.datasets.dataset import Array, examples_of
from stages.datasets.environments import dataset_of
from stages.lab.experiment import ExperimentOptions, claim, tell
from stages.lab.intervals import Mean, difference, mean
from stages.lab.slides import draw_curve, make_logarithmic, slide
from stages.lab.texts import load
from stages.lab.trials import run_trials, trained, trial
from training.config import RunConfig

WAYS = {
    "recognise": ("screen", "state"),
    "generate": ("state", "screen"),
    "sharpen": ("coarse", "screen"),
}
"""From what to what."""
SIZES = (100, 1_000, 10_000)
COMPARED = 1_000
STEPS = 102_400
SHOWN = 4  # screens on the slide


class Learned(NamedTuple):
    """What one trial has found."""

    score: float
    """Percent."""
    numbers: int
    """Of each answer."""
    answers: Array
    """(SHOWN, ...) of new examples."""
    guesses: Array
    """The same."""


def examine(config: RunConfig) -> Learned:
    """Train, and ask about new examples."""
    run, points = trained(config)
    new = examples_of(dataset_of(run.runner.environments), "test")
    guesses = run.agent.act(new.observations[:SHOWN], explore=False)
    answers = new.targets[:SHOWN]
    return Learned(100 * points[-1].score, answers[0].size, answers, guesses)


def experiment(options: ExperimentOptions, path: Path) -> None:
    """Measure, and show."""
    texts = load("generation", options.lang)
    configs = {
        (way, size): [
            trial("translate", seed, STEPS, examples=size, source=source, target=target)
            for seed in options.each_seed
        ]
        for way, (source, target) in WAYS.items()
        for size in SIZES
    }
    found = run_trials(examine, configs, options.processes, texts["progress"])
    scores = {cell: [each.score for each in of_cell] for cell, of_cell in found.items()}
    means = {cell: mean(values) for cell, values in scores.items()}
    columns = (texts["x"], *(f"{size:,}" for size in SIZES), texts["numbers"])
    rows = [
        (
            texts[way],
            *(f"{means[way, size]:.1f}" for size in SIZES),
            str(found[way, SIZES[0]][0].numbers),
        )
        for way in WAYS
    ]
    tell(texts["title"], columns, rows, verdicts(options, scores))
    draw(path, options.lang, means, [found[way, SIZES[-1]][0] for way in WAYS])


def verdicts(options: ExperimentOptions, scores: dict[tuple[str, int], list[float]]) -> str:
    """A sentence for each claim; differences are taken seed by seed."""
    sentences = []
    for name, winner, loser in (
        ("generate_verdict", "recognise", "generate"),
        ("sharpen_verdict", "sharpen", "generate"),
    ):
        gap = difference(scores[winner, COMPARED], scores[loser, COMPARED])
        text = load("generation", options.lang)[name]
        sentences.append(claim(options, text, gap, gap.low > 0, size=COMPARED))
    return "\n".join(sentences)


def side_by_side(generated: Learned, sharpened: Learned) -> Array:
    """A row for each screen: how it is, how it was generated, how it was sharpened."""
    columns = (generated.answers, generated.guesses, sharpened.guesses)
    screens = np.clip(np.stack(columns, 1)[:, :, 0], 0, 255).astype(np.uint8)
    flat = screens.reshape(-1, *screens.shape[2:])
    return tiled(enlarged(np.repeat(flat[..., None], 3, -1), 120), len(columns))


def draw(path: Path, lang: str, scores: dict[tuple[str, int], Mean], shown: list[Learned]) -> None:
    """The scores over the number of examples, and beside them what was made."""
    texts = load("generation", lang)
    with slide(path, lang) as axes:
        grid = axes.figure.add_gridspec(1, 2, width_ratios=(9, 5))
        axes.set_subplotspec(grid[0])
        for k, way in enumerate(WAYS):
            draw_curve(axes, k, SIZES, [scores[way, size] for size in SIZES], texts[way])
        make_logarithmic(axes, SIZES)
        axes.set(xlabel=texts["x"], ylabel=texts["y"], title=texts["title"])
        axes.set_ylim(top=102)
        axes.legend(loc="lower right")
        pictures = axes.figure.add_subplot(grid[1])
        pictures.imshow(side_by_side(*shown[1:]))
        pictures.set(xticks=[], yticks=[])
        pictures.set_xlabel(texts["pictures"], fontsize=17)
        pictures.grid(False)
