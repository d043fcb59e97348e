"""Ride on: the more metres, the better."""

ENV = "bicycle"


def many_metres(before, action, after):
    """Metres ridden in this step, in any direction."""
    return after.way - before.way
