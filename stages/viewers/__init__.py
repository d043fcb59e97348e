"""Data sets and what agents make of them, drawn for people."""
