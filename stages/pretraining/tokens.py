"""How text becomes tokens: one sentence cut by larger and larger vocabularies.

    python -m stages tokens

Byte-pair encodings of 60 to 400 pieces are trained on what commentators say. The table has the
longest pieces of each, and how many tokens a new sentence takes; the slide shows how one is cut.
`--lang ko` shows a Korean commentator's.
"""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np

from stages.datasets.commented_games import BOTH, commentaries
from stages.datasets.tokenizer import END_PIECE, encoded, pieces_of, tokenizer
from stages.lab.experiment import ExperimentOptions, tell
from stages.lab.intervals import Mean, mean
from stages.lab.slides import COLOURS, slide
from stages.lab.texts import load

SIZES = {"en": (60, 100, 200, 400), "ko": (200, 240, 300, 400)}
"""Pieces; the fewest are little more than the letters."""
SENTENCES = {
    "en": "The rider steers left, the lean is to the right.",
    "ko": "우리 선수가 왼쪽으로 꺾습니다, 몸은 오른쪽으로 기웁니다.",
}
GAMES = 100  # of new sentences, for each seed
LONGEST = 4  # pieces shown in the table


def new_sentences(lang: str, seed: int) -> list[str]:
    """Of games that no tokenizer was trained on."""
    games = itertools.islice(commentaries(BOTH, lang, seed), GAMES)
    return [text for game in games for text, _ in game]


def tokens_each(lang: str, size: int, texts: list[str]) -> float:
    """Their mean number in a sentence."""
    return float(np.mean([len(tokens) for tokens in encoded(tokenizer(lang, size), texts)]))


def whole_words(lang: str, size: int, texts: list[str]) -> float:
    """The share of words that are one piece, in percent."""
    words = [word.strip(",.:") for text in texts for word in text.split()]
    found = encoded(tokenizer(lang, size), words)
    return 100 * float(np.mean([len(tokens) == 1 for tokens in found]))


def experiment(options: ExperimentOptions, path: Path) -> None:
    """Measure, and show."""
    lang, sizes = options.lang, SIZES[options.lang]
    texts = load("tokens", lang)
    samples = [new_sentences(lang, seed) for seed in options.each_seed]
    counts: dict[int, Mean] = {}
    rows = []
    for size in sizes:
        made = tokenizer(lang, size)
        counts[size] = mean([tokens_each(lang, size, sample) for sample in samples])
        words = mean([whole_words(lang, size, sample) for sample in samples])
        longest = sorted(
            made.get_vocab().keys() - {END_PIECE}, key=lambda piece: (-len(piece), piece)
        )[:LONGEST]
        rows.append((str(size), f"{counts[size]:.1f}", f"{words:.1f}", " ".join(longest)))
    verdict = texts["verdict"].format(
        letters=np.mean([len(text) for sample in samples for text in sample]),
        few=f"{counts[sizes[-1]]:.1f}",
        many=f"{counts[sizes[0]]:.1f}",
        large=sizes[-1],
        small=sizes[0],
        seeds=options.seeds,
    )
    tell(texts["title"], texts["columns"], rows, verdict)
    draw(path, lang)


def draw(path: Path, lang: str) -> None:
    """One sentence, cut by each vocabulary, neighbouring pieces in different colours."""
    texts = load("tokens", lang)
    with slide(path, lang) as axes:
        axes.set(title=texts["title"], xlim=(0, 1), ylim=(0, 1))
        axes.axis("off")
        letters = len(SENTENCES[lang])
        for k, size in enumerate(SIZES[lang]):
            found = pieces_of(tokenizer(lang, size), SENTENCES[lang])
            y = 0.86 - 0.25 * k
            axes.text(0, y + 0.1, texts["row"].format(size=size, tokens=len(found)), va="center")
            left = 0.0
            for number, piece in enumerate(found):
                width = len(piece) / (letters + 1)
                colour = COLOURS[number % len(COLOURS)]
                axes.add_patch(axes_rectangle(left, y - 0.05, width, colour))
                shown = piece.replace("▁", " ").strip() or "▁"
                axes.text(left + width / 2, y, shown, ha="center", va="center", fontsize=17)
                left += width


def axes_rectangle(left: float, bottom: float, width: float, colour: str) -> Any:
    """A piece's ground."""
    from matplotlib.patches import Rectangle

    return Rectangle((left, bottom), width, 0.1, color=colour, alpha=0.45, ec="white", lw=3)
