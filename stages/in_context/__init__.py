"""Experiments on in-context learning."""
