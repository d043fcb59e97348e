"""Environments that draw examples and predictions for people."""
