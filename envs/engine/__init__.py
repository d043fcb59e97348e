"""The engine: makes Gymnasium environments, one or thousands, from a game's scalar functions."""
