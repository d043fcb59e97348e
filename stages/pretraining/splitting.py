"""Sentences split into tokens by vocabularies of several sizes: counted, printed and drawn."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from stages.datasets.commented_games import BOTH, commentaries
from stages.datasets.tokenizer import (
    UNKNOWN_PIECE,
    encoded,
    is_korean,
    pieces_of,
    tokenizer,
    unknown_letters,
)
from stages.lab.options import ExperimentOptions
from stages.lab.results import Cell, Results
from stages.lab.slides import COLOURS
from training.cli import Text

GAMES = 100  # whose sentences are split, per seed
MOST_LETTERS = 80  # of a text, so that it fits on the slide
SENTENCES = {
    "en": "The rider steers left, the lean is to the right.",
    "ko": "우리 선수가 왼쪽으로 꺾습니다, 몸은 오른쪽으로 기웁니다.",
}


@dataclass(frozen=True)
class TokenOptions(ExperimentOptions):
    """Split sentences into tokens: print a table and the tokens, and write a slide (PNG)."""

    text: Text = None
    """Text to split; by default a sentence of the commentator. Korean text implies --lang ko."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.text is None:
            return
        if not self.text.strip() or len(self.text) > MOST_LETTERS:
            raise ValueError(
                f"--text must have 1 to {MOST_LETTERS} letters, got {len(self.text.strip())}"
            )
        if is_korean(self.text):
            object.__setattr__(self, "lang", "ko")


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

    def shortened(self, share: float) -> Split:
        """Return the trial itself, which is quick."""
        return self


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


def sentence_of(results: Results) -> str:
    """Return the sentence to split."""
    assert isinstance(results.options, TokenOptions)
    return results.options.text or SENTENCES[results.lang]


def tokens_of(results: Results, sizes: Sequence[int]) -> str:
    """Return how each vocabulary splits the sentence, and the letters that they do not know."""
    sentence, lines = sentence_of(results), []
    for size in sizes:
        pieces = pieces_of(tokenizer(results.lang, size), sentence)
        heading = results.texts["row"].format(size=size, tokens=len(pieces))
        lines.append(f"{heading}: {' | '.join(pieces)}")
    unknown = unknown_letters(tokenizer(results.lang, sizes[-1]), sentence)
    if unknown:
        lines.append(results.texts["unknown"].format(piece=UNKNOWN_PIECE, letters=unknown))
    return "\n".join(lines)


def draw_splits(axes: Any, results: Results, sizes: Sequence[int]) -> None:
    """Draw the sentence, split by vocabularies of `sizes`, and colour neighbouring tokens."""
    from matplotlib.patches import Rectangle

    sentence = sentence_of(results)
    axes.set(xlim=(0, 1), ylim=(0, 1))
    axes.axis("off")
    for k, size in enumerate(sizes):
        pieces = pieces_of(tokenizer(results.lang, size), sentence)
        heading = results.texts["row"].format(size=size, tokens=len(pieces))
        y, left = 0.86 - 0.25 * k, 0.0
        axes.text(0, y + 0.1, heading, va="center")
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
