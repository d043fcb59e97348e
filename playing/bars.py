"""Bars and curves of the panel."""

from __future__ import annotations

from collections.abc import Sequence

import pygame

from playing import theme

Coloured = tuple[float, theme.Colour]
LINE_WIDTH = 2


def draw_bar(
    surface: pygame.Surface, track: pygame.Rect, part: float, colour: theme.Colour
) -> None:
    """Draw a bar over `part` (0..1) of `track`, from the left."""
    _draw_track(surface, track)
    bar = track.copy()
    bar.width = round(min(max(part, 0.0), 1.0) * track.width)
    pygame.draw.rect(surface, colour, bar, border_radius=5)


def draw_stacked_bar(
    surface: pygame.Surface, track: pygame.Rect, parts: Sequence[Coloured]
) -> None:
    """Draw bars end to end from the middle, positive ones to the right; 1 is half of the track."""
    _draw_track(surface, track)
    ends = {True: 0.0, False: 0.0}
    for part, colour in parts:
        start = ends[part > 0]
        end = ends[part > 0] = max(-1.0, min(1.0, start + part))
        left, right = (
            track.centerx + round(place * track.width / 2) for place in sorted((start, end))
        )
        pygame.draw.rect(surface, colour, (left, track.top, right - left, track.height))
    _draw_middle(surface, track)


def draw_curve(
    surface: pygame.Surface,
    track: pygame.Rect,
    values: Sequence[float],
    places: int,
    span: tuple[float, float],
    colour: theme.Colour,
) -> None:
    """Draw a curve with the newest value at the right; the area between it and 0 is filled.

    `values` has the oldest first; `places` of them fill the whole width. `span` is the lowest and
    the highest value of the vertical axis, at most 0 and at least 0.
    """
    _draw_track(surface, track)
    low, high = span
    scale = (track.height - 2 * LINE_WIDTH) / max(high - low, 1e-9)
    bottom = track.bottom - 1 - LINE_WIDTH

    def height_of(value: float) -> float:
        return bottom - (min(max(value, low), high) - low) * scale

    zero = round(height_of(0.0))
    pygame.draw.line(surface, theme.LINE, (track.left, zero), (track.right - 1, zero), 2)
    if len(values) < 2:
        return
    stride = (track.width - 1) / (places - 1)
    first = track.right - 1 - (len(values) - 1) * stride
    points = [(first + k * stride, height_of(value)) for k, value in enumerate(values)]
    area = [(points[0][0], zero), *points, (points[-1][0], zero)]
    pygame.draw.polygon(surface, theme.blend(theme.TRACK, colour, 0.4), area)
    pygame.draw.lines(surface, colour, False, points, LINE_WIDTH)


def draw_signed_bar(
    surface: pygame.Surface, track: pygame.Rect, part: float, colour: theme.Colour
) -> None:
    """Draw a bar from the middle of `track`, to the right (`part` 0..1) or left (-1..0)."""
    draw_stacked_bar(surface, track, [(part, colour)])


def _draw_track(surface: pygame.Surface, track: pygame.Rect) -> None:
    pygame.draw.rect(surface, theme.TRACK, track, border_radius=5)


def _draw_middle(surface: pygame.Surface, track: pygame.Rect) -> None:
    middle = track.centerx
    pygame.draw.line(surface, theme.DIM, (middle, track.top - 2), (middle, track.bottom + 1), 2)
