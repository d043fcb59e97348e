"""Exercise 9: each step without a fall pays, and pedalling costs."""

from typing import Any


def reward(before: Any, action: Any, after: Any) -> float:
    return 0.1 - 0.1 * after.pedal - after.fallen
