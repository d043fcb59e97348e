"""Colours, text and number formats of everything that play.py draws."""

from __future__ import annotations

from envs.engine.drawing import text_size, write
from envs.engine.palette import (
    AMBER,
    BACKGROUND,
    BLUE,
    GREEN,
    LIGHT_GREY,
    LINE,
    PANEL,
    RED,
    VIOLET,
    WHITE,
    Colour,
    blend,
)

__all__ = ["LINE", "PANEL", "Colour", "blend", "text_size", "write"]  # used as theme.NAME

TRACK: Colour = (44, 53, 78)
TEXT, DIM, DARK = WHITE, LIGHT_GREY, BACKGROUND
GOOD, BAD, CHOSEN = GREEN, RED, AMBER
OTHER: Colour = (98, 128, 196)
TERMS: tuple[Colour, ...] = (
    (112, 190, 255),
    (245, 224, 96),
    (240, 140, 196),
    (96, 214, 176),
    (250, 158, 86),
    (176, 156, 255),
)
"""Colours of the reward terms, in turn; distinguishable with red-green colour blindness."""
PLAYERS: dict[str, Colour] = {
    "trained": GREEN,
    "rules": BLUE,
    "random": VIOLET,
    "you": AMBER,
    "learning": GREEN,
}


def number(value: float) -> str:
    """Return a number in a few characters: 12, 3.47, 41.3, 1,250."""
    if value == round(value) or abs(value) >= 100:
        return f"{value + 0.0:,.0f}"
    text = f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
    return text.removeprefix("-") if float(text) == 0 else text


def large(value: float) -> str:
    """Return a count in about three digits: 950, 12.3k, 1.23M."""
    for unit, name in ((1e6, "M"), (1e3, "k")):
        if value >= unit:
            return (
                f"{value / unit:.3g}{name}" if value < 999.5 * unit else f"{value / unit:.0f}{name}"
            )
    return f"{value:.0f}"


def wrapped(text: str, size: int, width: float) -> list[str]:
    """Split `text` between words into lines that are no wider than `width` if possible."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and text_size(longer, size)[0] <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines
