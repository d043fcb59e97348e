"""Paddle-and-ball: `game` has the rules, `view` draws it, `sound` makes its tones."""
