"""Lines and arrows of the bicycle's view; lengths are in pixels."""

from __future__ import annotations

import math

from envs.engine.canvas import Canvas, Place
from envs.engine.palette import Colour


def draw_segment(
    canvas: Canvas,
    colour: Colour,
    start: Place,
    end: Place,
    width: float,
) -> None:
    """Draw a straight line with square ends."""
    x, y = end[0] - start[0], end[1] - start[1]
    length = math.hypot(x, y)
    if length == 0.0:
        return
    half = width / 2 / length
    corners = (
        (start[0] - y * half, start[1] + x * half),
        (end[0] - y * half, end[1] + x * half),
        (end[0] + y * half, end[1] - x * half),
        (start[0] + y * half, start[1] - x * half),
    )
    canvas.polygon(colour, corners)


def draw_dashes(
    canvas: Canvas, colour: Colour, start: Place, end: Place, width: float, count: int
) -> None:
    """Draw a straight line of `count` dashes."""
    x, y = (end[0] - start[0]) / (2 * count - 1), (end[1] - start[1]) / (2 * count - 1)
    for k in range(0, 2 * count, 2):
        first = (start[0] + k * x, start[1] + k * y)
        draw_segment(canvas, colour, first, (first[0] + x, first[1] + y), width)


def draw_arrow(canvas: Canvas, colour: Colour, tail: Place, tip: Place, width: float) -> None:
    """Draw a straight arrow; short arrows are mostly head."""
    x, y = tip[0] - tail[0], tip[1] - tail[1]
    length = math.hypot(x, y)
    if length < 1.0:
        return
    along_x, along_y = x / length, y / length
    head, half, wing = min(2.0 * width, length), width / 2, 1.4 * width
    neck = (tip[0] - head * along_x, tip[1] - head * along_y)

    def aside(place: Place, distance: float) -> Place:
        return place[0] - distance * along_y, place[1] + distance * along_x

    right = [aside(tail, half), aside(neck, half), aside(neck, wing)]
    left = [aside(neck, -wing), aside(neck, -half), aside(tail, -half)]
    canvas.polygon(colour, [*right, tip, *left])


def arc_points(centre: Place, radius: float, start: float, end: float, parts: int) -> list[Place]:
    """Return places on a circle; angles are from upwards to the right, rad."""
    angles = [start + (end - start) * k / parts for k in range(parts + 1)]
    return [(centre[0] + radius * math.sin(a), centre[1] - radius * math.cos(a)) for a in angles]
