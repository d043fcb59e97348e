"""Saliency: pictures of what a network on screens responds to.

The filters of its first convolution, and videos of saliency maps (Simonyan, Vedaldi and Zisserman,
"Deep inside convolutional networks", arXiv 1312.6034, section 3): the gradient of a score with
respect to each pixel. The paper drops the sign. Here, a pixel is orange where a brighter pixel
would raise the score and blue where it would lower it, on top of the grey screen.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from agents.agent import Array

RAISES, LOWERS = np.array([255.0, 120.0, 0.0]), np.array([0.0, 130.0, 255.0])
OPACITY = 0.75  # maximum, so that the screen stays visible
READABLE = 200  # maximum side of an enlarged screen in pixels
GAP = 4  # pixels between the parts of a picture
GAP_GREY = 64


def pictures(
    network: nn.Module, scores: Callable[[Tensor], dict[str, Tensor]], screens: Tensor
) -> dict[str, list[Array]]:
    """Return the first filters and a saliency video of each score; empty without convolutions.

    `scores` maps the screens (t, frames, height, width) of one episode to scores (t,), by name.
    """
    first = next((part for part in network.modules() if isinstance(part, nn.Conv2d)), None)
    if first is None:
        return {}
    videos = {
        f"saliency_of_{name}": video_of(screens.numpy(force=True), gradients)
        for name, gradients in saliency(scores, screens).items()
    }
    return {"filters": [picture_of_filters(first.weight.numpy(force=True))], **videos}


def saliency(scores: Callable[[Tensor], dict[str, Tensor]], screens: Tensor) -> dict[str, Array]:
    """Return the gradient (t, frames, height, width) of each score with respect to the pixels."""
    seen = screens.float().requires_grad_()
    with torch.enable_grad():
        found = scores(seen)
        return {
            name: torch.autograd.grad(score.sum(), seen, retain_graph=True)[0].numpy(force=True)
            for name, score in found.items()
        }


def video_of(screens: Array, gradients: Array) -> list[Array]:
    """Return one picture per step, frames from left to right, all on the same scale."""
    large = float(np.quantile(np.abs(gradients), 0.998)) or 1.0
    strength = OPACITY * np.clip(gradients / large, -1.0, 1.0)
    pixels = coloured(strength) + screens[..., None] * (1.0 - np.abs(strength[..., None]))
    return [tiled(enlarged(frames), len(frames)) for frames in pixels.astype(np.uint8)]


def picture_of_filters(weights: Array) -> Array:
    """Return one picture: a row for each frame, a column for each filter, scaled by filter."""
    largest = np.abs(weights).max((1, 2, 3), keepdims=True)
    rows = coloured(weights / np.where(largest > 0, largest, 1.0)).astype(np.uint8).swapaxes(0, 1)
    return tiled(enlarged(rows.reshape(-1, *rows.shape[2:]), READABLE // 5), len(weights))


def coloured(strength: Array) -> Array:
    """Return colours (..., 3) in 0..255 for numbers (...) in -1..1; 0 is black."""
    raises, lowers = strength.clip(0.0, None), (-strength).clip(0.0, None)
    colours: Array = raises[..., None] * RAISES + lowers[..., None] * LOWERS
    return colours


def enlarged(tiles: Array, side: int = READABLE) -> Array:
    """Return tiles (k, height, width, 3) enlarged by a whole factor to at most `side` pixels."""
    factor = max(1, side // max(tiles.shape[1:3]))
    return tiles.repeat(factor, 1).repeat(factor, 2)


def tiled(tiles: Array, columns: int) -> Array:
    """Return one picture of tiles (k, height, width, 3), row by row, with grey gaps."""
    count, height, width, _ = tiles.shape
    rows = math.ceil(count / columns)
    cells = (rows * (height + GAP) - GAP, columns * (width + GAP) - GAP, 3)
    picture = np.full(cells, GAP_GREY, np.uint8)
    for k, tile in enumerate(tiles):
        top, left = k // columns * (height + GAP), k % columns * (width + GAP)
        picture[top : top + height, left : left + width] = tile
    return picture
