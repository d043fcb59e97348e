"""Letters and colours for people: what views and `play.py` write with."""

from __future__ import annotations

import functools

import pygame

Colour = tuple[int, int, int]

WHITE: Colour = (240, 244, 252)
SHARPER = 4
"""Letters are drawn this much larger and shrunk: small ones would stand apart unevenly."""

_fonts: dict[int, pygame.font.Font] = {}


def mixed(first: Colour, second: Colour, part: float) -> Colour:
    """`first` with `part` of `second` in it."""
    red, green, blue = (round(a + (b - a) * part) for a, b in zip(first, second, strict=True))
    return red, green, blue


def _font(size: int) -> pygame.font.Font:
    """The font that comes with pygame, so that the picture is the same on every machine.

    Others may end pygame in between, as Gymnasium's environments do when they close.
    """
    try:
        _fonts[size].get_height()
    except (KeyError, pygame.error):
        pygame.font.init()
        _fonts[size] = pygame.font.Font(None, size * SHARPER)
    return _fonts[size]


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
    colour: Colour = WHITE,
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
