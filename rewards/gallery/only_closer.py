"""Ride to the goal: every metre closer pays."""

ENV = "bicycle"
ENV_OPTIONS = {"task": "goal"}


def only_closer(before, action, after):
    """Metres closer to the goal; riding away costs nothing."""
    return max(0.0, before.metres_missing - after.metres_missing)
