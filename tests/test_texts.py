"""The texts of the experiments: both languages say the same things, in plain words."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator
from typing import Any

import pytest

from envs.registry import EXPERIMENTS
from stages.lab.texts import load

NAMES = ("lab", *EXPERIMENTS)
STIFF = re.compile(
    r"\b(who|whose|beside|anew|in thought|at rest|lopsided|bod(y|ies)|guess(es)?|answers? right|"
    r"less that of|as well than|which are no|by hand|by chance)\b",
    re.IGNORECASE,
)
"""Words that read as if translated, or that are not this project's terms."""


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


@pytest.mark.parametrize("name", NAMES)
def test_no_sentence_is_empty_and_no_english_one_is_stiff(name: str) -> None:
    for lang in ("en", "ko"):
        assert all(text.strip() for _, text in leaves(load(name, lang)))
    for place, text in leaves(load(name, "en")):
        assert not STIFF.search(text), place
