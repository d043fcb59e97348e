"""How good many predictions are together."""

from __future__ import annotations

import numpy as np

from stages.datasets.dataset import Array


def confusion_matrix(predictions: Array, targets: Array, classes: int) -> Array:
    """How often each class (row) was taken for each (column): ints (classes, classes)."""
    counts = np.bincount(targets * classes + predictions, minlength=classes * classes)
    return counts.reshape(classes, classes)


def recall(counts: Array) -> Array:
    """Of each class (row of a confusion matrix), the share that was found; NaN: there was none."""
    totals = counts.sum(1)
    return np.diag(counts) / np.where(totals > 0, totals, np.nan)


def match(overlaps: Array, least: float) -> Array:
    """Which predictions (k,), the surest first, hit a thing that none before them has hit.

    Each takes of the things (m,) that are left the one that it overlaps most, as COCO's evaluation
    does (Lin et al., "Microsoft COCO", ECCV 2014); `overlaps` is (k, m).
    """
    hits, left = np.zeros(len(overlaps), np.bool_), np.ones(overlaps.shape[1], np.bool_)
    for k, row in enumerate(overlaps):
        if left.any():
            best = int(np.where(left, row, -1.0).argmax())
            if row[best] >= least:
                hits[k], left[best] = True, False
    return hits


def average_precision(scores: Array, hits: Array, there: int) -> float:
    """The mean of the precision at the recalls 0, 0.01, ..., 1, as COCO's evaluation takes it.

    At each recall counts the best precision that is reached there or beyond; NaN if there is
    nothing to be found.

    Args:
        scores: (k,) how sure the predictions of all screens are.
        hits: (k,) which of them hit.
        there: how many things there are to be found.
    """
    if there == 0:
        return float("nan")
    found = np.cumsum(hits[np.argsort(-scores, kind="stable")])
    precision = found / np.arange(1, len(found) + 1)
    best = np.maximum.accumulate(precision[::-1])[::-1]
    place = np.searchsorted(found / there, np.linspace(0.0, 1.0, 101))
    return float(np.append(best, 0.0)[place].mean())
