"""Exercise 7: swinging through the middle pays, the faster the better, and a fall costs."""

from typing import Any


def reward(before: Any, action: Any, after: Any) -> float:
    through_middle = before.roll * after.roll < 0
    swing = 2 * after.roll_rate * after.roll_rate if through_middle else 0
    return 0.02 + min(swing, 2) - 2 * after.fallen
