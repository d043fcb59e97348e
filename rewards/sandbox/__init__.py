"""A user's reward is tried in a confined process before anything is trained on it."""
