"""Environments that draw datasets and what agents make of them, for people."""
