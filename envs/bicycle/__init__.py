"""The bicycle."""
