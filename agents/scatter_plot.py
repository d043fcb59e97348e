"""A scatter plot of predicted and real values."""

from __future__ import annotations

import math

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from agents.agent import Array

SIDE, LEFT, TOP, BOTTOM = 320, 62, 52, 50  # pixels: the square and its margins
INK, PALE, DOTS = (30, 30, 30), (205, 205, 205), (31, 90, 180)
MARGIN = 0.06  # fraction of the range that is added on each side


def scatter(real: Array, predicted: Array, title: str) -> Array:
    """Return a picture, uint8 (height, width, 3), with one dot for each pair of values (n,).

    Both axes have the same scale, so perfect predictions lie on the diagonal.
    """
    low, high = _range(real, predicted)
    canvas = Image.new("RGB", (LEFT + SIDE + 16, TOP + SIDE + BOTTOM), "white")
    draw, font = ImageDraw.Draw(canvas), ImageFont.load_default(13)

    def place(x: float, y: float) -> tuple[float, float]:
        across, up = (x - low) / (high - low), (y - low) / (high - low)
        return LEFT + SIDE * across, TOP + SIDE * (1.0 - up)

    for tick in _round_numbers(low, high):
        word, (x, y) = f"{tick:.10g}", place(tick, tick)
        draw.line((x, TOP, x, TOP + SIDE), PALE)
        draw.line((LEFT, y, LEFT + SIDE, y), PALE)
        draw.text((x, TOP + SIDE + 6), word, INK, font, "mt")
        draw.text((LEFT - 6, y), word, INK, font, "rm")
    draw.line((*place(low, low), *place(high, high)), INK)
    draw.rectangle((LEFT, TOP, LEFT + SIDE, TOP + SIDE), outline=INK)
    for x, y in (place(float(a), float(b)) for a, b in zip(real, predicted, strict=True)):
        draw.ellipse((x - 2, y - 2, x + 2, y + 2), DOTS)
    draw.text((LEFT + SIDE / 2, 8), title, INK, font, "mt")
    draw.text((LEFT + SIDE / 2, TOP + SIDE + 28), "real", INK, font, "mt")
    draw.text((6, TOP - 8), "predicted", INK, font, "lb")
    return np.array(canvas)


def _range(real: Array, predicted: Array) -> tuple[float, float]:
    """Return the range of both axes, which is never empty."""
    both = np.concatenate((real, predicted)).astype(np.float64)
    low, high = float(both.min()), float(both.max())
    margin = MARGIN * (high - low) or 0.5
    return low - margin, high + margin


def _round_numbers(low: float, high: float) -> list[float]:
    """Return four to ten ticks for an axis: multiples of 1, 2 or 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10((high - low) / 4))
    step = max(k * power for k in (1, 2, 5) if k * power <= (high - low) / 4)
    return [round(k * step, 12) for k in range(math.ceil(low / step), math.floor(high / step) + 1)]
