"""The training loop with its command line, run folders, checkpoints, curves and evaluation."""
