"""The engine: it makes single and vector environments from the scalar functions of a game."""
