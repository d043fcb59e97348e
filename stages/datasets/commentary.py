"""Commentaries: predict the next token, or judge whether the last sentence is good for the player.

Description
    A commentator describes games of unskilled players (`stages.datasets.commented_games`) in varied
    sentences, one game after the other. An example is a window of this text. In `Commentary` the
    targets are the tokens that follow in the text itself, so that nothing has to be labelled. In
    `Verdict` the window ends with a sentence about something good or bad for the player, and the
    target is which of the two, a label.
Observation Space
    `Box(0, pieces - 1, (window,), int64)`: tokens of `stages.datasets.tokenizer`.
Action Space
    `Commentary`: `MultiDiscrete`, the token after each token of the window. `Verdict`:
    `Discrete(2)`, 0 for bad and 1 for good.
Rewards
    `Commentary`: minus the share of wrong tokens; the score is the share of right ones.
    `Verdict`: 0 for the right class, -1 for the wrong one; the score is 1 for the right class.
Arguments
    See `TextDataset`, `stages.datasets.dataset.Dataset` and `stages.datasets.environments`. The
    examples of `Commentary` are consecutive windows, so that `examples` sets the size of the text.
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
from envs.names import one_of
from stages.datasets.classification import ClassificationDataset, SequenceDataset
from stages.datasets.commented_games import BOTH, COMMENTED_GAMES, commentaries
from stages.datasets.dataset import Array, Dataset, Examples
from stages.datasets.grammar import GRAMMARS
from stages.datasets.tokenizer import END, FULL_STOP, decoded, encoded, tokenizer, written
from stages.pictures.predictions import DIM
from stages.pictures.token_lines import NO_FONT, Piece, font_of, write_pieces

UNJUDGED = -1
SHORTEST, LONGEST = 4, 512  # windows
TOP = 180  # pixels above the text of an example
MOST_LINES = 9
FEWEST_PIECES = 300
MOST_PIECES = {"en": 695, "ko": 867}  # all tokens that the texts contain


@dataclass(frozen=True)
class TextDataset(Dataset):
    """Base class of both datasets: the text and its tokens."""

    sport: str = BOTH
    """Game that is commented on: paddle, bicycle or both, which alternate."""
    language: str = "en"
    """Language of the text: en or ko."""
    pieces: int = 400
    """Size of the vocabulary: 300 to 695, in Korean to 867."""
    window: int = 24
    """Number of tokens in an observation."""

    encoding_options: ClassVar[tuple[str, ...]] = ("language",)

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, value, known in (
            ("sport", self.sport, (*COMMENTED_GAMES, BOTH)),
            ("language", self.language, tuple(GRAMMARS)),
        ):
            if value not in known:
                raise ValueError(f"option `{name}` must be {one_of(known)}, got {value!r}")
        for name, number, low, high in (
            ("pieces", self.pieces, FEWEST_PIECES, MOST_PIECES[self.language]),
            ("window", self.window, SHORTEST, LONGEST),
        ):
            if not low <= number <= high:
                raise ValueError(f"option `{name}` must be between {low} and {high}, got {number}")
        tokenizer(self.language, self.pieces)

    @property
    def observation_space(self) -> spaces.Box:
        return spaces.Box(0, self.pieces - 1, (self.window,), np.int64)

    def text(self, seed: int) -> Iterator[tuple[Array, Array]]:
        """Yield the tokens (t,) of one game after the other, with verdicts (t,).

        Verdicts are at the last tokens of sentences; elsewhere they are `UNJUDGED`.
        """
        made = tokenizer(self.language, self.pieces)
        for sentences in commentaries(self.sport, self.language, seed):
            tokens, verdicts = [], []
            encodings = encoded(made, [text for text, _ in sentences])
            for found, (_, verdict) in zip(encodings, sentences, strict=True):
                tokens.append(found)
                verdicts.append(np.full(len(found), UNJUDGED))
                verdicts[-1][-1] = UNJUDGED if verdict is None else verdict
            yield (
                np.append(np.concatenate(tokens), END),
                np.append(np.concatenate(verdicts), UNJUDGED),
            )

    def decoded(self, tokens: Array) -> str:
        """Return the text of tokens (t,)."""
        return decoded(tokenizer(self.language, self.pieces), tokens)


@dataclass(frozen=True)
class Commentary(SequenceDataset, TextDataset):
    """Predict the next token."""

    feedbacks: ClassVar[dict[str, str]] = {"token": "the next token"}
    viewer = "stages.viewers.commentary:CommentaryViewer"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.noise:
            raise ValueError("option `noise` must be 0: the target is the text itself")

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


@dataclass(frozen=True)
class Verdict(ClassificationDataset, TextDataset):
    """Judge whether the last sentence is good or bad for the player."""

    feedbacks: ClassVar[dict[str, str]] = {"answer": "labels"}
    action_names = ("bad", "good")

    def sample(self, count: int, seed: int) -> Examples:
        found: tuple[list[Array], list[Array]] = ([], [])  # indexed by BAD and GOOD
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
        """Write the text, with the sentence to be judged in bright letters."""
        surface.fill(BACKGROUND)
        made = tokenizer(self.language, self.pieces)
        words = [written(made, token) for token in observation.tolist()]
        font = font_of(self.language)
        if self.language == "ko" and font is None:
            words = [f" {word}" for word in NO_FONT.split()]
        ends = [k for k, word in enumerate(words[:-1]) if word.endswith(FULL_STOP)]
        last = ends[-1] if ends else -1
        pieces = [Piece(word, WHITE if k > last else DIM) for k, word in enumerate(words)]
        write_pieces(surface, pieces, TOP, font, MOST_LINES)
