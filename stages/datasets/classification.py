"""What stages have in common whose question is: which of a few classes is it?"""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces

from stages.datasets.dataset import Array, Assessment, Dataset
from stages.datasets.metrics import confusion_matrix, recall
from stages.viewers.pictures import draw_words, picture_of_confusion


class ClassificationDataset(Dataset):
    """A prediction is one of `action_names`; each right one is worth 1."""

    @property
    def action_space(self) -> spaces.Discrete:
        return spaces.Discrete(len(self.action_names))

    def add_label_noise(self, targets: Array, generator: np.random.Generator) -> Array:
        """Each wrong class is as likely as the other."""
        count = len(self.action_names)
        wrong = (targets + generator.integers(1, count, len(targets))) % count
        return np.where(generator.random(len(targets)) < self.noise, wrong, targets)

    def loss(self, predictions: Array, targets: Array) -> Array:
        return np.asarray(predictions != targets)

    def score(self, predictions: Array, targets: Array) -> Array:
        return np.asarray(predictions == targets)

    def draw_prediction(self, surface: Any, prediction: Any, target: Array) -> None:
        """The prediction in words, and the truth beside it if it is another."""
        draw_words(
            surface,
            None if prediction is None else self.action_names[prediction],
            self.action_names[target],
        )

    def assess(self, observations: Array, predictions: Array, targets: Array) -> Assessment:
        """The confusion matrix, and the mean over the classes of how many of each were found."""
        counts = confusion_matrix(predictions, targets, len(self.action_names))
        metrics = {"balanced_accuracy": float(np.nanmean(recall(counts)))}
        return Assessment(metrics, {"confusion": picture_of_confusion(counts, self.action_names)})


class SequenceDataset(Dataset):
    """A prediction is a row of classes; its score is the share of right ones."""

    def loss(self, predictions: Array, targets: Array) -> Array:
        return np.asarray((predictions != targets).mean(1))

    def score(self, predictions: Array, targets: Array) -> Array:
        return 1.0 - self.loss(predictions, targets)
