"""Checks of hyperparameters. Each raises a ValueError that names the flag of the setting."""

from __future__ import annotations

import math
from typing import Any

from envs.names import flag

MAX_SIZES = {
    "width": 4096,
    "codes": 4096,
    "layers": 64,
    "heads": 64,
    "population": 10_000,
    "k": 10_000,
}
"""Greatest values of settings that decide how much memory an agent takes at once."""


def at_least_one(settings: Any, *names: str) -> None:
    """Check that settings are finite and at least 1, such as counts."""
    for name in names:
        if not 1 <= getattr(settings, name) < math.inf:
            raise ValueError(f"{flag(name)} must be at least 1, got {getattr(settings, name)}")


def between_0_and_1(settings: Any, *names: str) -> None:
    """Check that settings are between 0 and 1, such as discounts and probabilities."""
    for name in names:
        if not 0 <= getattr(settings, name) <= 1:
            raise ValueError(f"{flag(name)} must be between 0 and 1, got {getattr(settings, name)}")


def positive(settings: Any, *names: str) -> None:
    """Check that settings are finite and above 0, such as learning rates."""
    for name in names:
        if not 0 < getattr(settings, name) < math.inf:
            raise ValueError(f"{flag(name)} must be positive, got {getattr(settings, name)}")


def not_negative(settings: Any, *names: str) -> None:
    """Check that settings are finite and at least 0, such as weights of losses."""
    for name in names:
        if not 0 <= getattr(settings, name) < math.inf:
            raise ValueError(f"{flag(name)} must be at least 0, got {getattr(settings, name)}")


def check_sizes(settings: Any) -> None:
    """Check the settings for which memory is taken at once."""
    for name, most in MAX_SIZES.items():
        if getattr(settings, name, 0) > most:
            raise ValueError(
                f"{flag(name)} must be at most {most:,}, got {getattr(settings, name)}"
            )
