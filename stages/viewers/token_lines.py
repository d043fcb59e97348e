"""Tokens written for people, each in a colour of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from envs.engine.fonts import KOREAN
from stages.viewers.pictures import DIM

LINE, LETTERS = 30, 28  # pixels
MARGIN = 16
NO_FONT = "It speaks Korean, and no font here has its letters: pip install -e .[plots] brings one."


class Piece(NamedTuple):
    """A token as it is written."""

    text: str
    """A space before a new word included."""
    colour: tuple[int, int, int]


def font_of(language: str) -> str | None:
    """The file of a font with its letters, where pygame's own lacks them and there is one."""
    from envs.engine.drawing import font_with

    return font_with(KOREAN) if language == "ko" else None


def write_pieces(
    surface: Any, pieces: Sequence[Piece], y: float, font: str | None, most: int = 2
) -> None:
    """Write tokens one after the other, in `most` lines; what is too long is cut off."""
    from envs.engine.drawing import text_size, write

    x, lines = float(MARGIN), 1
    for k, (text, colour) in enumerate(pieces):
        word = text
        for following, _ in pieces[k + 1 :]:
            if following.startswith(" "):
                break
            word += following
        right = x + text_size(word, LETTERS, font)[0]
        if text.startswith(" ") and right > surface.get_width() - MARGIN:
            if lines == most:
                write(surface, "…", (x, y), LETTERS, DIM)
                return
            x, y, lines = float(MARGIN), y + LINE, lines + 1
        shown = text.lstrip() if x == MARGIN else text
        x += write(surface, shown, (x, y), LETTERS, colour, font=font).width
