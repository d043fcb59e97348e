"""Pay for what is wanted, and for nothing else."""

ENV = "paddle"


def hit_or_miss(before, action, after):
    """1 for a hit, -1 for a miss."""
    return after.hits - before.hits - after.missed
