"""Classification: which way does the ball fly? Or: will it be missed?

Description
    From two screens of paddle-and-ball, one step apart, tell one of a few classes. The engine knows
    the answer for free.
Action Space
    `Discrete(4)` for `question="direction"`: away from the paddle or closer, each up or down.
    `Discrete(2)` for `question="missed"`: 1 if the ball will be missed, should the paddle stay.
Rewards
    0 for the right class, -1 for a wrong one. The score is 1 for the right class: its mean is the
    accuracy.
Everything else
    See `stages.environments.examples`, `stages.environments.stage.Stage` and
    `stages.environments.moments.PaddleStage`.
Version History
    v0: first version.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from gymnasium import spaces

from envs.paddle import reach
from stages.environments.metrics import confusion_matrix, recall
from stages.environments.moments import (
    ALL_WAYS,
    CLOSER,
    DIRECTIONS,
    OPTIONS,
    PaddleStage,
    direction,
    landings,
)
from stages.environments.pictures import draw_words, picture_of_confusion
from stages.environments.stage import Array, Assessment

CLASSES = {"direction": DIRECTIONS, "missed": ("hit", "missed")}


@dataclass(frozen=True)
class Classify(PaddleStage):
    """What class is it?"""

    question: str = "direction"
    """direction: which way the ball flies; missed: will it be missed if the paddle stays?"""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.question not in CLASSES:
            raise ValueError(
                f"option `question` must be {' or '.join(CLASSES)}, not {self.question!r}"
            )

    @property
    def action_names(self) -> tuple[str, ...]:  # type: ignore[override]
        """The classes."""
        return CLASSES[self.question]

    @property
    def action_space(self) -> spaces.Discrete:
        return spaces.Discrete(len(self.action_names))

    @property
    def ways(self) -> tuple[int, ...]:
        """While the ball flies away, nobody asks whether it will be missed."""
        return CLOSER if self.question == "missed" else ALL_WAYS

    def answers(self, states: Any) -> Array:
        if self.question == "direction":
            return direction(states)
        return np.asarray(np.abs(landings(states) - states["paddle_y"]) > reach(OPTIONS), np.int64)

    def spoil(self, answers: Array, generator: np.random.Generator) -> Array:
        """Each wrong class is as likely as the other."""
        count = len(self.action_names)
        wrong = (answers + generator.integers(1, count, len(answers))) % count
        return np.where(generator.random(len(answers)) < self.noise, wrong, answers)

    def loss(self, guesses: Array, answers: Array) -> Array:
        return np.asarray(guesses != answers)

    def score(self, guesses: Array, answers: Array) -> Array:
        return np.asarray(guesses == answers)

    def draw_over(self, surface: Any, guess: Any, answer: Array) -> None:
        """The guess in words, and the truth beside it if it is another."""
        draw_words(
            surface, None if guess is None else self.action_names[guess], self.action_names[answer]
        )

    def assess(self, observations: Array, guesses: Array, answers: Array) -> Assessment:
        """The confusion matrix, and the mean over the classes of how many of each were found."""
        counts = confusion_matrix(guesses, answers, len(self.action_names))
        metrics = {"balanced_accuracy": float(np.nanmean(recall(counts)))}
        return Assessment(metrics, {"confusion": picture_of_confusion(counts, self.action_names)})
