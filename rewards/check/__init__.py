"""The parts of `python -m rewards`: recorded games, events, diagnostics, tables, starter file."""
