"""Commentary: what is the next token? Or: is what was just said good or bad for the player?

Description
    Somebody comments on games that clumsy players play (`commented_games`): a sentence
    now and then, in many wordings, game after game. An example is a window of `window` tokens of
    this text. `Commentary` asks for what comes next after each of them, to which the text itself is
    the target: nobody has to label anything. In `Verdict` the window ends with a sentence in which
    something good or bad happens to the player, and the question is which; that has to be labelled.
Observation Space
    `Box(0, pieces - 1, (window,), int64)`: tokens of `stages.datasets.tokenizer`.
Action Space
    `Commentary`: `MultiDiscrete`, the token after each token of the window. `Verdict`:
    `Discrete(2)`, 0 bad, 1 good.
Rewards
    `Commentary`: minus the share of tokens guessed wrong; the score is the share guessed right.
    `Verdict`: 0 for the right class, -1 for the wrong one; the score is 1 for the right class.
Everything else
    See `stages.datasets.environments` and `stages.datasets.dataset.Dataset`.
    `examples=1000` of `Commentary` are the first 1,000 windows of the text, one after the other: it
    is the size of the text.
Version History
    v0: first version.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from gymnasium import spaces

from envs.engine.palette import BACKGROUND, WHITE
from stages.datasets.classification import ClassificationDataset, SequenceDataset
from stages.datasets.commented_games import BOTH, COMMENTED_GAMES, commentaries
from stages.datasets.dataset import Array, Dataset, Examples
from stages.datasets.grammar import GRAMMARS
from stages.datasets.tokenizer import END, FULL_STOP, decoded, encoded, tokenizer, written
from stages.viewers.commentary import CommentaryViewer
from stages.viewers.pictures import DIM
from stages.viewers.token_lines import NO_FONT, Piece, font_of, write_pieces

UNJUDGED = -1
SHORTEST, LONGEST = 4, 512  # windows
MIDDLE = 180  # pixels from the top, where a window is written
MOST_LINES = 9
FEWEST_PIECES, MOST_PIECES = 300, {"en": 569, "ko": 663}  # all that the grammars have


@dataclass(frozen=True)
class TextDataset(Dataset):
    """What both questions share: the text, and how it is cut."""

    sport: str = BOTH
    """What is commented on: paddle, bicycle, or both in turn."""
    language: str = "en"
    """en or ko."""
    pieces: int = 400
    """Size of the vocabulary: 300 to 569, in Korean 663, which are all there are."""
    window: int = 24
    """Tokens that are seen at once."""

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, value, known in (
            ("sport", self.sport, (*COMMENTED_GAMES, BOTH)),
            ("language", self.language, tuple(GRAMMARS)),
        ):
            if value not in known:
                raise ValueError(f"option `{name}` must be {', '.join(known)}, not {value!r}")
        for name, number, low, high in (
            ("pieces", self.pieces, FEWEST_PIECES, MOST_PIECES[self.language]),
            ("window", self.window, SHORTEST, LONGEST),
        ):
            if not low <= number <= high:
                raise ValueError(f"option `{name}` must be between {low} and {high}, not {number}")
        tokenizer(self.language, self.pieces)

    @property
    def observation_space(self) -> spaces.Box:
        return spaces.Box(0, self.pieces - 1, (self.window,), np.int64)

    def text(self, seed: int) -> Iterator[tuple[Array, Array]]:
        """Game after game: its tokens (t,), and the verdict at the end of each sentence.

        Elsewhere, and where there is none, the verdict is `UNJUDGED`.
        """
        made = tokenizer(self.language, self.pieces)
        for told in commentaries(self.sport, self.language, seed):
            tokens, verdicts = [], []
            for found, (_, verdict) in zip(encoded(made, [s for s, _ in told]), told, strict=True):
                tokens.append(found)
                verdicts.append(np.full(len(found), UNJUDGED))
                verdicts[-1][-1] = UNJUDGED if verdict is None else verdict
            yield (
                np.append(np.concatenate(tokens), END),
                np.append(np.concatenate(verdicts), UNJUDGED),
            )

    def decoded(self, tokens: Array) -> str:
        """Tokens (t,) as a text."""
        return decoded(tokenizer(self.language, self.pieces), tokens)


@dataclass(frozen=True)
class Commentary(SequenceDataset, TextDataset):
    """How does it go on?"""

    feedbacks: ClassVar[dict[str, str]] = {"token": "the next token"}

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.noise:
            raise ValueError("option `noise` must be 0: what was said next is never a wrong answer")

    @property
    def action_space(self) -> spaces.MultiDiscrete:
        return spaces.MultiDiscrete([self.pieces] * self.window)

    def sample(self, count: int, seed: int) -> Examples:
        wanted, parts, length = count * self.window + 1, [], 0
        for tokens, _ in self.text(seed):
            parts.append(tokens)
            length += len(tokens)
            if length >= wanted:
                break
        text = np.concatenate(parts)[:wanted]
        return Examples(text[:-1].reshape(count, -1), text[1:].reshape(count, -1))

    def watched(self) -> CommentaryViewer:
        """Token by token."""
        return CommentaryViewer(self)


@dataclass(frozen=True)
class Verdict(ClassificationDataset, TextDataset):
    """Is that good or bad for the player?"""

    feedbacks: ClassVar[dict[str, str]] = {"answer": "the right answer"}
    action_names = ("bad", "good")

    def sample(self, count: int, seed: int) -> Examples:
        found: tuple[list[Array], list[Array]] = ([], [])  # as BAD and GOOD count
        text = np.zeros(0, np.int64)
        for tokens, verdicts in self.text(seed):
            before = text[-self.window :]
            text = np.concatenate((before, tokens))
            for place in len(before) + np.flatnonzero(verdicts != UNJUDGED):
                if place + 1 >= self.window:
                    verdict = verdicts[place - len(before)]
                    found[verdict].append(text[place + 1 - self.window : place + 1])
            if 2 * min(map(len, found)) > count:
                break
        windows = [window for pair in zip(*found, strict=False) for window in pair]
        return Examples(np.stack(windows[:count]), np.arange(count) % 2)

    def draw_example(self, surface: Any, observation: Array) -> None:
        """The text; the sentence that is asked about is bright."""
        surface.fill(BACKGROUND)
        made = tokenizer(self.language, self.pieces)
        words = [written(made, token) for token in observation.tolist()]
        font = font_of(self.language)
        if self.language == "ko" and font is None:
            words = [f" {word}" for word in NO_FONT.split()]
        ends = [k for k, word in enumerate(words[:-1]) if word.endswith(FULL_STOP)]
        last = ends[-1] if ends else -1
        pieces = [Piece(word, WHITE if k > last else DIM) for k, word in enumerate(words)]
        write_pieces(surface, pieces, MIDDLE, font, MOST_LINES)
