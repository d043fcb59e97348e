"""Experiments on supervised learning."""
