"""Base classes of datasets whose targets are classes."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces

from stages.datasets.dataset import Array, Assessment, Dataset
from stages.datasets.metrics import confusion_matrix, recall
from stages.pictures.predictions import draw_words, picture_of_confusion


class ClassificationDataset(Dataset):
    """A prediction is one of `action_names`; a right one scores 1."""

    @property
    def action_space(self) -> spaces.Discrete:
        return spaces.Discrete(len(self.action_names))

    def add_label_noise(self, targets: Array, generator: np.random.Generator) -> Array:
        """Replace labels by wrong classes, which are all equally likely."""
        count = len(self.action_names)
        wrong = (targets + generator.integers(1, count, len(targets))) % count
        return np.where(generator.random(len(targets)) < self.noise, wrong, targets)

    def loss(self, predictions: Array, targets: Array) -> Array:
        return np.asarray(predictions != targets)

    def score(self, predictions: Array, targets: Array) -> Array:
        return np.asarray(predictions == targets)

    def draw_prediction(self, surface: Any, prediction: Any, target: Array) -> None:
        """Write the predicted class, and the right one if it differs."""
        predicted = None if prediction is None else self.action_names[prediction]
        draw_words(surface, predicted, self.action_names[target])

    def assess(self, observations: Array, predictions: Array, targets: Array) -> Assessment:
        """Return the confusion matrix and the balanced accuracy, the mean recall of the classes."""
        counts = confusion_matrix(predictions, targets, len(self.action_names))
        metrics = {"balanced_accuracy": float(np.nanmean(recall(counts)))}
        return Assessment(metrics, {"confusion": picture_of_confusion(counts, self.action_names)})


class SequenceDataset(Dataset):
    """A prediction is a sequence of classes; its score is the share of right ones."""

    def loss(self, predictions: Array, targets: Array) -> Array:
        return np.asarray((predictions != targets).mean(1))

    def score(self, predictions: Array, targets: Array) -> Array:
        return 1.0 - self.loss(predictions, targets)
