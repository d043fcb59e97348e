"""Features that a person has thought of against raw pixels: who wins with how many examples?

    python -m stages features

Where will the ball land? Once from two screens of 24 x 24 pixels, once from five numbers that a
person's code reads off the same screens (`features` in stages/datasets/paddle_states.py). The same
agent learns from training sets of 100 to 30,000 examples; all are tested on the same new ones.
"""

from __future__ import annotations

from pathlib import Path

from stages.lab.experiment import ExperimentOptions, claim, tell
from stages.lab.intervals import difference, mean
from stages.lab.slides import draw_curves
from stages.lab.texts import load
from stages.lab.trials import measure, run_trials, trial

SIZES = (100, 300, 1_000, 3_000, 10_000, 30_000)
STEPS = {size: 51_200 if size <= 1_000 else 153_600 for size in SIZES}
EYES = ("features", "screen")


def experiment(options: ExperimentOptions, path: Path) -> None:
    """Measure, and show."""
    texts = load("features", options.lang)
    configs = {
        (eyes, size): [
            trial("regress", seed, STEPS[size], examples=size, observation=eyes)
            for seed in options.each_seed
        ]
        for eyes in EYES
        for size in SIZES
    }
    found = run_trials(measure, configs, options.processes, texts["progress"])
    errors = {cell: [-100 * points[-1].score for points in each] for cell, each in found.items()}
    means = {cell: mean(values) for cell, values in errors.items()}
    rows = [(f"{size:,}", *(f"{means[eyes, size]:.1f}" for eyes in EYES)) for size in SIZES]
    columns = (texts["x"], *(texts[eyes] for eyes in EYES))
    tell(texts["title"], columns, rows, verdicts(options, errors))
    curves = {texts[eyes]: [means[eyes, size] for size in SIZES] for eyes in EYES}
    draw_curves(path, options.lang, texts, SIZES, curves)


def verdicts(options: ExperimentOptions, errors: dict[tuple[str, int], list[float]]) -> str:
    """A sentence for each claim; differences are taken seed by seed."""
    sentences = []
    for name, size, winner, loser in (
        ("few", SIZES[0], "features", "screen"),
        ("many", SIZES[-1], "screen", "features"),
    ):
        gap = difference(errors[loser, size], errors[winner, size])
        text = load("features", options.lang)[name]
        sentences.append(claim(options, text, gap, gap.low > 0, size=size))
    return "\n".join(sentences)
