"""A short video of an agent that plays, for TensorBoard."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import numpy as np

from agents.agent import Agent, Array
from envs.engine.capabilities import show_agent
from training.gif import FASTEST
from training.lookahead import make_lookahead
from training.vector_runner import EnvId, make_environment

STEPS_PER_FRAME = 2
LARGEST_SIDE = 240  # pixels


@dataclass(frozen=True)
class Video:
    """The beginning of one episode."""

    frames: list[Array]
    """Frames, uint8 (height, width, 3); empty if the environment cannot render arrays."""
    frames_per_second: float
    observations: Array
    """Observation of the agent at every step, (t, ...)."""


def make_video(
    agent: Agent,
    env_id: EnvId,
    make_options: dict[str, Any],
    seed: int,
    most_frames: int,
    largest_side: int = LARGEST_SIDE,
) -> Video:
    """Let the agent play one episode, or the beginning of it. The agent does not change.

    No side of a frame has more than `largest_side` pixels.
    """
    for device in ("SDL_VIDEODRIVER", "SDL_AUDIODRIVER"):  # Gymnasium's own games open both
        os.environ.setdefault(device, "dummy")
    can_draw = "rgb_array" in _render_modes(env_id, make_options)
    rendering = {"render_mode": "rgb_array" if can_draw else None}
    env = make_environment(env_id, make_options | rendering)
    try:
        can_draw = can_draw and env.render_mode == "rgb_array"  # a user's may take no mode
        frames: list[Array] = []
        observation, _ = env.reset(seed=seed)
        agent.set_lookahead(make_lookahead(env))
        show_agent(env, agent)
        observations, done = [observation], False
        while not done and len(observations) < most_frames * STEPS_PER_FRAME:
            if can_draw and len(observations) % STEPS_PER_FRAME == 1:
                frames.append(_shrunk(env.render(), largest_side))
            action = agent.act(observation[None], explore=False)[0]
            observation, _, terminated, truncated, _ = env.step(action)
            done = terminated or truncated
            observations.append(observation)
        steps_per_second = float(env.metadata.get("render_fps", 30))
        frames_per_second = min(FASTEST, steps_per_second / STEPS_PER_FRAME)
        return Video(frames, frames_per_second, np.stack(observations))
    finally:
        env.close()


def _render_modes(env_id: EnvId, make_options: dict[str, Any]) -> list[str]:
    env = make_environment(env_id, make_options)
    try:
        return list(env.metadata.get("render_modes", ()))
    finally:
        env.close()


def _shrunk(picture: Any, largest_side: int) -> Array:
    """Return every k-th pixel, so that no side is longer than `largest_side`."""
    k = -(-max(picture.shape[:2]) // largest_side)
    return np.ascontiguousarray(picture[::k, ::k])
