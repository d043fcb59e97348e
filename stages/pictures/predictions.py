"""Pictures of predictions and targets, for TensorBoard and for viewers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from envs.engine.palette import AMBER, BACKGROUND, FIELD, GREEN, RED, WHITE, blend

Array = np.ndarray[Any, Any]

CELL = 112  # largest side of a cell in pixels
WIDEST = 1_000  # pixels of a row of cells
LEFT, TOP = 150, 64
DIM = (150, 160, 184)
TILE, GAP = 192, 8
CAPTION = 32  # pixels
CLASS_COLOURS = (AMBER, GREEN, (120, 170, 255))
BRIGHT = (255, 255, 255)
BAND = (48, 60, 92)


def picture_of_confusion(counts: Array, names: Sequence[str]) -> Array:
    """Return a confusion matrix: rows are targets, columns predictions, in percent of the row."""
    import pygame

    from envs.engine.drawing import pixels_of, write

    size = len(names)
    cell = min(CELL, WIDEST // size)
    letters = max(14, cell // 4)
    surface = pygame.Surface((LEFT + size * cell + 10, TOP + size * cell + 10))
    surface.fill(BACKGROUND)
    write(surface, "target \\ prediction", (LEFT - 10, TOP / 2), 24, DIM, 1.0, LEFT - 20)
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
    """Return a scatter plot of predictions (n,) over targets (n,) in 0..1, with the tolerance."""
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
    write(surface, "target", (left + side / 2, top + side + 26), 28, WHITE, 0.5)
    write(surface, "prediction", (4, top + side / 2), 24, WHITE)
    return pixels_of(surface)


def picture_of_boxes(
    screens: Array, targets: Sequence[Array], predictions: Sequence[Array]
) -> Array:
    """Return screens (n, height, width) with true boxes (white) and predicted ones (coloured).

    `targets` and `predictions` have rows of class, x, y, width, height in 0..1 for each screen.
    """
    tiles = [_tile(screen) for screen in screens]
    for k, tile in enumerate(tiles):
        draw_boxes(tile, targets[k], [BRIGHT] * len(CLASS_COLOURS), 4)
        draw_boxes(tile, predictions[k], CLASS_COLOURS, 2)
    return _side_by_side(tiles)


def picture_of_words(screens: Array, words: Sequence[tuple[str, str]]) -> Array:
    """Return screens (n, height, width) with their predicted classes and, if wrong, the targets."""
    tiles = [_tile(screen) for screen in screens]
    for tile, (prediction, target) in zip(tiles, words, strict=True):
        draw_words(tile, prediction, target)
    return _side_by_side(tiles)


def draw_screen(surface: Any, screen: Array) -> None:
    """Draw a screen (height, width) over the whole `surface`, dimmed."""
    import pygame

    grey = pygame.surfarray.make_surface(np.repeat(screen.T[..., None] // 2, 3, 2))
    pygame.transform.scale(grey, surface.get_size(), surface)


def _tile(screen: Array) -> Any:
    """Return a pygame surface with a screen (height, width)."""
    import pygame

    tile = pygame.Surface((TILE, TILE))
    draw_screen(tile, screen)
    return tile


def _side_by_side(tiles: Sequence[Any]) -> Array:
    """Return one picture of all tiles."""
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
    """Draw frames around things (k, 5): class, x, y, width, height in 0..1 of the surface."""
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


def draw_words(surface: Any, prediction: str | None, target: str) -> None:
    """Write the prediction in green if it is right, else in red with the target below."""
    from envs.engine.drawing import write

    middle = surface.get_width() / 2
    if prediction is not None:
        write(surface, prediction, (middle, 48), 44, GREEN if prediction == target else RED, 0.5)
    if prediction != target:
        write(surface, target, (middle, 88), 30, WHITE, 0.5)


def draw_marks(surface: Any, places: dict[str, float]) -> None:
    """Draw named arrows at the left edge, at heights in 0..1; the first is white."""
    import pygame

    from envs.engine.drawing import write

    for k, (name, place) in enumerate(places.items()):
        y, x, colour = place * surface.get_height(), 12 + 24 * k, (BRIGHT, GREEN)[k]
        pygame.draw.polygon(surface, colour, [(x, y), (x + 18, y - 9), (x + 18, y + 9)])
        write(surface, name, (130 - 66 * k, y), 26, colour)


def with_screens(picture: Any, screens: dict[str, Array]) -> Array:
    """Return a square pygame surface with a column of captioned screens (k, k) at its right."""
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
