"""How is a sentence split into tokens, by small and by large vocabularies?

    python -m stages tokens

Byte-pair encodings with 60 to 400 tokens are trained on a commentator's sentences. The table shows
how many tokens a new sentence takes and the longest tokens of each vocabulary; the slide shows how
one sentence is split. `--lang ko` does the same for a Korean commentator.
"""

from __future__ import annotations

from typing import Any

from stages.datasets.tokenizer import END_PIECE, tokenizer
from stages.lab.claims import Note
from stages.lab.experiment import Experiment
from stages.lab.results import Results, Table, own_cells
from stages.pretraining.splitting import Split, draw_splits, split_sentences

SIZES = {"en": (60, 100, 200, 400), "ko": (200, 240, 300, 400)}
"""Sizes of the vocabularies; the smallest are little more than the letters."""
SENTENCES = {
    "en": "The rider steers left, the lean is to the right.",
    "ko": "우리 선수가 왼쪽으로 꺾습니다, 몸은 오른쪽으로 기웁니다.",
}
LONGEST = 4  # tokens in the table


def table(results: Results) -> Table:
    """Return a row for each vocabulary."""
    rows = []
    for size in SIZES[results.lang]:
        pieces = tokenizer(results.lang, size).get_vocab().keys() - {END_PIECE}
        longest = sorted(pieces, key=lambda piece: (-len(piece), piece))[:LONGEST]
        numbers = (f"{results.mean((name, size)):.1f}" for name in ("tokens", "words"))
        rows.append((str(size), *numbers, " ".join(longest)))
    return Table(results.texts["columns"], rows)


def tokens_of(place: int) -> Any:
    """Return a word: tokens per sentence of the vocabulary at this place."""
    return lambda results: f"{results.mean(('tokens', SIZES[results.lang][place])):.1f}"


def size_of(place: int) -> Any:
    """Return a word: size of the vocabulary at this place."""
    return lambda results: SIZES[results.lang][place]


def plot(axes: Any, results: Results) -> None:
    """Draw how one sentence is split."""
    lang = results.lang
    draw_splits(axes, lang, SENTENCES[lang], SIZES[lang], results.texts["row"])


EXPERIMENT = Experiment(
    grid=lambda lang: {size: Split(lang, size) for size in SIZES[lang]},
    measure=split_sentences,
    values=own_cells,
    table=table,
    conclusions=(
        Note(
            "verdict",
            words={
                "letters": lambda results: results.mean("letters").value,
                **{"few": tokens_of(-1), "large": size_of(-1)},
                **{"many": tokens_of(0), "small": size_of(0)},
            },
        ),
    ),
    plot=plot,
)
