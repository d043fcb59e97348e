"""Pictures of canvases, painted with pygame."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pygame

from envs.engine.canvas import (
    Canvas,
    Circle,
    Gradient,
    Line,
    Part,
    Place,
    Polygon,
    Rect,
    Rectangle,
    Shape,
)
from envs.engine.drawing import write

SHARPER = 2
"""Factor by which shapes are painted larger and then shrunk, for smooth edges."""
THIN = 4
"""Width in pixels up to which the corners of a line need not be rounded."""


class Painter:
    """Paints canvases onto surfaces of the same size."""

    def __init__(self) -> None:
        self._large = self._small = pygame.Surface((0, 0))

    def paint(self, canvas: Canvas, surface: pygame.Surface) -> None:
        """Paint all shapes and texts of `canvas` over `surface`.

        pygame smooths the edges of circles. Polygons and lines are therefore painted larger.
        """
        if needs_smoothing(canvas.shapes):
            self._prepare(surface)
            paint_shapes(self._large, canvas.shapes, SHARPER)
            pygame.transform.smoothscale(self._large, self._small.get_size(), self._small)
            surface.blit(self._small, (0, 0))
        else:
            paint_shapes(surface, canvas.shapes, 1)
        for text in canvas.texts:
            write(surface, text.text, text.place, text.size, text.colour)

    def _prepare(self, surface: pygame.Surface) -> None:
        width, height = surface.get_size()
        if self._small.get_size() != (width, height):
            self._small = pygame.Surface((width, height))
            self._large = pygame.Surface((width * SHARPER, height * SHARPER))


def needs_smoothing(shapes: Sequence[Shape]) -> bool:
    """Return whether there are polygons or lines."""
    return any(
        needs_smoothing(shape.shapes)
        if isinstance(shape, Part)
        else isinstance(shape, Polygon | Line)
        for shape in shapes
    )


def paint_shapes(surface: pygame.Surface, shapes: Sequence[Shape], scale: int) -> None:
    """Paint shapes onto a surface, `scale` times as large."""
    for shape in shapes:
        match shape:
            case Line():
                paint_line(surface, shape, scale)
            case Polygon():
                pygame.draw.polygon(surface, shape.colour, enlarged(shape.points, scale))
            case Circle():
                paint_circle(surface, shape, scale)
            case Gradient():
                paint_gradient(surface, shape, scale)
            case Part():
                paint_shapes(surface.subsurface(pixels(shape.rect, scale)), shape.shapes, scale)
            case Rectangle():
                paint_rectangle(surface, shape, scale)


def enlarged(points: Sequence[Place], scale: int) -> list[Place]:
    """Return points multiplied by a scale."""
    return [(scale * x, scale * y) for x, y in points]


def pixels(rect: Rect, scale: int) -> pygame.Rect:
    """Return a rectangle in whole pixels; its size does not depend on its position."""
    return pygame.Rect([scale * number for number in rect])


def paint_rectangle(surface: pygame.Surface, rectangle: Rectangle, scale: int) -> None:
    """Paint a rectangle."""
    area = pixels(rectangle.rect, scale)
    if rectangle.rounding:
        rounding = round(rectangle.rounding * scale)
        pygame.draw.rect(surface, rectangle.colour, area, border_radius=rounding)
    else:
        surface.fill(rectangle.colour, area)


def paint_circle(surface: pygame.Surface, circle: Circle, scale: int) -> None:
    """Paint a circle, with smooth edges unless the picture is shrunk later."""
    paint = pygame.draw.aacircle if scale == 1 else pygame.draw.circle
    (x, y), width = circle.centre, 0
    if circle.width:
        width = max(1, round(circle.width * scale))
    paint(surface, circle.colour, (x * scale, y * scale), circle.radius * scale, width)


def paint_line(surface: pygame.Surface, line: Line, scale: int) -> None:
    """Paint a line; a thin one quickly, without rounded corners."""
    points = enlarged(line.points, scale)
    if isinstance(line.width, int | float):
        width = line.width * scale
        if round(width) <= THIN and len(points) > 1:
            pygame.draw.lines(surface, line.colour, False, points, max(1, round(width)))
            return
        widths = [width] * len(points)
    else:
        widths = [width * scale for width in line.width]
    corners = [*zip(points, widths, strict=True)]
    for ((x, y), width), ((end_x, end_y), end_width) in pairwise(corners):
        along_x, along_y = end_x - x, end_y - y
        if length := math.hypot(along_x, along_y):
            half, end_half = width / 2 / length, end_width / 2 / length
            sides = (
                (x - along_y * half, y + along_x * half),
                (end_x - along_y * end_half, end_y + along_x * end_half),
                (end_x + along_y * end_half, end_y - along_x * end_half),
                (x + along_y * half, y - along_x * half),
            )
            pygame.draw.polygon(surface, line.colour, sides)
    for point, width in corners:
        pygame.draw.circle(surface, line.colour, point, width / 2)


def paint_gradient(surface: pygame.Surface, gradient: Gradient, scale: int) -> None:
    """Paint a gradient."""
    area = pixels(gradient.rect, scale)
    surface.blit(gradient_of(area.width, area.height, tuple(gradient.colours)), area)


@functools.lru_cache(16)
def gradient_of(
    width: int, height: int, colours: tuple[tuple[int, int, int, int], ...]
) -> pygame.Surface:
    """Return a surface whose colour changes from row to row."""
    is_opaque = all(colour[3] == 255 for colour in colours)
    surface = pygame.Surface((width, height), 0 if is_opaque else pygame.SRCALPHA)
    places = (np.arange(height) + 0.5) / height * (len(colours) - 1)
    rows = [np.interp(places, range(len(colours)), channel) for channel in np.transpose(colours)]
    for row, colour in enumerate(np.rint(rows).astype(int).T.tolist()):
        surface.fill(colour, (0, row, width, 1))
    return surface
