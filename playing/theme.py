"""Colours, language and number formats of everything that play.py draws."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import pygame

from envs.engine import drawing
from envs.engine.fonts import KOREAN
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
from playing.texts import FOLDER
from rewards.texts import load_texts

__all__ = ["LINE", "PANEL", "Colour", "blend"]  # used as theme.NAME

KOREAN_SCALE = 0.8
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


class Language(NamedTuple):
    """The language of the window."""

    texts: Mapping[str, Any]
    """Tables of `playing/texts`."""
    font: str | None = None
    """Font file; None stands for pygame's own font."""
    scale: float = 1.0
    """Size of the font's letters compared with pygame's own, for letters that look as large."""


_language = Language(load_texts(FOLDER, "en"))


def use_language(lang: str) -> None:
    """Draw texts in this language, `en` or `ko`, from now on.

    Raises:
        ValueError: if no font on this machine has the letters.
    """
    global _language
    font = drawing.font_with(KOREAN) if lang == "ko" else None
    if lang == "ko" and font is None:
        raise ValueError(
            "--lang ko: no font on this machine has Korean letters; install one with "
            'pip install -e ".[plots]"'
        )
    _language = Language(load_texts(FOLDER, lang), font, 1.0 if font is None else KOREAN_SCALE)


def text(table: str, key: str, **words: object) -> str:
    """Return a text of the language in use, with its placeholders filled."""
    return str(_language.texts[table][key].format(**words))


def name(table: str, key: str) -> str:
    """Return the name of something, or the key itself where the texts have no name for it."""
    return str(_language.texts[table].get(key, key))


def help_on_keys() -> list[tuple[str, str]]:
    """Return each key and what it does."""
    return [(key, meaning) for key, meaning in _language.texts["help"]["keys"]]


def text_size(text: str, size: int) -> tuple[int, int]:
    """Return the width and height of a line of text, in pixels."""
    return drawing.text_size(text, round(size * _language.scale), _language.font)


def write(
    surface: pygame.Surface,
    text: str,
    place: tuple[float, float],
    size: int,
    colour: Colour = WHITE,
    align: float = 0.0,
    width: float | None = None,
) -> pygame.Rect:
    """Write a line of text as `envs.engine.drawing.write` does, in the font of the language."""
    letters = round(size * _language.scale)
    return drawing.write(surface, text, place, letters, colour, align, width, _language.font)


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
