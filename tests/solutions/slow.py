"""Exercise 6: pay for riding at 1.5 m/s; a fall costs."""

from typing import Any


def reward(before: Any, action: Any, after: Any) -> float:
    off = after.speed - 1.5
    return 0.1 / (1 + 4 * off * off) - after.fallen
