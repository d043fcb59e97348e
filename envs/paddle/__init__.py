"""Paddle-and-ball."""
