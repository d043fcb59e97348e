"""Text as tokens: a byte-pair encoding, trained on commentaries and small talk.

Training starts with single letters and repeatedly merges the most frequent pair of neighbours
(Sennrich et al., "Neural machine translation of rare words with subword units", 2016; the algorithm
is Gage's of 1994). Tokens do not cross word boundaries. The first letter of a word is merged with
the space before it, which is written as ▁.

The letters of Korean are jamo, not syllables (Unicode's canonical decomposition). An ending that
begins inside a syllable, such as ㄹ지 in 나올지, can therefore be a token. A letter that occurs in
no text becomes the token `UNKNOWN_PIECE`.

Tokenizers are not saved: the same options always train the same one.
"""

from __future__ import annotations

import functools
import itertools
import string
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from stages.datasets.commented_games import BOTH, commentaries
from stages.datasets.dataset import Array
from stages.datasets.grammar import sentence

if TYPE_CHECKING:
    from tokenizers import Tokenizer

END = 0
"""Token after the last sentence of a game."""
END_PIECE = "<end>"
UNKNOWN_PIECE = "<?>"
FULL_STOP = "."
"""End of the last token of a sentence."""
SPACE = "▁"
TEXT_SEED = 2**33  # not used by any dataset
GAMES = 300  # in the training text
SMALL_TALK = 1_200  # sentences of everyday language in the training text, among 2,672 on games
JAMO = tuple(map(chr, (*range(0x1100, 0x1113), *range(0x1161, 0x1176), *range(0x11A8, 0x11C3))))
COMMON = (*string.digits, *".,:?!")
ALPHABETS = {"en": (*string.ascii_letters, *COMMON), "ko": (*JAMO, *COMMON)}
"""Letters that are tokens of every vocabulary; all Korean syllables consist of these 67 jamo."""
NO_PACKAGE = 'commentaries need tokenizers: pip install -c constraints.txt -e ".[language]"'


@functools.cache
def tokenizer(language: str, pieces: int) -> Tokenizer:
    """Return a tokenizer with `pieces` tokens, trained on commentaries of both games.

    Raises:
        ValueError: if the package is missing.
    """
    try:
        from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers
    except ImportError:
        raise ValueError(NO_PACKAGE) from None
    made = Tokenizer(models.BPE(unk_token=UNKNOWN_PIECE))
    made.normalizer = normalizers.NFD()
    made.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Metaspace(), pre_tokenizers.Punctuation()]
    )
    trainer = trainers.BpeTrainer(
        vocab_size=pieces,
        special_tokens=[END_PIECE, UNKNOWN_PIECE],
        initial_alphabet=list(ALPHABETS[language]),
        show_progress=False,
    )
    made.train_from_iterator(training_text(language), trainer)
    made.encode_special_tokens = True  # "<end>" in a text is text
    return made


def training_text(language: str) -> Iterator[str]:
    """Yield the sentences that tokenizers are trained on."""
    for game in itertools.islice(commentaries(BOTH, language, TEXT_SEED), GAMES):
        yield from (text for text, _ in game)
    generator = np.random.default_rng(TEXT_SEED)
    for _ in range(SMALL_TALK):
        yield sentence("small talk", {}, language, generator)


def encoded(made: Tokenizer, texts: Sequence[str]) -> list[Array]:
    """Return the tokens (t,) of each of `texts`."""
    return [np.array(made.encode(text).ids, np.int64) for text in texts]


def decoded(made: Tokenizer, tokens: Iterable[int]) -> str:
    """Return the text of tokens, with a line break after each game."""
    pieces = "".join(str(made.id_to_token(int(token))) for token in tokens)
    games = pieces.replace(SPACE, " ").split(END_PIECE)
    return "\n".join(unicodedata.normalize("NFC", game.removeprefix(" ")) for game in games)


def written(made: Tokenizer, token: int) -> str:
    """Return the text of one token, including the space before a new word."""
    return readable(str(made.id_to_token(token))).replace(SPACE, " ")


def pieces_of(made: Tokenizer, text: str) -> list[str]:
    """Return the tokens of `text` as readable strings."""
    return [readable(piece) for piece in made.encode(text).tokens]


def unknown_letters(made: Tokenizer, text: str) -> str:
    """Return the letters of `text` that become `UNKNOWN_PIECE`, in the order of the text."""
    found = made.encode(text)
    pairs = zip(found.tokens, found.offsets, strict=True)
    letters = (text[slice(*place)] for piece, place in pairs if piece == UNKNOWN_PIECE)
    return " ".join(dict.fromkeys(letters))


def is_korean(text: str) -> bool:
    """Return whether a text has Korean letters."""
    return any(letter in JAMO for letter in unicodedata.normalize("NFD", text))


def readable(piece: str) -> str:
    """Return a token as people write it: whole syllables, and a jamo alone as a letter (ㄹ지)."""
    return "".join(map(_letter, unicodedata.normalize("NFC", piece)))


def _letter(character: str) -> str:
    """Return the letter that is written for a jamo alone; other characters are returned as is."""
    if character not in JAMO:
        return character
    return unicodedata.lookup(f"HANGUL LETTER {unicodedata.name(character).split()[-1]}")
