"""Pictures of what nobody has named: points in a plane, and screens beside their reconstruction."""

from __future__ import annotations

from typing import Any

import numpy as np

from agents.looking import enlarged, tiled
from stages.environments.pictures import BACKGROUND, DIM, WHITE, pixels_of
from stages.environments.stage import Array

SIDE, MARGIN = 480, 24  # pixels
KEY = 110  # pixels to a side of the little box that says which colour is where
CORNERS = np.array([[[255, 208, 40], [235, 60, 70]], [[40, 190, 110], [70, 110, 255]]], np.float64)
"""Colours of the box's corners: top left, top right; bottom left, bottom right."""

OF_CLUSTERS = ((94, 214, 160), (255, 150, 70), (110, 160, 255), (240, 120, 200), (250, 220, 90))


def colours_of_places(places: Array) -> Array:
    """A colour (n, 3) in 0..255 for each place (n, 2) in the box, x and y in 0..1."""
    x, y = places[:, :1], places[:, 1:]
    top, bottom = ((1 - x) * left + x * right for left, right in CORNERS)
    colours: Array = ((1 - y) * top + y * bottom).astype(np.uint8)
    return colours


def box_of_colours(side: int) -> Array:
    """The box, each place in its colour: uint8 (side, side, 3)."""
    line = (np.arange(side) + 0.5) / side
    places = np.stack(np.meshgrid(line, line), -1).reshape(-1, 2)
    return colours_of_places(places).reshape(side, side, 3)


def in_a_plane(points: Array) -> Array:
    """Points (n, k) as (n, 2): their two principal components, unless they are two numbers."""
    if points.shape[1] <= 2:
        return np.pad(points, ((0, 0), (0, 2 - points.shape[1])))
    centred = points - points.mean(0)
    return np.asarray(centred @ axes_of(points).T)


def axes_of(points: Array) -> Array:
    """The directions (2, k) in which points (n, k) differ most (Pearson 1901).

    Each points to where its largest number is positive, so that pictures are not mirrored by luck.
    """
    _, _, directions = np.linalg.svd(points - points.mean(0), full_matrices=False)
    axes = directions[:2]
    largest = np.take_along_axis(axes, np.abs(axes).argmax(1)[:, None], 1)
    return np.asarray(axes * np.sign(largest))


def picture_of_points(plane: Array, colours: Array, key: bool = False) -> Array:
    """Points (n, 2) in colours (n, 3); with `key` the box that says which colour is where."""
    import pygame

    surface = pygame.Surface((SIDE, SIDE))
    surface.fill(BACKGROUND)
    low, high = plane.min(0), plane.max(0)
    span = np.where(high > low, high - low, 1.0)
    places = MARGIN + (plane - low) / span * (SIDE - 2 * MARGIN)
    for place, colour in zip(places.tolist(), colours.tolist(), strict=True):
        pygame.draw.circle(surface, colour, (place[0], SIDE - place[1]), 3)
    if not key:
        return pixels_of(surface)
    legend = pygame.Surface((SIDE, KEY + 2 * MARGIN))
    legend.fill(BACKGROUND)
    box = pygame.surfarray.make_surface(box_of_colours(KEY).swapaxes(0, 1))
    legend.blit(box, (MARGIN, MARGIN))
    pygame.draw.rect(legend, DIM, (MARGIN - 2, MARGIN - 2, KEY + 4, KEY + 4), 2)
    from envs.lettering import write

    words = ("one point is one screen,", "its colour is where the ball is")
    for k, line in enumerate(words):
        write(legend, line, (2 * MARGIN + KEY, MARGIN + KEY / 2 + 32 * (k - 0.5)), 30, DIM)
    return np.concatenate((pixels_of(surface), pixels_of(legend)))


def picture_of_clusters(plane: Array, clusters: Array, centres: Array) -> Array:
    """Points (n, 2) in the colours of their clusters (n,), and the centres (k, 2) on top."""
    import pygame

    surface = pygame.Surface((SIDE, SIDE))
    draw_clusters(surface, plane, clusters, centres)
    return pixels_of(surface)


def draw_clusters(surface: Any, plane: Array, clusters: Array, centres: Array) -> None:
    """The same onto all of a pygame surface."""
    import pygame

    surface.fill(BACKGROUND)
    side = min(surface.get_size())
    low, span = plane.min(0), np.maximum(np.ptp(plane, axis=0), 1e-9)

    def place(point: Array) -> tuple[float, float]:
        x, y = MARGIN + (point - low) / span * (side - 2 * MARGIN)
        return float(x), float(side - y)

    for point, cluster in zip(plane, clusters, strict=True):
        pygame.draw.circle(surface, OF_CLUSTERS[cluster % len(OF_CLUSTERS)], place(point), 3)
    for k, centre in enumerate(centres):
        pygame.draw.circle(surface, WHITE, place(centre), 13)
        pygame.draw.circle(surface, OF_CLUSTERS[k % len(OF_CLUSTERS)], place(centre), 10)


def picture_of_pairs(above: Array, below: Array) -> Array:
    """Screens (n, side, side) in 0..255, and below each the other one."""
    both = np.concatenate((above, np.clip(below, 0, 255))).astype(np.uint8)
    return tiled(enlarged(np.repeat(both[..., None], 3, -1), 100), len(above))
