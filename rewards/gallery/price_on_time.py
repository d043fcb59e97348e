"""Ride to the goal quickly: every metre closer pays, and every step costs."""

ENV = "bicycle"
ENV_OPTIONS = {"task": "goal"}


def price_on_time(before, action, after):
    """Metres closer to the goal, minus 0.5 for each step that does not end in a fall."""
    return before.metres_missing - after.metres_missing - 0.5 * (1 - after.fallen)
