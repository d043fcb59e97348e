"""Lines on agents' screens, compared with areas counted point by point."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from envs.engine.compilation import compiled
from envs.engine.raster import draw_segment

Array = np.ndarray[Any, Any]
SIDE = 30
POINTS = 16  # per pixel and direction


def kernel(screen: Any, x1: float, y1: float, x2: float, y2: float, width: float) -> None:
    draw_segment(screen, x1, y1, x2, y2, width, 255.0)


compiled_kernel = compiled(kernel)


def drawn(x1: float, y1: float, x2: float, y2: float, width: float) -> Array:
    """Return the brightness of a drawn line in 0..1, (SIDE, SIDE)."""
    screen = np.zeros((SIDE, SIDE), np.uint8)
    compiled_kernel(screen, x1, y1, x2, y2, width)
    return screen / 255


def counted(x1: float, y1: float, x2: float, y2: float, width: float) -> Array:
    """Return the fraction of each pixel's points inside the line's rectangle."""
    places = (np.arange(SIDE * POINTS) + 0.5) / POINTS
    x, y = np.meshgrid(places, places)
    length = math.hypot(x2 - x1, y2 - y1)
    cos, sin = (x2 - x1) / length, (y2 - y1) / length
    along = (x - x1) * cos + (y - y1) * sin
    across = (y - y1) * cos - (x - x1) * sin
    inside = (along >= 0) & (along <= length) & (abs(across) <= width / 2)
    averaged: Array = inside.reshape(SIDE, POINTS, SIDE, POINTS).mean((1, 3))
    return averaged


@pytest.mark.parametrize("width", [1.0, 1.3, 2.1, 4.0])
def test_brightness_is_the_covered_area(width: float) -> None:
    rng = np.random.default_rng(0)
    for _ in range(40):
        x1, y1, x2, y2 = rng.uniform(-3, SIDE + 3, 4)  # partly outside of the screen
        error = abs(drawn(x1, y1, x2, y2, width) - counted(x1, y1, x2, y2, width))
        assert error.max() < 0.12
        assert error.sum() < 0.06 * width * math.hypot(x2 - x1, y2 - y1) + 0.2


@pytest.mark.parametrize("width", [0.3, 1.0, 1.7, 3.0])
def test_horizontal_and_vertical_lines_are_exact(width: float) -> None:
    for x, top, bottom in ((10.0, 4.0, 21.0), (12.25, 3.5, 8.125), (7.9, 20.3, 2.6)):
        upright, level = drawn(x, top, x, bottom, width), drawn(top, x, bottom, x, width)
        columns = overlaps(x - width / 2, x + width / 2)
        rows = overlaps(min(top, bottom), max(top, bottom))
        np.testing.assert_allclose(upright, np.outer(rows, columns), atol=0.51 / 255)
        np.testing.assert_allclose(level, upright.T)


def overlaps(first: float, last: float) -> Array:
    """Return the overlap of each pixel of a row with a range."""
    pixels = np.arange(SIDE)
    shared: Array = np.clip(np.minimum(pixels + 1, last) - np.maximum(pixels, first), 0, None)
    return shared


def test_motion_of_a_hundredth_of_a_pixel_is_visible() -> None:
    """The centre of brightness moves with the line."""
    centres = []
    for shift in (0.0, 0.01, 0.5):
        screen = drawn(10.3 + shift, 5.0, 14.1 + shift, 25.0, 2.0)
        centres.append((screen.sum(0) * np.arange(SIDE)).sum() / screen.sum())
    assert centres[1] - centres[0] == pytest.approx(0.01, abs=0.004)
    assert centres[2] - centres[0] == pytest.approx(0.5, abs=0.01)


def test_the_brighter_shape_shows_compiled_and_interpreted() -> None:
    first, second = (2.0, 3.0, 25.0, 20.0, 2.0), (5.0, 25.0, 22.0, 1.0, 3.0)
    both, plain = np.zeros((SIDE, SIDE), np.uint8), np.zeros((SIDE, SIDE), np.uint8)
    for line in (first, second):
        compiled_kernel(both, *line)
        kernel(plain, *line)
    np.testing.assert_array_equal(both / 255, np.maximum(drawn(*first), drawn(*second)))
    np.testing.assert_array_equal(both, plain)


@pytest.mark.parametrize("end", [(5.0, 5.0), (-9.0, 5.0)])
def test_lines_without_length_or_off_the_screen_draw_nothing(end: tuple[float, float]) -> None:
    start = (5.0, 5.0) if end[0] > 0 else (-20.0, 5.0)
    assert not drawn(*start, *end, 2.0).any()
