"""The texts of the experiments: both languages say the same things."""

from __future__ import annotations

import string
from collections.abc import Iterator
from typing import Any

import pytest

from envs.registry import EXPERIMENTS
from stages.lab.texts import load

NAMES = ("lab", *EXPERIMENTS)


def leaves(texts: Any, place: str = "") -> Iterator[tuple[str, str]]:
    """Yield each sentence of a table, with the keys and indices that lead to it."""
    if isinstance(texts, str):
        yield place, texts
        return
    for key, value in texts.items() if isinstance(texts, dict) else enumerate(texts):
        yield from leaves(value, f"{place}/{key}")


def placeholders(sentence: str) -> set[str]:
    """Return what stands in braces, without the format."""
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None}


@pytest.mark.parametrize("name", NAMES)
def test_both_languages_have_the_same_sentences_with_the_same_placeholders(name: str) -> None:
    english, korean = (
        {place: placeholders(text) for place, text in leaves(load(name, lang))}
        for lang in ("en", "ko")
    )
    assert english == korean
