"""Colours, letters and numbers of everything that play.py draws."""

from __future__ import annotations

import functools

import pygame

Colour = tuple[int, int, int]

PANEL: Colour = (24, 30, 46)
TRACK: Colour = (44, 53, 78)
LINE: Colour = (58, 68, 98)
TEXT: Colour = (240, 244, 252)
DIM: Colour = (156, 168, 198)
DARK: Colour = (14, 18, 28)
GOOD: Colour = (94, 214, 160)
BAD: Colour = (244, 92, 92)
CHOSEN: Colour = (255, 196, 84)
OTHER: Colour = (98, 128, 196)
PLAYERS: dict[str, Colour] = {
    "trained": (94, 214, 160),
    "rules": (120, 176, 255),
    "random": (206, 158, 255),
    "you": (255, 196, 84),
}


SHARPER = 4
"""Letters are drawn this much larger and shrunk: small ones would stand apart unevenly."""


@functools.cache
def _font(size: int) -> pygame.font.Font:
    """The font that comes with pygame, so that the picture is the same on every machine."""
    pygame.font.init()
    return pygame.font.Font(None, size * SHARPER)


def text_size(text: str, size: int) -> tuple[int, int]:
    """Width and height of a line of text, in pixels."""
    width, height = _font(size).size(text)
    return width // SHARPER, height // SHARPER


@functools.lru_cache(1024)
def _letters(text: str, size: int, colour: Colour) -> pygame.Surface:
    large = _font(size).render(text, True, colour)
    return pygame.transform.smoothscale(large, text_size(text, size))


def write(
    surface: pygame.Surface,
    text: str,
    place: tuple[float, float],
    size: int,
    colour: Colour = TEXT,
    align: float = 0.0,
    width: float | None = None,
) -> pygame.Rect:
    """Write one line of text.

    Args:
        surface: to write on.
        text: is cut off with an ellipsis where it would be wider than `width`.
        place: x of its left end, centre or right end (see `align`), y of its middle.
        size: of the font, in pixels.
        colour: of the letters.
        align: 0 left, 0.5 centre, 1 right.
        width: greatest width in pixels.
    """
    if width is not None and text_size(text, size)[0] > width:
        while text and text_size(text + "…", size)[0] > width:
            text = text[:-1]
        text += "…"
    image = _letters(text, size, colour)
    corner = (place[0] - align * image.get_width(), place[1] - image.get_height() / 2)
    return surface.blit(image, corner)


def number(value: float) -> str:
    """A number short enough for a panel: 12, 3.47, 41.3, 1,250."""
    if value == round(value) or abs(value) >= 100:
        return f"{value + 0.0:,.0f}"
    text = f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
    return text.removeprefix("-") if float(text) == 0 else text
