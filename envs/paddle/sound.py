"""The sounds of paddle-and-ball: synthesised tones that decay."""

from __future__ import annotations

import functools
import math
from typing import Any, NamedTuple

import numpy as np

from envs.engine.game import SAMPLE_RATE

Array = np.ndarray[Any, Any]


class Sound(NamedTuple):
    """A tone with overtones and exponential decay."""

    frequency: float
    """Initial frequency, Hz."""
    glide: float
    """Change of the frequency per second, as a fraction of the initial frequency."""
    decay: float
    """Time until the amplitude has fallen to 1/e, s."""
    overtones: tuple[float, ...]
    """Amplitude of each multiple of the frequency, starting with the first."""


SOUNDS = {
    "hit": Sound(460.0, 0.0, 0.05, (1.0, 0.6, 0.4)),
    "wall": Sound(230.0, 0.0, 0.03, (1.0,)),
    "miss": Sound(490.0, -2.0, 0.12, (1.0, 0.0, 0.4)),
}
SAMPLES = 2_240
"""Length of each sound, 0.28 s, after which it is inaudible."""
TIMES = np.arange(SAMPLES, dtype=np.float32) / np.float32(SAMPLE_RATE)


def wave(kind: str, times: Array, pitch: Any = 1.0, duration: Any = 1.0) -> Array:
    """Return the wave of a sound, in -1..1 and 0 before its start, of the shape of `times`.

    `kind` is a name in `SOUNDS`, and `times` are seconds since the start of the sound. `pitch` and
    `duration` are factors on the frequency and on the decay time.
    """
    sound = SOUNDS[kind]
    since = np.maximum(times, 0.0)
    turns = 2 * math.pi * sound.frequency * pitch * (since + sound.glide * since**2 / 2)
    tone = sum(
        loudness * np.sin(multiple * turns)
        for multiple, loudness in enumerate(sound.overtones, 1)
        if loudness
    )
    envelope = np.exp(-since / (sound.decay * duration)) * (times >= 0)
    return np.asarray(tone * envelope / sum(sound.overtones))


def last_sound(state: Any) -> tuple[str, float]:
    """Return the kind of the last sound and the number of steps since, infinite if there was none.

    The ball flies straight between contacts, so its position tells when it left each wall.
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
def _full_wave(kind: str) -> Array:
    return wave(kind, TIMES)


def step_sound(state: Any) -> Array | None:
    """Return the sound of the step that led to `state`, a wave (`SAMPLES`,), or None."""
    kind, ago = last_sound(state)
    return _full_wave(kind) if ago <= 1 else None
