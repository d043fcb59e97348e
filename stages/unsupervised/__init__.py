"""Experiments on learning without labels."""
