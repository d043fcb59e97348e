"""Means over seeds, and how far they can be trusted."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

Array = np.ndarray[Any, Any]

T_95 = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262)
"""Student's t, two-sided 95 %, for 1, 2, ... degrees of freedom (Gosset, "Student" 1908)."""
MOST_SEEDS = len(T_95) + 1


class Mean(NamedTuple):
    """A mean over seeds, and the ends of its 95 % interval."""

    value: float
    low: float
    high: float

    @property
    def margin(self) -> float:
        """How far the upper end is from the mean."""
        return self.high - self.value

    def __format__(self, spec: str) -> str:
        return f"{self.value:{spec}} ± {self.margin:{spec.lstrip('+')}}"


def mean(values: Sequence[float] | Array) -> Mean:
    """The mean of one value for each seed, 2 to 10 of them, with its interval by Student's t."""
    middle = float(np.mean(values))
    margin = T_95[len(values) - 2] * float(np.std(values, ddof=1)) / math.sqrt(len(values))
    return Mean(middle, middle - margin, middle + margin)


def difference(values: Sequence[float] | Array, less: Sequence[float] | Array) -> Mean:
    """How much larger the one is than the other, taken seed by seed."""
    return mean(np.subtract(values, less))


def ratio(values: Sequence[float], by: Sequence[float]) -> Mean:
    """How many times as large the one is as the other, seed by seed; their geometric mean."""
    return Mean(*np.exp(mean(np.log(np.divide(values, by)))).tolist())
