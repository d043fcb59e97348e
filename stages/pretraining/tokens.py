"""How is a sentence split into tokens, by small and by large vocabularies?

    python -m stages tokens
    python -m stages tokens --text "What will come out?"

Byte-pair encodings with 100 to 400 tokens are trained on a commentator's sentences and on small
talk. The table shows how many tokens a new sentence takes and the longest tokens of each
vocabulary; below it and on the slide, one sentence is split. `--lang ko` does the same in Korean,
and so does a `--text` with Korean letters.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from stages.datasets.tokenizer import END_PIECE, UNKNOWN_PIECE, readable, tokenizer
from stages.lab.claims import Note
from stages.lab.experiment import Experiment
from stages.lab.results import Results, Table, own_cells
from stages.pretraining.splitting import (
    Split,
    TokenOptions,
    draw_splits,
    split_sentences,
    tokens_of,
)

SIZES = (100, 150, 200, 400)
"""Sizes of the vocabularies; the smallest is little more than the letters."""
LONGEST = 4  # tokens in the table


def table(results: Results) -> Table:
    """Return a row for each vocabulary."""
    rows = []
    for size in SIZES:
        pieces = tokenizer(results.lang, size).get_vocab().keys() - {END_PIECE, UNKNOWN_PIECE}
        longest = sorted(map(readable, pieces), key=lambda piece: (-len(piece), piece))[:LONGEST]
        numbers = (f"{results.mean((name, size)):.1f}" for name in ("tokens", "words"))
        rows.append((str(size), *numbers, " ".join(longest)))
    return Table(results.texts["columns"], rows)


def count_of(size: int) -> Any:
    """Return a value for a text: tokens per sentence of a vocabulary."""
    return lambda results: f"{results.mean(('tokens', size)):.1f}"


EXPERIMENT = Experiment(
    options=TokenOptions,
    grid={size: Split(size) for size in SIZES},
    measure=split_sentences,
    values=own_cells,
    table=table,
    conclusions=(
        partial(tokens_of, sizes=SIZES),
        Note(
            "verdict",
            words={
                "letters": lambda results: results.mean("letters").value,
                **{"few": count_of(SIZES[-1]), "large": SIZES[-1]},
                **{"many": count_of(SIZES[0]), "small": SIZES[0]},
            },
        ),
    ),
    plot=partial(draw_splits, sizes=SIZES),
)
