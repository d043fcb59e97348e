"""How is a sentence split into tokens, by small and by large vocabularies?

    python -m stages tokens
    python -m stages tokens --text "What will come out?"

Byte-pair encodings with 100 to 400 tokens are trained on a commentator's sentences and on small
talk. The table shows how many tokens a new sentence takes and the longest tokens of each
vocabulary; below it and on the slide, one sentence is split. `--lang ko` does the same in Korean,
and so does a `--text` with Korean letters.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from stages.datasets.tokenizer import (
    END_PIECE,
    UNKNOWN_PIECE,
    is_korean,
    pieces_of,
    readable,
    tokenizer,
    unknown_letters,
)
from stages.lab.claims import Note
from stages.lab.experiment import Experiment
from stages.lab.options import ExperimentOptions
from stages.lab.results import Results, Table, own_cells
from stages.pretraining.splitting import Split, draw_splits, split_sentences
from training.cli import Text

SIZES = (100, 150, 200, 400)
"""Sizes of the vocabularies; the smallest is little more than the letters."""
SENTENCES = {
    "en": "The rider steers left, the lean is to the right.",
    "ko": "우리 선수가 왼쪽으로 꺾습니다, 몸은 오른쪽으로 기웁니다.",
}
LONGEST = 4  # tokens in the table
MOST_LETTERS = 80  # of a text, so that it fits on the slide


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


def sentence_of(results: Results) -> str:
    """Return the sentence to split."""
    assert isinstance(results.options, TokenOptions)
    return results.options.text or SENTENCES[results.lang]


def table(results: Results) -> Table:
    """Return a row for each vocabulary."""
    rows = []
    for size in SIZES:
        pieces = tokenizer(results.lang, size).get_vocab().keys() - {END_PIECE, UNKNOWN_PIECE}
        longest = sorted(map(readable, pieces), key=lambda piece: (-len(piece), piece))[:LONGEST]
        numbers = (f"{results.mean((name, size)):.1f}" for name in ("tokens", "words"))
        rows.append((str(size), *numbers, " ".join(longest)))
    return Table(results.texts["columns"], rows)


def tokens_of(results: Results) -> str:
    """Return how each vocabulary splits the sentence, and the letters that they do not know."""
    sentence, lines = sentence_of(results), []
    for size in SIZES:
        pieces = pieces_of(tokenizer(results.lang, size), sentence)
        heading = results.texts["row"].format(size=size, tokens=len(pieces))
        lines.append(f"{heading}: {' | '.join(pieces)}")
    unknown = unknown_letters(tokenizer(results.lang, SIZES[-1]), sentence)
    if unknown:
        lines.append(results.texts["unknown"].format(piece=UNKNOWN_PIECE, letters=unknown))
    return "\n".join(lines)


def count_of(size: int) -> Any:
    """Return a word: tokens per sentence of a vocabulary."""
    return lambda results: f"{results.mean(('tokens', size)):.1f}"


def plot(axes: Any, results: Results) -> None:
    """Draw how the sentence is split."""
    draw_splits(axes, results.lang, sentence_of(results), SIZES, results.texts["row"])


EXPERIMENT = Experiment(
    options=TokenOptions,
    grid={size: Split(size) for size in SIZES},
    measure=split_sentences,
    values=own_cells,
    table=table,
    conclusions=(
        tokens_of,
        Note(
            "verdict",
            words={
                "letters": lambda results: results.mean("letters").value,
                **{"few": count_of(SIZES[-1]), "large": SIZES[-1]},
                **{"many": count_of(SIZES[0]), "small": SIZES[0]},
            },
        ),
    ),
    plot=plot,
)
