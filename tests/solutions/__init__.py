"""Rewards that pass the exercises, one file for each, by its name."""
