"""One episode of an agent as pictures."""

from __future__ import annotations

import os
from typing import Any

import gymnasium
import numpy as np

from agents.agent import Agent, Array
from training.gif import FASTEST

MOST_FRAMES = 90
LARGEST_SIDE = 240  # pixels


def film(
    agent: Agent, env_id: str, make_options: dict[str, Any], seed: int
) -> tuple[list[Array], float]:
    """Frames uint8 (height, width, 3) of the beginning of an episode, and frames per second.

    There are none where the environment cannot draw itself. Nothing of the agent changes.
    """
    os.environ.setdefault("SDL_VIDEODRIVER", "dummy")  # others' environments look for a display
    if "rgb_array" not in _render_modes(env_id, make_options):
        return [], 0.0
    env = gymnasium.make(env_id, render_mode="rgb_array", **make_options)
    try:
        frames: list[Array] = []
        observation, _ = env.reset(seed=seed)
        done = False
        while not done and len(frames) < MOST_FRAMES:
            frames.append(_small(env.render()))
            action = agent.act(observation[None], explore=False)[0]
            observation, _, terminated, truncated, _ = env.step(action)
            done = terminated or truncated
        return frames, min(float(FASTEST), float(env.metadata.get("render_fps", 30)))
    finally:
        env.close()


def _render_modes(env_id: str, make_options: dict[str, Any]) -> list[str]:
    env = gymnasium.make(env_id, **make_options)
    try:
        return list(env.metadata.get("render_modes", ()))
    finally:
        env.close()


def _small(picture: Any) -> Array:
    """Every k-th pixel, so that no side is longer than `LARGEST_SIDE`."""
    k = -(-max(picture.shape[:2]) // LARGEST_SIDE)
    return np.ascontiguousarray(picture[::k, ::k])
