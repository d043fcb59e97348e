"""The grammars of the commentators, in English and Korean: grammar.en.toml and grammar.ko.toml.

Each name has a few wordings, of which one is chosen at random. In a wording, `{name}` stands for a
wording of that name, or, where the facts of the event contain the name, for one of the fact. Names
that start with `paddle` or `ride` are events; each is a sentence.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path

import numpy as np

Grammar = Mapping[str, tuple[str, ...]]

LANGUAGES = ("en", "ko")


def _load(language: str) -> Grammar:
    file = Path(__file__).with_name(f"grammar.{language}.toml")
    return {name: tuple(words) for name, words in tomllib.loads(file.read_text("utf-8")).items()}


GRAMMARS: dict[str, Grammar] = {language: _load(language) for language in LANGUAGES}
GAP = re.compile(r"\{([^}]+)\}")


def sentence(
    event: str, facts: Mapping[str, str], language: str, generator: np.random.Generator
) -> str:
    """Return a random sentence for `event`, with a capital letter and a full stop."""
    grammar = GRAMMARS[language]

    def worded(name: str) -> str:
        wordings = grammar[facts.get(name, name)]
        wording = wordings[int(generator.random() * len(wordings))]
        return GAP.sub(lambda gap: worded(gap[1]), wording)

    words = worded(event)
    return f"{words[0].upper()}{words[1:]}."
