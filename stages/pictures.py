"""Pictures of results, for TensorBoard."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from stages.stage import Array

CELL = 96  # pixels
LEFT, TOP = 150, 64
BACKGROUND, TEXT, DIM = (14, 18, 28), (240, 244, 252), (150, 160, 184)
LIGHT = (94, 214, 160)
FIELD, BAND = (22, 28, 44), (48, 60, 92)


def picture_of_confusion(counts: Array, names: Sequence[str]) -> Array:
    """A confusion matrix: rows are the truth, columns the guesses, in percent of the row."""
    import pygame

    from envs.lettering import write

    size = len(names)
    surface = pygame.Surface((LEFT + size * CELL + 10, TOP + size * CELL + 10))
    surface.fill(BACKGROUND)
    write(surface, "truth \\ guess", (LEFT - 10, TOP / 2), 24, DIM, 1.0, LEFT - 20)
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    for row, name in enumerate(names):
        middle = TOP + (row + 0.5) * CELL
        write(surface, name, (LEFT - 10, middle), 24, TEXT, 1.0, LEFT - 20)
        write(surface, name, (LEFT + (row + 0.5) * CELL, TOP / 2), 24, TEXT, 0.5, CELL - 4)
        for column in range(size):
            share = shares[row, column]
            colour = [
                round(dark + share * (light - dark))
                for dark, light in zip(BACKGROUND, LIGHT, strict=True)
            ]
            cell = pygame.Rect(LEFT + column * CELL, TOP + row * CELL, CELL - 2, CELL - 2)
            pygame.draw.rect(surface, colour, cell)
            write(
                surface,
                f"{100 * share:.1f}%",
                cell.center,
                28,
                TEXT if share < 0.6 else BACKGROUND,
                0.5,
            )
    return pixels_of(surface)


def picture_of_errors(guesses: Array, answers: Array, tolerance: float) -> Array:
    """Guesses (n,) over answers (n,), both in 0..1; a band around the diagonal is good enough."""
    import pygame

    from envs.lettering import write

    side, left, top = 360, 60, 10
    surface = pygame.Surface((left + side + 10, top + side + 50))
    surface.fill(BACKGROUND)
    field = surface.subsurface((left, top, side, side))
    field.fill(FIELD)
    band = [(0, tolerance), (0, -tolerance), (1, 1 - tolerance), (1, 1 + tolerance)]
    pygame.draw.polygon(field, BAND, [(x * side, (1 - y) * side) for x, y in band])
    for x, y in zip(answers.tolist(), guesses.tolist(), strict=True):
        pygame.draw.circle(field, LIGHT, (x * side, (1 - y) * side), 2)
    write(surface, "truth", (left + side / 2, top + side + 26), 28, TEXT, 0.5)
    write(surface, "guess", (4, top + side / 2), 24, TEXT)
    return pixels_of(surface)


def pixels_of(surface: Any) -> Array:
    """What is on a surface: uint8 (height, width, 3)."""
    import pygame

    width, height = surface.get_size()
    return np.frombuffer(pygame.image.tobytes(surface, "RGB"), np.uint8).reshape(height, width, 3)
