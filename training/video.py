"""One episode of an agent as pictures."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import gymnasium
import numpy as np

from agents.agent import Agent, Array
from envs.engine.capabilities import show_agent
from training.gif import FASTEST
from training.lookahead import make_lookahead

MOST_FRAMES = 50
STEPS_A_FRAME = 2
LARGEST_SIDE = 240  # pixels


@dataclass(frozen=True)
class Film:
    """The beginning of one episode."""

    frames: list[Array]
    """uint8 (height, width, 3); none where the environment cannot draw itself."""
    frames_per_second: float
    observations: Array
    """(t, ...) what the agent saw, at every step."""


def film(agent: Agent, env_id: str, make_options: dict[str, Any], seed: int) -> Film:
    """Let the agent play. Nothing of it changes."""
    for device in ("SDL_VIDEODRIVER", "SDL_AUDIODRIVER"):  # Gymnasium's own games open both
        os.environ.setdefault(device, "dummy")
    can_draw = "rgb_array" in _render_modes(env_id, make_options)
    env = gymnasium.make(env_id, render_mode="rgb_array" if can_draw else None, **make_options)
    try:
        frames: list[Array] = []
        observation, _ = env.reset(seed=seed)
        agent.set_lookahead(make_lookahead(env))
        show_agent(env, agent)
        seen, done = [observation], False
        while not done and len(seen) < MOST_FRAMES * STEPS_A_FRAME:
            if can_draw and len(seen) % STEPS_A_FRAME == 1:
                frames.append(_small(env.render()))
            action = agent.act(observation[None], explore=False)[0]
            observation, _, terminated, truncated, _ = env.step(action)
            done = terminated or truncated
            seen.append(observation)
        steps_per_second = float(env.metadata.get("render_fps", 30))
        frames_per_second = min(FASTEST, steps_per_second / STEPS_A_FRAME)
        return Film(frames, frames_per_second, np.stack(seen))
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
