"""Text as tokens: a byte-pair encoding, trained on what commentators say.

It begins with single letters and joins, again and again, the two neighbours that are most often
side by side (Sennrich et al., "Neural machine translation of rare words with subword units", 2016;
the algorithm is Gage's of 1994). Pieces do not reach beyond a word; a word's first letter brings
the space before it along, which is written as ▁.

Nothing of it is saved: the same options make the same pieces anew.
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
"""The token after the last sentence of a game."""
END_PIECE = "<end>"
FULL_STOP = "."
"""What a sentence's last token ends with."""
TEXT_SEED = 2**33  # no data set's
GAMES = 300  # that it is trained on
NO_PACKAGE = 'sentences are cut into tokens by one more package: pip install -e ".[language]"'


@functools.cache
def tokenizer(language: str, pieces: int) -> Tokenizer:
    """One with `pieces` pieces, for what is said about both games.

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
    """The tokens (t,) of each of `texts`."""
    return [np.array(made.encode(text).ids, np.int64) for text in texts]


def decoded(made: Tokenizer, tokens: Array) -> str:
    """The text of tokens (t,), the end of a game being a new line."""
    games = np.split(tokens, np.flatnonzero(tokens == END))
    return "\n".join(made.decode(game.tolist()) for game in games)


def written(made: Tokenizer, token: int) -> str:
    """A token as it is written, the space before a new word included."""
    return str(made.id_to_token(token)).replace("▁", " ")


def pieces_of(made: Tokenizer, text: str) -> list[str]:
    """How `text` is cut."""
    found: list[str] = made.encode(text).tokens
    return found
