"""How good many guesses are together."""

from __future__ import annotations

import numpy as np

from stages.stage import Array


def confusion_matrix(guesses: Array, answers: Array, classes: int) -> Array:
    """How often each class (row) was taken for each (column): ints (classes, classes)."""
    counts = np.bincount(answers * classes + guesses, minlength=classes * classes)
    return counts.reshape(classes, classes)


def recall(counts: Array) -> Array:
    """Of each class (row of a confusion matrix), the share that was found; NaN: there was none."""
    totals = counts.sum(1)
    return np.diag(counts) / np.where(totals > 0, totals, np.nan)
