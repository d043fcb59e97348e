"""Tokens as lines of text, each in its own colour."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from envs.engine.fonts import KOREAN
from stages.pictures.predictions import DIM

LINE, LETTERS = 30, 28  # pixels
MARGIN = 16
NO_FONT = "The text is Korean, but no Korean font was found: pip install -e .[plots] adds one."


class Piece(NamedTuple):
    """The text of a token, and its colour."""

    text: str
    """Includes the space before a new word."""
    colour: tuple[int, int, int]


def font_of(language: str) -> str | None:
    """Return the file of a font for `language`, or None for pygame's own or if there is none."""
    from envs.engine.drawing import font_with

    return font_with(KOREAN) if language == "ko" else None


def write_pieces(
    surface: Any, pieces: Sequence[Piece], y: float, font: str | None, most: int = 2
) -> None:
    """Write tokens in up to `most` lines; longer text ends with an ellipsis."""
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
