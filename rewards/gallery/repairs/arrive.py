"""Arriving pays most, falling costs, and riding away costs what coming closer pays."""

ENV = "bicycle"
ENV_OPTIONS = {"task": "goal"}


def arrive(before, action, after):
    """20 for reaching the goal, -20 for a fall, and metres closer to the goal."""
    closer = before.metres_missing - after.metres_missing
    return 20.0 * (after.goals - before.goals - after.fallen) + closer
