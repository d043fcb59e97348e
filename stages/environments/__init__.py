"""Stages: their examples as environments that live for one step, and how they are watched."""
