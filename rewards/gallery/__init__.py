"""Rewards that look right and go wrong, one per file: `python -m rewards gallery` shows them.

`repairs` holds the rewards that pay for what their authors wanted.
"""
