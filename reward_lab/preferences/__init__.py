"""Learn a reward from comparisons of short clips: python -m rewards prefer."""
