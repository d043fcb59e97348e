"""Stay upright, keep the speed and come closer: the former default reward of the goal task."""

ENV = "bicycle"
ENV_OPTIONS = {"task": "goal"}


def never_arrive(before, action, after):
    """Being upright and keeping the speed pay in every step, and arriving ends both."""
    error = after.speed - after.commanded_speed
    upright = 1.0 - 11.0 * after.fallen
    closer = before.metres_missing - after.metres_missing
    return 0.1 * upright + 0.1 / (1.0 + error * error) + 2.0 * closer
