"""Wrong labels, few examples, lopsided examples: what does a classifier forgive?

    python -m stages label_noise

Which way does the ball fly? Training sets of 100 to 30,000 examples, of which 0 to 60 % have a
wrong answer; beside them, few and clean ones that are not representative (the ball only in the
upper half of the box), and classes each a tenth as frequent as the one before it. All are tested on
the same clean, representative examples.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from stages.lab.experiment import ExperimentOptions, claim, tell
from stages.lab.intervals import Mean, difference, mean
from stages.lab.slides import draw_curve, make_logarithmic, slide
from stages.lab.texts import load
from stages.lab.trials import measure, percent, run_trials, trial

SIZES = (100, 300, 1_000, 3_000, 10_000, 30_000)
NOISES = (0.0, 0.2, 0.4, 0.6)
KINDS: dict[str, dict[str, Any]] = {
    **{f"{noise:.0%}": {"noise": noise} for noise in NOISES},  # their names, too
    "upper": {"region": "upper"},
    "rare": {"rarity": 10},
}
"""Training sets, and the options of the environment that make them."""
STEPS = {size: 51_200 if size <= 1_000 else 102_400 for size in SIZES}
MOST, FEW = 30_000, 3_000
CLEAN, *NOISY = (f"{noise:.0%}" for noise in NOISES)


def experiment(options: ExperimentOptions, path: Path) -> None:
    """Measure, and show."""
    texts = load("label_noise", options.lang)
    configs = {
        (kind, size): [
            trial("classify", seed, STEPS[size], examples=size, **KINDS[kind])
            for seed in options.each_seed
        ]
        for kind in KINDS
        for size in SIZES
    }
    found = run_trials(measure, configs, options.processes, texts["progress"])
    scores = percent(found)
    means = {cell: mean(values) for cell, values in scores.items()}
    names = {kind: texts.get(kind) or texts["wrong"].format(kind) for kind in KINDS}
    rows = [(names[kind], *(f"{means[kind, size]:.1f}" for size in SIZES)) for kind in KINDS]
    columns = (texts["x"], *(f"{size:,}" for size in SIZES))
    tell(texts["title"], columns, rows, verdicts(options, scores))
    draw(path, options.lang, names, means)


def verdicts(options: ExperimentOptions, scores: dict[tuple[str, int], list[float]]) -> str:
    """A sentence for each claim; differences are taken seed by seed."""
    texts = load("label_noise", options.lang)
    sentences = [texts["claim"]]
    for noise in NOISY:
        gap = difference(scores[noise, MOST], scores[CLEAN, FEW])
        sentences.append(claim(options, texts["many_noisy"], gap, gap.low > 0, noise=noise))
    for name, kind in (("not_representative", "upper"), ("unbalanced", "rare")):
        gap = difference(scores[kind, MOST], scores[CLEAN, MOST])
        sentences.append(claim(options, texts[name], gap, gap.high < 0))
    return "\n".join(sentences)


def draw(path: Path, lang: str, names: dict[str, str], scores: dict[tuple[str, int], Mean]) -> None:
    """A curve for each kind of training set over its size."""
    texts = load("label_noise", lang)
    with slide(path, lang) as axes:
        for k, kind in enumerate(KINDS):
            draw_curve(axes, k, SIZES, [scores[kind, size] for size in SIZES], names[kind])
        axes.axhline(25, color="grey", ls=":")
        make_logarithmic(axes, SIZES)
        axes.set(xlabel=texts["x"], ylabel=texts["y"] + " (%)", title=texts["title"], ylim=(0, 100))
        axes.legend(ncols=2, loc="lower center", bbox_to_anchor=(0.62, 0.0))
