"""Correct every tilt: a bonus for each degree by which the bicycle gets closer to upright."""

ENV = "bicycle"


def corrections(before, action, after):
    """How much closer to upright the roll angle gets, in degrees; tilting costs nothing."""
    closer = abs(before.roll) - abs(after.roll)
    return max(0.0, 57.3 * closer)
