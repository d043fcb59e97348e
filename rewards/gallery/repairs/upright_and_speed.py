"""Both terms have the same scale."""

ENV = "bicycle"


def upright_and_speed(before, action, after):
    """0.1 for each step upright, -1 for a fall, and up to 0.1 for keeping the speed."""
    error = after.speed - after.commanded_speed
    return 0.1 * (1.0 - 11.0 * after.fallen) + 0.1 / (1.0 + error * error)
