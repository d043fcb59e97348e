"""Proof that the rest does what it says."""
