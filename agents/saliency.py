"""What a network that sees screens looks at, as pictures for people.

Its first filters; and films of saliency (Simonyan, Vedaldi and Zisserman, "Deep inside
convolutional networks", arXiv 1312.6034, section 3): the gradient of a score with respect to each
pixel. Their maps lose the sign; here a pixel is orange where more light would raise the score, and
blue where it would lower it, laid over the screen in grey.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from agents.agent import Array

RAISES, LOWERS = np.array([255.0, 120.0, 0.0]), np.array([0.0, 130.0, 255.0])
OPACITY = 0.75  # at most, so that the screen can be seen below
READABLE = 200  # pixels to a side of an enlarged screen, at most
GAP = 4  # pixels between the parts of a picture
GAP_GREY = 64


def pictures(
    network: nn.Module, scores: Callable[[Tensor], dict[str, Tensor]], screens: Tensor
) -> dict[str, list[Array]]:
    """The first filters, and a film of saliency for each score; nothing without convolutions.

    Args:
        network: what sees; its first convolution has the filters.
        scores: the numbers (t,) of each score, by name, for screens (t, frames, height, width).
        screens: of one episode.
    """
    first = next((part for part in network.modules() if isinstance(part, nn.Conv2d)), None)
    if first is None:
        return {}
    films = {
        f"saliency_of_{name}": film_of(screens.numpy(force=True), gradients)
        for name, gradients in saliency(scores, screens).items()
    }
    return {"filters": [picture_of_filters(first.weight.numpy(force=True))], **films}


def saliency(scores: Callable[[Tensor], dict[str, Tensor]], screens: Tensor) -> dict[str, Array]:
    """The gradient (t, frames, height, width) of each score of each screen, by its pixels."""
    seen = screens.float().requires_grad_()
    with torch.enable_grad():
        found = scores(seen)
        return {
            name: torch.autograd.grad(score.sum(), seen, retain_graph=True)[0].numpy(force=True)
            for name, score in found.items()
        }


def film_of(screens: Array, gradients: Array) -> list[Array]:
    """One picture a step, its frames from left to right, the newest last; one scale for all."""
    large = float(np.quantile(np.abs(gradients), 0.998)) or 1.0
    strength = OPACITY * np.clip(gradients / large, -1.0, 1.0)
    pixels = coloured(strength) + screens[..., None] * (1.0 - np.abs(strength[..., None]))
    return [tiled(enlarged(frames), len(frames)) for frames in pixels.astype(np.uint8)]


def picture_of_filters(weights: Array) -> Array:
    """One row a frame, the newest last; one column a filter, on a scale of its own."""
    largest = np.abs(weights).max((1, 2, 3), keepdims=True)
    rows = coloured(weights / np.where(largest > 0, largest, 1.0)).astype(np.uint8).swapaxes(0, 1)
    return tiled(enlarged(rows.reshape(-1, *rows.shape[2:]), READABLE // 5), len(weights))


def coloured(strength: Array) -> Array:
    """Colours (..., 3) in 0..255 of numbers (...) in -1..1; 0 is black."""
    raises, lowers = strength.clip(0.0, None), (-strength).clip(0.0, None)
    colours: Array = raises[..., None] * RAISES + lowers[..., None] * LOWERS
    return colours


def enlarged(tiles: Array, side: int = READABLE) -> Array:
    """Each pixel of tiles (k, height, width, 3) as a square, as large as fits into `side`."""
    factor = max(1, side // max(tiles.shape[1:3]))
    return tiles.repeat(factor, 1).repeat(factor, 2)


def tiled(tiles: Array, columns: int) -> Array:
    """One picture of tiles (k, height, width, 3), row by row, on grey."""
    count, height, width, _ = tiles.shape
    rows = math.ceil(count / columns)
    cells = (rows * (height + GAP) - GAP, columns * (width + GAP) - GAP, 3)
    picture = np.full(cells, GAP_GREY, np.uint8)
    for k, tile in enumerate(tiles):
        top, left = k // columns * (height + GAP), k % columns * (width + GAP)
        picture[top : top + height, left : left + width] = tile
    return picture
