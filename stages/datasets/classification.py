"""What stages have in common whose question is: which of a few classes is it?"""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces

from stages.datasets.dataset import Array, Assessment, Stage
from stages.datasets.metrics import confusion_matrix, recall
from stages.viewers.pictures import draw_words, picture_of_confusion


class ClassStage(Stage):
    """A guess is one of `action_names`; each right one is worth 1."""

    @property
    def action_space(self) -> spaces.Discrete:
        return spaces.Discrete(len(self.action_names))

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


class RowStage(Stage):
    """A guess is a row of classes; its score is the share of right ones."""

    def loss(self, guesses: Array, answers: Array) -> Array:
        return np.asarray((guesses != answers).mean(1))

    def score(self, guesses: Array, answers: Array) -> Array:
        return 1.0 - self.loss(guesses, answers)
