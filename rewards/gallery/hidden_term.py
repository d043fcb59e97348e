"""Stay upright and keep the speed. The two terms have different scales."""

ENV = "bicycle"


def hidden_term(before, action, after):
    """1 for each step upright, -10 for a fall, and a thousandth for keeping the speed."""
    error = after.speed - after.commanded_speed
    return 1.0 - 11.0 * after.fallen + 0.001 / (1.0 + error * error)
