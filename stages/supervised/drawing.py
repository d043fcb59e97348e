"""Draw pictures from noise with an agent that has learned to remove noise (DDIM).

Every step predicts the clean picture, and mixes it with the noise that is then left in a smaller
share (Song et al., "Denoising diffusion implicit models", ICLR 2021).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from stages.datasets.dataset import Array
from stages.datasets.denoise import mixed, observe

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
