"""Pictures of unlabelled data: points in a plane, and screens with their reconstructions."""

from __future__ import annotations

from typing import Any

import numpy as np

from agents.saliency import enlarged, tiled
from envs.engine.palette import BACKGROUND
from stages.pictures.predictions import BRIGHT, DIM, Array

SIDE, MARGIN = 480, 24  # pixels
KEY = 110  # side of the colour key in pixels
CORNERS = np.array([[[255, 208, 40], [235, 60, 70]], [[40, 190, 110], [70, 110, 255]]], np.float64)
"""Colours of the corners of the box: top left, top right; bottom left, bottom right."""

CLUSTER_COLOURS = ((94, 214, 160), (255, 150, 70), (110, 160, 255), (240, 120, 200), (250, 220, 90))


def colours_of_places(places: Array) -> Array:
    """Return a colour uint8 (n, 3) for each position (n, 2) in the box, x and y in 0..1."""
    x, y = places[:, :1], places[:, 1:]
    top, bottom = ((1 - x) * left + x * right for left, right in CORNERS)
    colours: Array = ((1 - y) * top + y * bottom).astype(np.uint8)
    return colours


def box_of_colours(side: int) -> Array:
    """Return the box with each position in its colour: uint8 (side, side, 3)."""
    line = (np.arange(side) + 0.5) / side
    places = np.stack(np.meshgrid(line, line), -1).reshape(-1, 2)
    return colours_of_places(places).reshape(side, side, 3)


def in_a_plane(points: Array) -> Array:
    """Return points (n, k) as (n, 2): their first two principal components if k > 2."""
    if points.shape[1] <= 2:
        return np.pad(points, ((0, 0), (0, 2 - points.shape[1])))
    centred = points - points.mean(0)
    return np.asarray(centred @ axes_of(points).T)


def axes_of(points: Array) -> Array:
    """Return the first two principal axes (2, k) of points (n, k) (Pearson 1901).

    The largest component of each axis is positive, so that pictures are not mirrored at random.
    """
    _, _, directions = np.linalg.svd(points - points.mean(0), full_matrices=False)
    axes = directions[:2]
    largest = np.take_along_axis(axes, np.abs(axes).argmax(1)[:, None], 1)
    return np.asarray(axes * np.sign(largest))


def in_pixels(plane: Array, points: Array, side: int) -> list[list[float]]:
    """Return pixel positions of points (n, 2) on a square that shows all of `plane` (m, 2)."""
    low, span = plane.min(0), np.maximum(np.ptp(plane, axis=0), 1e-9)
    x, y = (MARGIN + (points - low) / span * (side - 2 * MARGIN)).T
    places: list[list[float]] = np.stack((x, side - y), 1).tolist()
    return places


def picture_of_codes(plane: Array, places: Array) -> Array:
    """Return points (n, 2) coloured by ball positions (n, 2), with a colour key below."""
    import pygame

    from envs.engine.drawing import pixels_of, write

    surface = pygame.Surface((SIDE, SIDE + KEY + 2 * MARGIN))
    surface.fill(BACKGROUND)
    colours = colours_of_places(places).tolist()
    for place, colour in zip(in_pixels(plane, plane, SIDE), colours, strict=True):
        pygame.draw.circle(surface, colour, place, 3)
    box = pygame.surfarray.make_surface(box_of_colours(KEY).swapaxes(0, 1))
    surface.blit(box, (MARGIN, SIDE + MARGIN))
    pygame.draw.rect(surface, DIM, (MARGIN - 2, SIDE + MARGIN - 2, KEY + 4, KEY + 4), 2)
    words = ("each point is a screen,", "coloured by the ball's position")
    for k, line in enumerate(words):
        middle = SIDE + MARGIN + KEY / 2 + 32 * (k - 0.5)
        write(surface, line, (2 * MARGIN + KEY, middle), 30, DIM)
    return pixels_of(surface)


def picture_of_clusters(plane: Array, clusters: Array, centres: Array) -> Array:
    """Return points (n, 2) coloured by their clusters (n,), with the centres (k, 2) on top."""
    import pygame

    from envs.engine.drawing import pixels_of

    surface = pygame.Surface((SIDE, SIDE))
    draw_clusters(surface, plane, clusters, centres)
    return pixels_of(surface)


def draw_clusters(surface: Any, plane: Array, clusters: Array, centres: Array) -> None:
    """Draw `picture_of_clusters` over a whole pygame surface."""
    import pygame

    surface.fill(BACKGROUND)
    side = min(surface.get_size())
    for place, cluster in zip(in_pixels(plane, plane, side), clusters, strict=True):
        pygame.draw.circle(surface, CLUSTER_COLOURS[cluster % len(CLUSTER_COLOURS)], place, 3)
    for k, place in enumerate(in_pixels(plane, centres, side)):
        pygame.draw.circle(surface, BRIGHT, place, 13)
        pygame.draw.circle(surface, CLUSTER_COLOURS[k % len(CLUSTER_COLOURS)], place, 10)


def picture_of_pairs(above: Array, below: Array) -> Array:
    """Return a row of screens (n, side, side) in 0..255 above another row."""
    both = np.concatenate((above, np.clip(below, 0, 255))).astype(np.uint8)
    return tiled(enlarged(np.repeat(both[..., None], 3, -1), 100), len(above))
