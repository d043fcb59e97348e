"""Text as tokens: a byte-pair encoding, trained on commentaries.

Training starts with single letters and repeatedly merges the most frequent pair of neighbours
(Sennrich et al., "Neural machine translation of rare words with subword units", 2016; the algorithm
is Gage's of 1994). Tokens do not cross word boundaries. The first letter of a word is merged with
the space before it, which is written as ▁.

Tokenizers are not saved: the same options always train the same one.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from stages.datasets.commented_games import BOTH, commentaries
from stages.datasets.dataset import Array

if TYPE_CHECKING:
    from tokenizers import Tokenizer

END = 0
"""Token after the last sentence of a game."""
END_PIECE = "<end>"
FULL_STOP = "."
"""End of the last token of a sentence."""
TEXT_SEED = 2**33  # not used by any dataset
GAMES = 300  # in the training text
NO_PACKAGE = 'commentaries need tokenizers: pip install -c constraints.txt -e ".[language]"'


@functools.cache
def tokenizer(language: str, pieces: int) -> Tokenizer:
    """Return a tokenizer with `pieces` tokens, trained on commentaries of both games.

    Raises:
        ValueError: if the package is missing.
    """
    try:
        from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    except ImportError:
        raise ValueError(NO_PACKAGE) from None
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Metaspace(), pre_tokenizers.Punctuation()]
    )
    made.decoder = decoders.Metaspace()
    games = itertools.islice(commentaries(BOTH, language, TEXT_SEED), GAMES)
    trainer = trainers.BpeTrainer(
        vocab_size=pieces, special_tokens=[END_PIECE], show_progress=False
    )
    made.train_from_iterator((text for game in games for text, _ in game), trainer)
    return made


def encoded(made: Tokenizer, texts: Sequence[str]) -> list[Array]:
    """Return the tokens (t,) of each of `texts`."""
    return [np.array(made.encode(text).ids, np.int64) for text in texts]


def decoded(made: Tokenizer, tokens: Array) -> str:
    """Return the text of tokens (t,), with a line break after each game."""
    games = np.split(tokens, np.flatnonzero(tokens == END))
    return "\n".join(made.decode(game.tolist()) for game in games)


def written(made: Tokenizer, token: int) -> str:
    """Return the text of a token, including the space before a new word."""
    return str(made.id_to_token(token)).replace("▁", " ")


def pieces_of(made: Tokenizer, text: str) -> list[str]:
    """Return the tokens of `text` as strings."""
    found: list[str] = made.encode(text).tokens
    return found
