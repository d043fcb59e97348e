"""Metrics of many predictions together."""

from __future__ import annotations

import numpy as np

from stages.datasets.dataset import Array


def confusion_matrix(predictions: Array, targets: Array, classes: int) -> Array:
    """Return counts (classes, classes) of true classes (rows) by predicted classes (columns)."""
    counts = np.bincount(targets * classes + predictions, minlength=classes * classes)
    return counts.reshape(classes, classes)


def recall(counts: Array) -> Array:
    """Return the recall of each class (row of a confusion matrix); NaN without examples."""
    totals = counts.sum(1)
    return np.diag(counts) / np.where(totals > 0, totals, np.nan)


def match(overlaps: Array, least: float) -> Array:
    """Return which predicted boxes (k,) match a true box that no earlier one has matched.

    `overlaps` (k, m) are those of each prediction, the most confident first, with each true box.
    Each prediction takes the remaining true box that it overlaps most, if by `least` or more, as in
    COCO's evaluation (Lin et al., "Microsoft COCO", ECCV 2014).
    """
    hits, left = np.zeros(len(overlaps), np.bool_), np.ones(overlaps.shape[1], np.bool_)
    for k, row in enumerate(overlaps):
        if left.any():
            best = int(np.where(left, row, -1.0).argmax())
            if row[best] >= least:
                hits[k], left[best] = True, False
    return hits


def average_precision(scores: Array, hits: Array, total: int) -> float:
    """Return the mean precision at the recalls 0, 0.01, ..., 1, as in COCO's evaluation.

    The precision at a recall is the best one at this or any higher recall. `scores` (k,) are the
    confidences of the predictions on all screens, and `hits` (k,) says which of them match one of
    the `total` true boxes. NaN if there are no true boxes.
    """
    if total == 0:
        return float("nan")
    found = np.cumsum(hits[np.argsort(-scores, kind="stable")])
    precision = found / np.arange(1, len(found) + 1)
    best = np.maximum.accumulate(precision[::-1])[::-1]
    place = np.searchsorted(found / total, np.linspace(0.0, 1.0, 101))
    return float(np.append(best, 0.0)[place].mean())
