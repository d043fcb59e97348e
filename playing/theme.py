"""Colours, letters and numbers of everything that play.py draws."""

from __future__ import annotations

from envs.engine.lettering import WHITE, Colour, mixed, text_size, write

__all__ = ["Colour", "mixed", "text_size", "write"]  # beside the colours and numbers below

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
TERMS: tuple[Colour, ...] = (
    (112, 190, 255),
    (245, 224, 96),
    (240, 140, 196),
    (96, 214, 176),
    (250, 158, 86),
    (176, 156, 255),
)
"""Of the reward's terms, in turn; told apart by who sees no difference between red and green."""
PLAYERS: dict[str, Colour] = {
    "trained": (94, 214, 160),
    "rules": (120, 176, 255),
    "random": (206, 158, 255),
    "you": (255, 196, 84),
    "learning": (94, 214, 160),
}


def number(value: float) -> str:
    """A number short enough for a panel: 12, 3.47, 41.3, 1,250."""
    if value == round(value) or abs(value) >= 100:
        return f"{value + 0.0:,.0f}"
    text = f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
    return text.removeprefix("-") if float(text) == 0 else text


def large(value: float) -> str:
    """A count in three digits or so: 950, 12.3k, 1.23M."""
    for unit, name in ((1e6, "M"), (1e3, "k")):
        if value >= unit:
            return (
                f"{value / unit:.3g}{name}" if value < 999.5 * unit else f"{value / unit:.0f}{name}"
            )
    return f"{value:.0f}"


def wrapped(text: str, size: int, width: float) -> list[str]:
    """`text` in lines no wider than `width`, as far as its words allow."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and text_size(longer, size)[0] <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines
