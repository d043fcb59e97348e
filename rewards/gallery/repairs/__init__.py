"""Repaired rewards of the gallery."""
