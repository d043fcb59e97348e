"""Answers about pairs of clips: the four that there are, and a teacher that sees only the score."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, get_args

import numpy as np

from envs.engine.game import Game
from reward_lab.preferences.clips import Clips

Array = np.ndarray[Any, Any]

Answer = Literal["left", "right", "equal", "skip"]
ANSWERS: tuple[Answer, ...] = get_args(Answer)
SHARES: dict[Answer, float] = {"left": 1.0, "right": 0.0, "equal": 0.5, "skip": np.nan}
"""Probability that the left clip is preferred. A pair that is skipped is never learned from."""

DIGITS = 9
"""Decimals to which scores are compared; the rest is rounding."""


def shares(answers: Sequence[Answer]) -> Array:
    """Return the shares (n,) of answers, see `SHARES`."""
    return np.array([SHARES[answer] for answer in answers])


class ScoreTeacher:
    """Prefers the clip in which the game's score rises more.

    If it rises as much in both, the one in which the game does not end is preferred. If that is the
    same too, they are equal. The teacher sees nothing else: no states and no reward.
    """

    is_person = False

    def __init__(self, game: Game, mistakes: float, seed: int) -> None:
        """Create a teacher who gives a random wrong answer with the probability `mistakes`."""
        self._score = game.score
        self._mistakes = mistakes
        self._seed = seed

    def answer(self, pair: Clips, number: int) -> Answer:
        """Return the answer about the two clips of the pair `number`, which decides mistakes."""
        left, right = (self._worth(pair, k) for k in (0, 1))
        found: Answer = "equal" if left == right else "left" if left > right else "right"
        generator = np.random.default_rng((self._seed, number))
        if generator.random() < self._mistakes:
            wrong = [answer for answer in ANSWERS if answer not in (found, "skip")]
            return wrong[generator.integers(len(wrong))]
        return found

    def _worth(self, clips: Clips, k: int) -> tuple[float, bool]:
        first, last = clips.state(k, 0), clips.state(k, clips.steps[k])
        rise = round(self._score(last) - self._score(first), DIGITS)
        return rise, not clips.over[k]
