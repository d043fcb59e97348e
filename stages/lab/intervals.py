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


def ratio(first: Sequence[float], second: Sequence[float]) -> Mean:
    """Return the geometric mean of `first` divided by `second`, seed by seed."""
    return Mean(*np.exp(mean(np.log(np.divide(first, second)))).tolist())
