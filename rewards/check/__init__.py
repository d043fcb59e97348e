"""What `python -m rewards check` does: recorded games, events, diagnostics and tables."""
