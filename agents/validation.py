"""What hyperparameters may be: each function raises a ValueError that names the one at fault."""

from __future__ import annotations

import math
from typing import Any


def at_least_one(settings: Any, *names: str) -> None:
    """Counts, and finite."""
    for name in names:
        if not 1 <= getattr(settings, name) < math.inf:
            raise ValueError(f"{name} must be at least 1, not {getattr(settings, name)}")


def between_0_and_1(settings: Any, *names: str) -> None:
    """Discounts and probabilities."""
    for name in names:
        if not 0 <= getattr(settings, name) <= 1:
            raise ValueError(f"{name} must be between 0 and 1, not {getattr(settings, name)}")


def positive(settings: Any, *names: str) -> None:
    """Step sizes and the like, finite."""
    for name in names:
        if not 0 < getattr(settings, name) < math.inf:
            raise ValueError(f"{name} must be positive, not {getattr(settings, name)}")


def not_negative(settings: Any, *names: str) -> None:
    """Weights, finite."""
    for name in names:
        if not 0 <= getattr(settings, name) < math.inf:
            raise ValueError(f"{name} must not be negative, but is {getattr(settings, name)}")
