"""Colours that the games' views and `play.py` share."""

from __future__ import annotations

Colour = tuple[int, int, int]

BACKGROUND: Colour = (14, 18, 28)
FIELD: Colour = (22, 28, 44)
PANEL: Colour = (24, 30, 46)
HAZE: Colour = (44, 54, 84)
GRID: Colour = (48, 58, 88)
LANE: Colour = (36, 56, 70)
LINE: Colour = (58, 68, 98)
GREY: Colour = (92, 104, 138)
LIGHT_GREY: Colour = (156, 168, 198)
WHITE: Colour = (240, 244, 252)
GREEN: Colour = (94, 214, 160)
AMBER: Colour = (255, 196, 84)
RED: Colour = (244, 92, 92)
BLUE: Colour = (120, 176, 255)
VIOLET: Colour = (206, 158, 255)


def blend(first: Colour, second: Colour, share: float) -> Colour:
    """Return the colour between `first` (share 0) and `second` (share 1)."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(first, second, strict=True))
    return red, green, blue
