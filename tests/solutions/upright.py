"""Exercise 5: a fall costs, and each step without one pays."""

from typing import Any


def reward(before: Any, action: Any, after: Any) -> float:
    return 0.1 - 1.1 * after.fallen
