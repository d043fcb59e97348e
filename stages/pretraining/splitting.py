"""Sentences split into tokens by vocabularies of several sizes: counted and drawn."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from stages.datasets.commented_games import BOTH, commentaries
from stages.datasets.tokenizer import encoded, pieces_of, tokenizer
from stages.lab.results import Cell
from stages.lab.slides import COLOURS

GAMES = 100  # whose sentences are split, per seed


class Split(NamedTuple):
    """A trial: split the sentences of new games with one vocabulary."""

    size: int
    """Size of the vocabulary."""
    games: int = GAMES
    """Number of games."""
    lang: str = "en"
    """Language of the sentences."""
    seed: int = 0
    """Seed of the games."""

    def config(self, seed: int, backbones: Mapping[Any, Any], lang: str) -> Split:
        """Return the trial for one seed."""
        return self._replace(seed=seed, lang=lang)


def split_sentences(split: Split) -> dict[Cell, float]:
    """Return tokens per sentence, words that are one token (percent) and letters per sentence."""
    games = itertools.islice(commentaries(BOTH, split.lang, split.seed), split.games)
    sentences = [text for game in games for text, _ in game]
    words = [word.strip(",.:") for text in sentences for word in text.split()]
    vocabulary = tokenizer(split.lang, split.size)
    counts, word_counts = (list(map(len, encoded(vocabulary, t))) for t in (sentences, words))
    return {
        ("tokens", split.size): float(np.mean(counts)),
        ("words", split.size): 100 * float(np.mean(np.equal(word_counts, 1))),
        "letters": float(np.mean(list(map(len, sentences)))),
    }


def draw_splits(axes: Any, lang: str, sentence: str, sizes: Sequence[int], heading: str) -> None:
    """Draw a sentence, split by vocabularies of `sizes`, neighbouring tokens in different colours.

    `heading` is the text above each line, with the placeholders {size} and {tokens}.
    """
    from matplotlib.patches import Rectangle

    axes.set(xlim=(0, 1), ylim=(0, 1))
    axes.axis("off")
    for k, size in enumerate(sizes):
        pieces = pieces_of(tokenizer(lang, size), sentence)
        y, left = 0.86 - 0.25 * k, 0.0
        axes.text(0, y + 0.1, heading.format(size=size, tokens=len(pieces)), va="center")
        letters = sum(map(len, pieces))
        font_size = min(17, 800 // letters)  # small enough for long texts
        for number, piece in enumerate(pieces):
            width, colour = len(piece) / letters, COLOURS[number % len(COLOURS)]
            place = (left, y - 0.05)
            box = Rectangle(place, width, 0.1, color=colour, alpha=0.45, ec="white", lw=3)
            axes.add_patch(box)
            shown = piece.replace("▁", " ").strip() or "▁"
            axes.text(left + width / 2, y, shown, ha="center", va="center", fontsize=font_size)
            left += width
