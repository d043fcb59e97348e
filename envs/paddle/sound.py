"""Paddle-and-ball as people hear it: tones that die away, made by arithmetic alone."""

from __future__ import annotations

import functools
import math
from typing import Any, NamedTuple

import numpy as np

from envs.engine.game import SAMPLE_RATE

Array = np.ndarray[Any, Any]


class Sound(NamedTuple):
    """A tone with overtones whose loudness falls exponentially."""

    frequency: float
    """Of its beginning, Hz."""
    glide: float
    """How the frequency changes, as a share of itself each second."""
    decay: float
    """Seconds until it is 1/e as loud."""
    overtones: tuple[float, ...]
    """How loud each multiple of the frequency is, from the first on."""


SOUNDS = {
    "hit": Sound(460.0, 0.0, 0.05, (1.0, 0.6, 0.4)),
    "wall": Sound(230.0, 0.0, 0.03, (1.0,)),
    "miss": Sound(490.0, -2.0, 0.12, (1.0, 0.0, 0.4)),
}
SAMPLES = 2_240
"""Of each; 0.28 s, by when it has died away."""
TIMES = np.arange(SAMPLES, dtype=np.float32) / np.float32(SAMPLE_RATE)


def wave(kind: str, times: Array, pitch: Any = 1.0, lasting: Any = 1.0) -> Array:
    """The sound `kind` at `times`, seconds since it began: -1..1, and 0 before that.

    Args:
        kind: of `SOUNDS`.
        times: any shape.
        pitch: factor on the frequency.
        lasting: factor on the decay.
    """
    sound = SOUNDS[kind]
    since = np.maximum(times, 0.0)
    turns = 2 * math.pi * sound.frequency * pitch * (since + sound.glide * since**2 / 2)
    tone = sum(
        loudness * np.sin(multiple * turns)
        for multiple, loudness in enumerate(sound.overtones, 1)
        if loudness
    )
    dying = np.exp(-since / (sound.decay * lasting)) * (times >= 0)
    return np.asarray(tone * dying / sum(sound.overtones))


def latest(state: Any) -> tuple[str, float]:
    """What sounded last, and how many steps ago; infinitely many if nothing has yet.

    Between contacts the ball flies straight on, so that where it is tells when it left each wall.
    """
    if state.missed:
        return "miss", 0.0
    side = state.ball_x if state.ball_vx > 0 else 1.0 - state.ball_x
    height = state.ball_y if state.ball_vy > 0 else 1.0 - state.ball_y
    since_side = float(side / abs(state.ball_vx))
    since_height = float(height / abs(state.ball_vy)) if state.ball_vy else math.inf
    since = min(since_side, since_height)
    if since > state.t:  # before the start
        return "wall", math.inf
    return "hit" if state.ball_vx > 0 and since == since_side else "wall", since


@functools.cache
def _at_its_best(kind: str) -> Array:
    return wave(kind, TIMES)


def heard(state: Any) -> Array | None:
    """What the step that led to `state` sounds like: a wave (`SAMPLES`,), if it does."""
    kind, ago = latest(state)
    return _at_its_best(kind) if ago <= 1 else None
