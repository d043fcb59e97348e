"""Return the ball, and move as little as possible."""

ENV = "paddle"


def little_effort(before, action, after):
    """1 for a hit, -1 for a miss, and -0.05 for each step in which the paddle moves."""
    return after.hits - before.hits - after.missed - 0.05 * abs(action - 1)
