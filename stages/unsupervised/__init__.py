"""Experiments on unsupervised learning."""
