"""Explore: the more surprising a step, the more it pays. Expected is that nothing changes."""

ENV = "bicycle"


def surprises(before, action, after):
    """How much the rates of roll and steer change, in rad/s."""
    return abs(after.roll_rate - before.roll_rate) + abs(after.steer_rate - before.steer_rate)
