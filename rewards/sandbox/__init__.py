"""Tries a user's reward in a separate process with limits, before it is used for training."""
