"""Environments that draw data sets and what agents make of them, for people."""
