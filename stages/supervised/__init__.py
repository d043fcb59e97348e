"""Experiments on learning from labels."""
