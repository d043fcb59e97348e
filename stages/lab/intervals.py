"""Means over seeds with their 95 % intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

Array = np.ndarray[Any, Any]

T_95 = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262)
"""Two-sided 95 % quantiles of Student's t for 1, 2, ... degrees of freedom ("Student" 1908)."""
MOST_SEEDS = len(T_95) + 1
LEVEL = 0.025
"""A claim held if its `p_value` is below: then the whole 95 % interval is on its side."""


def check_seeds(seeds: int, least: int = 2) -> None:
    """Raise ValueError for a number of seeds, given as `--seeds`, that is not supported."""
    if not least <= seeds <= MOST_SEEDS:
        raise ValueError(f"--seeds must be between {least} and {MOST_SEEDS}, got {seeds}")


class Mean(NamedTuple):
    """Mean over seeds and its 95 % interval."""

    value: float
    """The mean."""
    low: float
    """Lower end of the interval."""
    high: float
    """Upper end of the interval."""

    @property
    def margin(self) -> float:
        """Half the width of the interval."""
        return self.high - self.value

    def __format__(self, spec: str) -> str:
        return f"{self.value:{spec}} ± {self.margin:{spec.lstrip('+')}}"


def mean(values: Sequence[float] | Array) -> Mean:
    """Return the mean of one value per seed (2 to 10 seeds), with the interval of Student's t."""
    middle = float(np.mean(values))
    margin = T_95[len(values) - 2] * float(np.std(values, ddof=1)) / math.sqrt(len(values))
    return Mean(middle, middle - margin, middle + margin)


def difference(first: Sequence[float] | Array, second: Sequence[float] | Array) -> Mean:
    """Return the mean of `first` minus `second`, seed by seed."""
    return mean(np.subtract(first, second))


def p_value(values: Sequence[float] | Array) -> float:
    """Return the one-sided p-value of Student's t test that the mean of `values` is above 0.

    For k degrees of freedom, the distribution of t is a finite sum (Abramowitz and Stegun,
    "Handbook of mathematical functions", 26.7.3 and 26.7.4).
    """
    k = len(values) - 1
    error = float(np.std(values, ddof=1)) / math.sqrt(len(values))
    angle = math.atan2(float(np.mean(values)), error * math.sqrt(k))
    sine, cosine, term, total = math.sin(angle), math.cos(angle), 1.0, 0.0
    for j in range(k % 2, k - 1, 2):
        total += term
        term *= cosine * cosine * (j + 1) / (j + 2)
    inner = sine * total if k % 2 == 0 else 2 / math.pi * (angle + sine * cosine * total)
    return 0.5 - 0.5 * inner


def holm(p_values: Sequence[float]) -> list[float]:
    """Return the p-values corrected for their number, in the same order.

    The smallest is multiplied by the number of claims, the next one by one less, and so on (Holm,
    "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics
    6, 1979). If those below `LEVEL` hold, the chance that any of them is false is `LEVEL`.
    """
    corrected, largest = [0.0] * len(p_values), 0.0
    for rank, k in enumerate(np.argsort(p_values, kind="stable").tolist()):
        largest = min(1.0, max(largest, p_values[k] * (len(p_values) - rank)))
        corrected[k] = largest
    return corrected


def ratio(first: Sequence[float], second: Sequence[float]) -> Mean:
    """Return the geometric mean of `first` divided by `second`, seed by seed."""
    return Mean(*np.exp(mean(np.log(np.divide(first, second)))).tolist())
