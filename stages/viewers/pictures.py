"""Pictures of predictions and targets: for TensorBoard, and over or beside a running game."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from envs.engine.palette import AMBER, BACKGROUND, FIELD, GREEN, RED, WHITE, blend

Array = np.ndarray[Any, Any]

CELL = 112  # pixels to a side of a cell, where there are few
WIDEST = 1_000  # pixels of all cells together
LEFT, TOP = 150, 64
DIM = (150, 160, 184)
TILE, GAP = 192, 8
CAPTION = 32  # pixels
OF_CLASSES = (AMBER, GREEN, (120, 170, 255))
BRIGHT = (255, 255, 255)
BAND = (48, 60, 92)


def picture_of_confusion(counts: Array, names: Sequence[str]) -> Array:
    """A confusion matrix: rows are the truth, columns the predictions, in percent of the row."""
    import pygame

    from envs.engine.drawing import pixels_of, write

    size = len(names)
    cell = min(CELL, WIDEST // size)
    letters = max(14, cell // 4)
    surface = pygame.Surface((LEFT + size * cell + 10, TOP + size * cell + 10))
    surface.fill(BACKGROUND)
    write(surface, "truth \\ prediction", (LEFT - 10, TOP / 2), 24, DIM, 1.0, LEFT - 20)
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    for row, name in enumerate(names):
        middle = TOP + (row + 0.5) * cell
        write(surface, name, (LEFT - 10, middle), 24, WHITE, 1.0, LEFT - 20)
        write(surface, name, (LEFT + (row + 0.5) * cell, TOP / 2), letters, WHITE, 0.5, cell - 4)
        for column in range(size):
            share = shares[row, column]
            colour = blend(BACKGROUND, GREEN, share)
            place = pygame.Rect(LEFT + column * cell, TOP + row * cell, cell - 2, cell - 2)
            pygame.draw.rect(surface, colour, place)
            words = f"{share:.1%}" if cell == CELL else f"{100 * share:.0f}"
            ink = WHITE if share < 0.6 else BACKGROUND
            write(surface, words, place.center, letters, ink, 0.5)
    return pixels_of(surface)


def picture_of_errors(predictions: Array, targets: Array, tolerance: float) -> Array:
    """Guesses (n,) over targets (n,), both in 0..1; a band around the diagonal is good enough."""
    import pygame

    from envs.engine.drawing import pixels_of, write

    side, left, top = 360, 60, 10
    surface = pygame.Surface((left + side + 10, top + side + 50))
    surface.fill(BACKGROUND)
    field = surface.subsurface((left, top, side, side))
    field.fill(FIELD)
    band = [(0, tolerance), (0, -tolerance), (1, 1 - tolerance), (1, 1 + tolerance)]
    pygame.draw.polygon(field, BAND, [(x * side, (1 - y) * side) for x, y in band])
    for x, y in zip(targets.tolist(), predictions.tolist(), strict=True):
        pygame.draw.circle(field, GREEN, (x * side, (1 - y) * side), 2)
    write(surface, "truth", (left + side / 2, top + side + 26), 28, WHITE, 0.5)
    write(surface, "prediction", (4, top + side / 2), 24, WHITE)
    return pixels_of(surface)


def picture_of_boxes(
    screens: Array, truths: Sequence[Array], predictions: Sequence[Array]
) -> Array:
    """Screens (n, height, width) with what is there (white) and what was said (in colour).

    Of each screen, `truths` and `predictions` have rows of class, x, y, width, height in 0..1.
    """
    tiles = [_tile(screen) for screen in screens]
    for k, tile in enumerate(tiles):
        draw_boxes(tile, truths[k], [BRIGHT] * len(OF_CLASSES), 4)
        draw_boxes(tile, predictions[k], OF_CLASSES, 2)
    return _side_by_side(tiles)


def picture_of_words(screens: Array, words: Sequence[tuple[str, str]]) -> Array:
    """Screens (n, height, width), on each what was said of it and, if it is another, the truth."""
    tiles = [_tile(screen) for screen in screens]
    for tile, (prediction, truth) in zip(tiles, words, strict=True):
        draw_words(tile, prediction, truth)
    return _side_by_side(tiles)


def draw_screen(surface: Any, screen: Array) -> None:
    """A screen (height, width) all over `surface`, dimmed for what is drawn over it."""
    import pygame

    grey = pygame.surfarray.make_surface(np.repeat(screen.T[..., None] // 2, 3, 2))
    pygame.transform.scale(grey, surface.get_size(), surface)


def _tile(screen: Array) -> Any:
    """A pygame surface with a screen (height, width)."""
    import pygame

    tile = pygame.Surface((TILE, TILE))
    draw_screen(tile, screen)
    return tile


def _side_by_side(tiles: Sequence[Any]) -> Array:
    """One picture of them."""
    import pygame

    from envs.engine.drawing import pixels_of

    columns = 4
    rows = -(-len(tiles) // columns)
    surface = pygame.Surface((columns * (TILE + GAP) + GAP, rows * (TILE + GAP) + GAP))
    surface.fill(BACKGROUND)
    for k, tile in enumerate(tiles):
        corner = (GAP + k % columns * (TILE + GAP), GAP + k // columns * (TILE + GAP))
        surface.blit(tile, corner)
    return pixels_of(surface)


def draw_boxes(
    surface: Any, things: Array, colours: Sequence[tuple[int, int, int]], width: int
) -> None:
    """Frames around things (k, 5), rows of class, x, y, width, height in 0..1 of the surface."""
    import pygame

    side = surface.get_width()
    for kind, x, y, wide, high in things.tolist():
        frame = pygame.Rect(0, 0, round(wide * side) + 4, round(high * side) + 4)
        frame.center = (round(x * side), round(y * side))
        pygame.draw.rect(surface, colours[int(kind)], frame, width)


def draw_decoys(surface: Any, things: Array) -> None:
    """Fill the boxes of things (k, 5), rows as in `draw_boxes`."""
    import pygame

    side = surface.get_width()
    for _, x, y, wide, high in things.tolist():
        box = pygame.Rect(0, 0, round(wide * side), round(high * side))
        box.center = (round(x * side), round(y * side))
        pygame.draw.rect(surface, DIM, box)


def draw_words(surface: Any, prediction: str | None, truth: str) -> None:
    """The prediction at the top, green if it is right; if it is not, red, and the truth below."""
    from envs.engine.drawing import write

    middle = surface.get_width() / 2
    if prediction is not None:
        write(surface, prediction, (middle, 48), 44, GREEN if prediction == truth else RED, 0.5)
    if prediction != truth:
        write(surface, truth, (middle, 88), 30, WHITE, 0.5)


def draw_marks(surface: Any, places: dict[str, float]) -> None:
    """Arrows at the left edge, side by side, at places in 0..1 of the height; their names beside.

    The first is white.
    """
    import pygame

    from envs.engine.drawing import write

    for k, (name, place) in enumerate(places.items()):
        y, x, colour = place * surface.get_height(), 12 + 24 * k, (BRIGHT, GREEN)[k]
        pygame.draw.polygon(surface, colour, [(x, y), (x + 18, y - 9), (x + 18, y + 9)])
        write(surface, name, (130 - 66 * k, y), 26, colour)


def with_screens(picture: Any, screens: dict[str, Array]) -> Array:
    """A square pygame surface, and in a column to its right screens (k, k) in 0..255 by name."""
    import pygame

    from envs.engine.drawing import pixels_of, write

    side = picture.get_height()
    height = side // len(screens)
    tile = height - CAPTION
    surface = pygame.Surface((side + tile, side))
    surface.fill(BACKGROUND)
    surface.blit(picture, (0, 0))
    for row, (name, screen) in enumerate(screens.items()):
        grey = np.repeat(screen.clip(0, 255).astype(np.uint8).T[..., None], 3, 2)
        image = pygame.transform.scale(pygame.surfarray.make_surface(grey), (tile, tile))
        write(surface, name, (side + tile / 2, row * height + CAPTION / 2), 28, WHITE, 0.5, tile)
        surface.blit(image, (side, row * height + CAPTION))
    return pixels_of(surface)
