"""Statistics over few runs: interquartile means, bootstrap intervals, probability of improvement.

Agarwal et al., "Deep reinforcement learning at the edge of the statistical precipice" (NeurIPS
2021, arXiv 2108.13264).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

Array = np.ndarray[Any, Any]
RESAMPLES = 2_000
LEVEL = 0.95


class Interval(NamedTuple):
    """An estimate and its 95 % confidence interval."""

    value: float
    low: float
    high: float


def interquartile_mean(scores: Sequence[Array]) -> Array:
    """Return the means (...) of the middle half of all scores, an array (..., runs) per task.

    A quarter of the scores, rounded down, is dropped at either end.
    """
    ordered = np.sort(np.concatenate(scores, -1), -1)
    count = ordered.shape[-1]
    return np.asarray(ordered[..., count // 4 : count - count // 4].mean(-1))


def probability_of_improvement(first: Sequence[Array], second: Sequence[Array]) -> Array:
    """Return the probabilities (...) that a run of `first` scores higher than one of `second`.

    The mean over tasks of the Mann-Whitney U statistic, divided by the number of pairs: a pair of
    runs counts 1 if the first scores higher, and 1/2 if they are equal. The arguments have an array
    (..., runs) per task.
    """
    shares = []
    for ours, theirs in zip(first, second, strict=True):
        ours, theirs = ours[..., :, None], theirs[..., None, :]
        shares.append(((ours > theirs) + (ours == theirs) / 2).mean((-2, -1)))
    return np.asarray(np.mean(shares, 0))


def bootstrap(estimate: Callable[..., Array], *learners: Sequence[Array]) -> Interval:
    """Return `estimate(*learners)` with its interval, by a stratified bootstrap with percentiles.

    Each learner has an array (runs,) per task. The runs of each task are sampled with replacement,
    independently of all other tasks. Resamples are fixed, so the same runs give the same interval.
    """
    generator = np.random.default_rng(0)
    resampled = (
        [generator.choice(runs, (RESAMPLES, len(runs))) for runs in tasks] for tasks in learners
    )
    tail = 50 * (1 - LEVEL)
    low, high = np.percentile(estimate(*resampled), [tail, 100 - tail])
    return Interval(float(estimate(*learners)), float(low), float(high))
