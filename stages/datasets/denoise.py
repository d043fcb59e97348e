"""Denoising: predict the clean picture of a panda or a rabbit from a noisy one.

Description
    A picture of an upright animal is mixed with random noise: with hardly any, with so much that
    nothing else can be seen, or with anything in between (Ho et al., "Denoising diffusion
    probabilistic models", NeurIPS 2020). Two more numbers say how much noise there is and which
    animal is wanted. An agent that has learned to predict the picture draws an animal on demand:
    `python -m stages diffusion`.
Observation Space
    `Box(-10, 10, (578,), float32)`: the 576 pixels of the noisy picture, with black as -1 and
    white as 1; the share of noise from 0 to 10; 0 for a panda, 10 for a rabbit.
Action Space
    `Box(-1, 1, (576,), float32)`: the pixels of the clean picture.
Rewards
    Minus the mean squared error of the pixels. The score is R squared: 1 minus the error divided
    by that of the mean picture.
Arguments
    See `Denoise`, `stages.datasets.dataset.Dataset` and `stages.datasets.environments`.
Version History
    v0: first version.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from gymnasium import spaces

from stages.datasets.dataset import Array, Assessment, Dataset, Examples, constant_loss
from stages.datasets.reconstruct import SHOWN
from stages.datasets.shape_kinds import ANIMALS, NUMBERS, SIDE, UPRIGHT, lit
from stages.pictures.maps import picture_of_pairs
from stages.pictures.predictions import draw_screen

PIXELS = SIDE * SIDE
MIDDLE = 0.5  # share of the range of each parameter of a shape that is used
LOUD = 10.0  # the share of noise and the kind are large, to be noticed next to 576 pixels
CHUNK = 1_000  # pictures computed at a time, to save memory


@dataclass(frozen=True)
class Denoise(Dataset):
    """Predict the clean picture of a noisy one."""

    feedbacks: ClassVar[dict[str, str]] = {"answer": "labels"}

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.noise:
            raise ValueError("option `noise` must be 0: the clean pictures are the targets")

    @property
    def observation_space(self) -> spaces.Box:
        return spaces.Box(-LOUD, LOUD, (PIXELS + 2,), np.float32)

    @property
    def action_space(self) -> spaces.Box:
        return spaces.Box(-1.0, 1.0, (PIXELS,), np.float32)

    def sample(self, count: int, seed: int) -> Examples:
        parameters, shares, statics = (np.random.default_rng((seed, k)) for k in range(3))
        kinds = np.arange(count) % len(ANIMALS)
        numbers = (1 - MIDDLE) / 2 + MIDDLE * parameters.random((count, NUMBERS))
        noisy, clean = np.empty((2, count, PIXELS), np.float32)
        share = shares.random(count, np.float32)
        for start in range(0, count, CHUNK):
            part = slice(start, start + CHUNK)
            clean[part] = drawn(kinds[part], numbers[part])
            static = statics.standard_normal(clean[part].shape, np.float32)
            noisy[part] = mixed(clean[part], static, share[part])
        return Examples(observe(noisy, share, kinds), clean, kinds)

    def loss(self, predictions: Array, targets: Array) -> Array:
        return np.asarray(np.square(predictions - targets).mean(1))

    def score(self, predictions: Array, targets: Array) -> Array:
        return 1.0 - self.loss(predictions, targets) / constant_loss(self)

    def draw_example(self, surface: Any, observation: Array) -> None:
        """Draw the noisy picture."""
        draw_screen(surface, as_screens(observation[None, :PIXELS])[0])

    def side_screens(self, prediction: Any, target: Array) -> dict[str, Array]:
        """Return the clean picture and the predicted one."""
        made = np.full_like(target, -1.0) if prediction is None else prediction
        clean, predicted = as_screens(np.stack((target, made)))
        return {"target": clean, "prediction": predicted}

    def assess(self, observations: Array, predictions: Array, targets: Array) -> Assessment:
        """Return some clean pictures with the predicted ones."""
        pairs = (as_screens(pictures[:SHOWN]) for pictures in (targets, predictions))
        return Assessment({}, {"denoised": picture_of_pairs(*pairs)})


def drawn(kinds: Array, numbers: Array) -> Array:
    """Return pictures (n, PIXELS) in -1..1 of upright `kinds` (n,), indices into `ANIMALS`.

    `numbers` (n, NUMBERS) are the parameters in 0..1 of `stages.datasets.shape_kinds.lit`.
    """
    light = np.empty((len(kinds), SIDE, SIDE))
    for k, inside in enumerate(ANIMALS.values()):
        light[kinds == k] = lit(inside, numbers[kinds == k], 2 * UPRIGHT)
    return light.reshape(-1, PIXELS) / 127.5 - 1


def mixed(clean: Array, static: Array, share: Array) -> Array:
    """Return clean pictures (n, PIXELS) mixed with noise `static` by its `share` (n,) in 0..1.

    The sum of the squares of both weights is always 1.
    """
    turn = (math.pi / 2 * share)[:, None]
    return np.asarray(np.cos(turn) * clean + np.sin(turn) * static)


def observe(noisy: Array, share: Array, kinds: Array) -> Array:
    """Return observations of noisy pictures (n, PIXELS), the share of noise (n,) and kinds (n,)."""
    return np.column_stack((noisy, LOUD * share, LOUD * kinds)).astype(np.float32)


def as_screens(pictures: Array) -> Array:
    """Return pictures (n, PIXELS), clipped to -1..1, as uint8 (n, SIDE, SIDE)."""
    light = 127.5 * (1 + np.clip(pictures, -1.0, 1.0))
    return light.reshape(-1, SIDE, SIDE).astype(np.uint8)
