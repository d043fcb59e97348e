"""Shapes drawn into uint8 arrays: the screens that agents observe."""

from __future__ import annotations

import math
from typing import Any


def copy_array(source: Any, target: Any) -> None:
    """Copy an array to another; compiled, this is ten times as fast as `target[:] =`.

    It also compiles five times as fast.
    """
    numbers, copied = source.reshape(-1), target.reshape(-1)
    for k in range(numbers.size):
        copied[k] = numbers[k]


def fill_rectangle(
    screen: Any, left: float, top: float, right: float, bottom: float, brightness: float
) -> None:
    """Draw a rectangle given in pixels, with anti-aliased edges.

    The brightness of a pixel is in proportion to its covered area, so that motion of less than one
    pixel stays visible. Parts outside the screen are cut off. Where shapes overlap, the brighter
    one shows.
    """
    height, width = screen.shape
    for row in range(max(0, math.floor(top)), min(height, math.ceil(bottom))):
        covered_rows = min(row + 1.0, bottom) - max(row + 0.0, top)
        for column in range(max(0, math.floor(left)), min(width, math.ceil(right))):
            covered = covered_rows * (min(column + 1.0, right) - max(column + 0.0, left))
            value = int(covered * brightness + 0.5)
            if value > screen[row, column]:
                screen[row, column] = value


def draw_segment(
    screen: Any, x1: float, y1: float, x2: float, y2: float, width: float, brightness: float
) -> None:
    """Draw a straight line, `width` pixels thick, with square ends and anti-aliased edges.

    The covered area of a pixel is computed as if the pixel were aligned with the line: the overlap
    along the line times the overlap across it. This is exact for horizontal and vertical lines; for
    other lines it is wrong by a few percent of a pixel's brightness. Parts outside the screen are
    cut off.
    """
    height, columns = screen.shape
    length = math.sqrt((x2 - x1) ** 2 + (y2 - y1) ** 2)
    if length == 0.0:
        return
    along_x, along_y = (x2 - x1) / length, (y2 - y1) / length
    x, y = 0.5 * (x1 + x2), 0.5 * (y1 + y2)
    half_width, half_length = 0.5 * width, 0.5 * length
    tilt, reach = row_of_stripe(-along_y, along_x, half_width + 0.5)
    end_tilt, end_reach = row_of_stripe(along_x, along_y, half_length + 0.5)
    reach_y = abs(along_y) * (half_length + 0.5) + abs(along_x) * (half_width + 0.5)
    for row in range(max(0, math.floor(y - reach_y)), min(height, math.ceil(y + reach_y))):
        down = row + 0.5 - y
        left = x + max(tilt * down - reach, end_tilt * down - end_reach)
        right = x + min(tilt * down + reach, end_tilt * down + end_reach)
        for column in range(math.floor(max(left, 0.0)), math.ceil(min(right, columns))):
            aside = column + 0.5 - x
            covered = overlap(down * along_x - aside * along_y, half_width)
            covered *= overlap(down * along_y + aside * along_x, half_length)
            value = int(covered * brightness + 0.5)
            if value > screen[row, column]:
                screen[row, column] = value


def row_of_stripe(aside: float, down: float, half: float) -> tuple[float, float]:
    """Return the part of a row inside the stripe |aside * x + down * y| <= half.

    Returns the shift of its middle from row to row, and its reach to either side.
    """
    if abs(aside) < 1e-9:
        return 0.0, 1e9
    return -down / aside, half / abs(aside)


def overlap(place: float, half: float) -> float:
    """Return the length that a pixel around `place` shares with the range `-half` to `half`."""
    return max(0.0, min(half + 0.5 - abs(place), 2.0 * half, 1.0))
