"""Draw pictures from noise with an agent that has learned to remove noise (DDIM), and judge them.

Every step predicts the clean picture, and mixes it with the noise that is then left in a smaller
share (Song et al., "Denoising diffusion implicit models", ICLR 2021).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from stages.datasets.dataset import Array, examples_of
from stages.datasets.denoise import PIXELS, as_screens, mixed, observe
from stages.datasets.environments import dataset_of
from stages.datasets.shape_kinds import ANIMALS
from stages.lab.results import Cell
from stages.lab.trials import Trial, run_trial, split_of
from training.config import RunConfig

STEPS = (1, 20)
DRAWINGS = 1_000
SHOWN = (0, 4, 8, 12, 16, 20)  # steps of which pictures are kept
KEPT = 20  # drawings
JUDGING = {"of": "animals", "examples": 5_000, "test_examples": 1_000}

Predict = Callable[[Array], Array]
"""Function of observations of `--env denoise` that returns clean pictures."""


def draw_from_noise(predict: Predict, static: Array, kinds: Array, steps: int) -> list[Array]:
    """Return the pictures (n, PIXELS) after 0, 1, ... `steps` steps from pure noise `static`.

    `kinds` (n,) are the wanted ones, indices into `stages.datasets.shape_kinds.ANIMALS`.
    """
    pictures = [static]
    for k in range(steps):
        before, after = (np.full(len(kinds), 1 - j / steps) for j in (k, k + 1))
        clean = predict(observe(pictures[-1], before, kinds))
        turn = math.pi / 2 * before[0]
        left = (pictures[-1] - math.cos(turn) * clean) / math.sin(turn)
        pictures.append(mixed(clean, left, after))
    return pictures


class Drawn(NamedTuple):
    """Drawings of one network."""

    numbers: dict[Cell, float]
    """Percent of recognised drawings, and the difference between drawings of the same animal."""
    pictures: Array
    """Pictures (len(SHOWN), KEPT, PIXELS) after each of the steps `SHOWN`."""


def learn_and_draw(config: RunConfig) -> Drawn:
    """Train the network and the classifier, equally long; draw, and measure the drawings."""
    classifier = Trial("shapes", config.steps, options=JUDGING).config(config.seed)
    artist, judge = (run_trial(each)[0] for each in (config, classifier))
    real = examples_of(dataset_of(artist.runner.environments), split_of(config.seed)).targets
    static = np.random.default_rng(config.seed).standard_normal((DRAWINGS, PIXELS), np.float32)
    kinds = np.arange(DRAWINGS) % len(ANIMALS)
    drawings: dict[Any, list[Array]] = {
        steps: draw_from_noise(
            lambda seen: artist.agent.act(seen, explore=False), static, kinds, steps
        )
        for steps in STEPS
    }
    numbers: dict[Cell, float] = {("recognised", "chance"): 100 / len(ANIMALS)}
    for key, pictures in {**drawings, "real": [real]}.items():
        screens = as_screens(pictures[-1])
        named = judge.agent.act(screens[:, None], explore=False)
        right = named == np.arange(len(named)) % len(ANIMALS)
        numbers["recognised", key] = 100 * float(right.mean())
        numbers["spread", key] = spread(screens)
    shown = np.stack([drawings[STEPS[-1]][k][:KEPT] for k in SHOWN])
    return Drawn(numbers, shown)


def spread(screens: Array) -> float:
    """Return the mean squared difference between consecutive screens (n, side, side) of one animal.

    The animals alternate. White is 100 and black is 0.
    """
    light = screens / 2.55
    return float(np.square(light[len(ANIMALS) :] - light[: -len(ANIMALS)]).mean())
