"""Ride the bicycle without falling."""

ENV = "bicycle"


def just_upright(before, action, after):
    """1 for each step in which the bicycle is upright."""
    return 1.0 - after.fallen
