"""Lines and arrows of the bicycle's view; lengths are in pixels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import pygame

from envs.engine.palette import Colour

Place = tuple[float, float]


def draw_polyline(
    surface: pygame.Surface, colour: Colour, places: Sequence[Place], widths: Sequence[float]
) -> None:
    """Draw a line through places, with a width at each and with round ends and corners."""
    for k, (start, end) in enumerate(pairwise(places)):
        draw_segment(surface, colour, start, end, widths[k], widths[k + 1])
    for place, width in zip(places, widths, strict=True):
        pygame.draw.circle(surface, colour, place, width / 2)


def draw_segment(
    surface: pygame.Surface,
    colour: Colour,
    start: Place,
    end: Place,
    width: float,
    end_width: float | None = None,
) -> None:
    """Draw a straight line with square ends, which may have another width at its end."""
    x, y = end[0] - start[0], end[1] - start[1]
    length = math.hypot(x, y)
    if length == 0.0:
        return
    half = width / 2 / length
    end_half = half if end_width is None else end_width / 2 / length
    corners = (
        (start[0] - y * half, start[1] + x * half),
        (end[0] - y * end_half, end[1] + x * end_half),
        (end[0] + y * end_half, end[1] - x * end_half),
        (start[0] + y * half, start[1] - x * half),
    )
    pygame.draw.polygon(surface, colour, corners)


def draw_dashes(
    surface: pygame.Surface, colour: Colour, start: Place, end: Place, width: float, count: int
) -> None:
    """Draw a straight line of `count` dashes."""
    x, y = (end[0] - start[0]) / (2 * count - 1), (end[1] - start[1]) / (2 * count - 1)
    for k in range(0, 2 * count, 2):
        first = (start[0] + k * x, start[1] + k * y)
        draw_segment(surface, colour, first, (first[0] + x, first[1] + y), width)


def draw_arrow(
    surface: pygame.Surface, colour: Colour, tail: Place, tip: Place, width: float
) -> None:
    """Draw a straight arrow; short arrows are mostly head."""
    x, y = tip[0] - tail[0], tip[1] - tail[1]
    length = math.hypot(x, y)
    if length < 1.0:
        return
    along_x, along_y = x / length, y / length
    head = min(2.0 * width, length)
    neck = (tip[0] - head * along_x, tip[1] - head * along_y)
    draw_segment(surface, colour, tail, neck, width)
    wing = 1.4 * width
    corners = (
        tip,
        (neck[0] - wing * along_y, neck[1] + wing * along_x),
        (neck[0] + wing * along_y, neck[1] - wing * along_x),
    )
    pygame.draw.polygon(surface, colour, corners)


def arc_points(centre: Place, radius: float, start: float, end: float, parts: int) -> list[Place]:
    """Return places on a circle; angles are from upwards to the right, rad."""
    angles = [start + (end - start) * k / parts for k in range(parts + 1)]
    return [(centre[0] + radius * math.sin(a), centre[1] - radius * math.cos(a)) for a in angles]
