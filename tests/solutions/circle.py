"""Exercise 8: turning left pays, and a fall costs."""

from typing import Any


def reward(before: Any, action: Any, after: Any) -> float:
    return 0.05 + 2 * (before.heading - after.heading) - after.fallen
