"""Experiments on learning from examples in the prompt."""
