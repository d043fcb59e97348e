"""Text on pygame surfaces, and surfaces as arrays."""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import numpy as np
import pygame

from envs.engine.fonts import packaged
from envs.engine.palette import WHITE, Colour

SHARPER = 4
"""Factor by which text is rendered larger and then shrunk, for even spacing of small letters."""
OWN_FONT_SCALE = 0.6875
"""Factor by which pygame makes its own font smaller than the size that one asks for."""
FONTS = ("nanumgothic", "malgungothic", "applesdgothicneo", "notosanscjkkr", "notosanskr")
"""System fonts in which Korean letters are looked up, after the packaged font."""

_fonts: dict[tuple[int, str | None], pygame.font.Font] = {}


@functools.cache
def font_with(letters: str) -> str | None:
    """Return the file of a font on this machine that has all of `letters`, or None."""
    pygame.font.init()
    for path in (*packaged(), *map(pygame.font.match_font, FONTS)):
        if path is not None and None not in pygame.font.Font(path).metrics(letters):
            return path
    return None


def _font(size: int, file: str | None) -> pygame.font.Font:
    """Return a font; it is loaded again if an environment has closed all of pygame."""
    try:
        _fonts[size, file].get_height()
    except (KeyError, pygame.error):
        pygame.font.init()
        _fonts[size, file] = pygame.font.Font(file, size * SHARPER)
    return _fonts[size, file]


class TextMetrics(NamedTuple):
    """Lengths of a line of text in pygame's own font, in pixels."""

    width: float
    height: float
    ascent: float
    """Distance of the base line from the top."""
    em: float
    """Size of the font, as CSS and typography mean it."""


def text_metrics(text: str, size: int) -> TextMetrics:
    """Return the lengths of a line of text that `write` draws."""
    width, height = text_size(text, size)
    em = int(size * SHARPER * OWN_FONT_SCALE) / SHARPER
    return TextMetrics(width, height, _font(size, None).get_ascent() / SHARPER, em)


@functools.lru_cache(1024)
def text_size(text: str, size: int, font: str | None = None) -> tuple[int, int]:
    """Return the width and height of a line of text, in pixels."""
    width, height = _font(size, font).size(text)
    return width // SHARPER, height // SHARPER


@functools.lru_cache(1024)
def _rendered(text: str, size: int, colour: Colour, font: str | None) -> pygame.Surface:
    large = _font(size, font).render(text, True, colour)
    return pygame.transform.smoothscale(large, text_size(text, size, font))


def write(
    surface: pygame.Surface,
    text: str,
    place: tuple[float, float],
    size: int,
    colour: Colour = WHITE,
    align: float = 0.0,
    width: float | None = None,
    font: str | None = None,
) -> pygame.Rect:
    """Write one line of text and return the rectangle that it covers.

    `place` is x of the left end (`align` 0), the centre (0.5) or the right end (1), and y of the
    middle. `size` and `width` are in pixels; text wider than `width` is cut off with an ellipsis.
    `font` is a file (see `font_with`), by default that of pygame's own font.
    """
    if width is not None and text_size(text, size, font)[0] > width:
        while text and text_size(text + "…", size, font)[0] > width:
            text = text[:-1]
        text += "…"
    image = _rendered(text, size, colour, font)
    corner = (place[0] - align * image.get_width(), place[1] - image.get_height() / 2)
    return surface.blit(image, corner)


def pixels_of(surface: pygame.Surface) -> np.ndarray[Any, Any]:
    """Return the pixels of a surface: uint8 (height, width, 3), read-only."""
    width, height = surface.get_size()
    return np.frombuffer(pygame.image.tobytes(surface, "RGB"), np.uint8).reshape(height, width, 3)
