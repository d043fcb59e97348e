"""What is wrong with a student's code, with its place and a sentence in each language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from classroom.texts import FOLDER
from envs.names import closest
from rewards.texts import load_texts

ERROR, WARNING = "error", "warning"
WARNINGS = ("no_effect", "unreachable", "warned")
"""Keys of problems with which a reward can be used."""
MOST_NAMES = 12  # that a message lists


class Problem(NamedTuple):
    """One problem; its columns count UTF-16 units from 0, as a browser's editor does."""

    line: int
    """From 1."""
    column: int
    end_line: int
    end_column: int
    key: str
    """Of the sentence in the table `language` of the classroom's texts."""
    words: Mapping[str, Any] = {}
    """What stands in the sentence. From `name` and `known` follows a hint: which name is meant."""

    @property
    def severity(self) -> str:
        """`ERROR`, or `WARNING` if the reward can be used all the same."""
        return WARNING if self.key in WARNINGS else ERROR

    def message(self, lang: str) -> str:
        """Return the sentence in one of `rewards.texts.LANGUAGES`."""
        texts = load_texts(FOLDER, lang)["language"]
        words = dict(self.words)
        if "known" in words:
            words["hint"] = _hint(str(words["name"]), list(words["known"]), texts)
        text: str = texts[self.key].format(**words)
        return text


def _hint(name: str, known: list[str], texts: Mapping[str, str]) -> str:
    if close := closest(name, known):
        return texts["did_you_mean"].format(name=close)
    shown = ", ".join(f"`{each}`" for each in known[:MOST_NAMES])
    return texts["choose"].format(names=f"{shown}, …" if len(known) > MOST_NAMES else shown)
