"""With how many examples does a classifier tell sounds apart, from spectrograms and from waveforms?

    python -m stages sounds

The classes are hit, wall and miss. The agent gets either the waveform, the 2,240 numbers that a
microphone records, or a log-mel spectrogram, the 32 x 32 pixels that stages/datasets/spectrogram.py
computes from the same numbers. It learns from 100 to 10,000 examples; the test examples are the
same for all. As everywhere in this project, the network starts with a convolution for a picture and
with a linear layer for a vector.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from stages.datasets.dataset import Array
from stages.datasets.sounds import KINDS, OBSERVATIONS, PARAMETERS, Sounds
from stages.datasets.spectrogram import log_mel
from stages.lab.claims import Claim
from stages.lab.experiment import Experiment
from stages.lab.plots import Curves
from stages.lab.results import Results
from stages.lab.slides import COLOURS
from stages.lab.trials import Trial

SIZES = (100, 300, 1_000, 3_000, 10_000)
COMPARED = 1_000


def typical_sounds() -> Array:
    """Return a waveform per class, (classes, samples), with all random parameters in the middle."""
    middle = np.full((len(KINDS), PARAMETERS), 0.5, np.float32)
    return Sounds().make_waves(np.arange(len(KINDS)), middle, np.random.default_rng(0))


def plot(axes: Any, results: Results) -> None:
    """Draw the curves, and next to them one sound of each class in both forms."""
    grid = axes.figure.add_gridspec(len(KINDS), 3, width_ratios=(9, 3, 3))
    axes.set_subplotspec(grid[:, 0])
    baseline = 100 / len(KINDS)
    Curves(ylim=(0, 102), baseline=baseline, legend={"loc": "lower right"})(axes, results)
    waves = typical_sounds()
    for row, kind in enumerate(KINDS):
        left, right = (axes.figure.add_subplot(grid[row, column]) for column in (1, 2))
        left.plot(waves[row], color=COLOURS[OBSERVATIONS.index("waveform")], lw=0.6)
        left.set(ylabel=results.texts[kind], ylim=(-1, 1))
        left.margins(x=0)
        right.imshow(log_mel(waves)[row, 0], cmap="gray", aspect="auto")
        for each in (left, right):
            each.set(xticks=[], yticks=[])
            each.grid(False)
    left.set_xlabel(results.texts["waveform"])
    right.set_xlabel(results.texts["spectrogram"])


EXPERIMENT = Experiment(
    series=OBSERVATIONS,
    sizes=SIZES,
    grid={
        (observation, size): Trial(
            "sounds",
            steps=51_200 if size <= 1_000 else 102_400,
            options={"examples": size, "observation": observation},
        )
        for observation in OBSERVATIONS
        for size in SIZES
    },
    conclusions=(
        Claim(
            "verdict", ("spectrogram", COMPARED), ("waveform", COMPARED), words={"size": COMPARED}
        ),
    ),
    plot=plot,
)
