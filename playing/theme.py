"""Colours, letters and numbers of everything that play.py draws."""

from __future__ import annotations

from envs.lettering import WHITE, Colour, text_size, write

__all__ = ["Colour", "text_size", "write"]  # beside the colours and numbers below

PANEL: Colour = (24, 30, 46)
TRACK: Colour = (44, 53, 78)
LINE: Colour = (58, 68, 98)
TEXT: Colour = WHITE
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


def number(value: float) -> str:
    """A number short enough for a panel: 12, 3.47, 41.3, 1,250."""
    if value == round(value) or abs(value) >= 100:
        return f"{value + 0.0:,.0f}"
    text = f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
    return text.removeprefix("-") if float(text) == 0 else text
