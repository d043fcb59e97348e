"""Spectrograms against waveforms: who tells sounds apart with how many examples?

    python -m stages sounds

Was it a hit, a wall, a miss? Once from the waveform, the 2,240 numbers that a microphone gives;
once from a log-mel spectrogram, the 32 x 32 pixels that stages/datasets/spectrogram.py makes
of the same numbers. Training sets have 100 to 10,000 examples; all are tested on the same new
ones. The agent is the same; as everywhere in this project, its network begins with a convolution
where it sees a picture, and with a linear layer where it sees a vector.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from stages.datasets.dataset import Array
from stages.datasets.sounds import CHANCES, KINDS, OBSERVATIONS, Sounds
from stages.datasets.spectrogram import log_mel
from stages.lab.experiment import ExperimentOptions, claim, tell
from stages.lab.intervals import Mean, difference, mean
from stages.lab.slides import COLOURS, draw_curve, make_logarithmic, slide
from stages.lab.texts import load
from stages.lab.trials import measure, percent, run_trials, trial

SIZES = (100, 300, 1_000, 3_000, 10_000)
COMPARED = 1_000
STEPS = {size: 51_200 if size <= 1_000 else 102_400 for size in SIZES}


def experiment(options: ExperimentOptions, path: Path) -> None:
    """Measure, and show."""
    texts = load("sounds", options.lang)
    configs = {
        (heard, size): [
            trial("sounds", seed, STEPS[size], examples=size, observation=heard)
            for seed in options.each_seed
        ]
        for heard in OBSERVATIONS
        for size in SIZES
    }
    found = run_trials(measure, configs, options.processes, texts["progress"])
    scores = percent(found)
    means = {cell: mean(values) for cell, values in scores.items()}
    rows = [
        (f"{size:,}", *(f"{means[heard, size]:.1f}" for heard in OBSERVATIONS)) for size in SIZES
    ]
    columns = (texts["x"], *(texts[heard] for heard in OBSERVATIONS))
    tell(texts["title"], columns, rows, verdict(options, scores))
    draw(path, options.lang, means)


def verdict(options: ExperimentOptions, scores: dict[tuple[str, int], list[float]]) -> str:
    """A sentence for the claim; the difference is taken seed by seed."""
    gap = difference(scores["spectrogram", COMPARED], scores["waveform", COMPARED])
    return claim(options, load("sounds", options.lang)["verdict"], gap, gap.low > 0, size=COMPARED)


def one_of_each() -> Array:
    """Waves (kinds, samples): each kind midway between all that its recordings can be."""
    midway = np.full((len(KINDS), CHANCES), 0.5, np.float32)
    return Sounds().recorded(np.arange(len(KINDS)), midway, np.random.default_rng(0))


def draw(path: Path, lang: str, scores: dict[tuple[str, int], Mean]) -> None:
    """The scores over the number of examples, and beside them one of each kind, both ways."""
    texts = load("sounds", lang)
    with slide(path, lang) as axes:
        grid = axes.figure.add_gridspec(len(KINDS), 3, width_ratios=(9, 3, 3))
        axes.set_subplotspec(grid[:, 0])
        for k, heard in enumerate(OBSERVATIONS):
            draw_curve(axes, k, SIZES, [scores[heard, size] for size in SIZES], texts[heard])
        axes.axhline(100 / len(KINDS), color="grey", ls=":")
        make_logarithmic(axes, SIZES)
        axes.set(xlabel=texts["x"], ylabel=texts["y"], title=texts["title"], ylim=(0, 102))
        axes.legend(loc="lower right")
        waves = one_of_each()
        screens = log_mel(waves)[:, 0]
        for row, kind in enumerate(KINDS):
            raw, seen = (axes.figure.add_subplot(grid[row, column]) for column in (1, 2))
            raw.plot(waves[row], color=COLOURS[OBSERVATIONS.index("waveform")], lw=0.6)
            raw.set(ylabel=texts[kind], ylim=(-1, 1))
            raw.margins(x=0)
            seen.imshow(screens[row], cmap="gray", aspect="auto")
            for each in (raw, seen):
                each.set(xticks=[], yticks=[])
                each.grid(False)
        raw.set_xlabel(texts["waveform"])
        seen.set_xlabel(texts["spectrogram"])
