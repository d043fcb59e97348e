"""The loop, and what surrounds it: run folders, checkpoints, curves, evaluation."""
