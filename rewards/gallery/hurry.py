"""Return the balls quickly: time costs something."""

ENV = "paddle"


def hurry(before, action, after):
    """1 for a hit, and -0.05 for each step."""
    return after.hits - before.hits - 0.05
