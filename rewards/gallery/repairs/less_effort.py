"""Returning a ball is worth more than the moves that it takes."""

ENV = "paddle"


def less_effort(before, action, after):
    """1 for a hit, -1 for a miss, and -0.01 for each step in which the paddle moves."""
    return after.hits - before.hits - after.missed - 0.01 * abs(action - 1)
