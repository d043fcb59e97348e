"""Classification of sounds: was the ball hit, did it touch a wall, or was it missed?

Description
    Classify 0.28 s of sound of paddle-and-ball. Each recording has a random pitch, up to an octave
    above or below that of the game, a random loudness, start and decay, and white noise in the
    background. The program that makes a sound supplies its label.
Observation Space
    `observation="spectrogram"`: `Box(0, 255, (1, 32, 32), uint8)`, see
    `stages.datasets.spectrogram`. `observation="waveform"`: `Box(-1, 1, (2240,), float32)`, 8,000
    samples per second.
Action Space
    `Discrete(3)`: hit, wall, miss.
Rewards
    0 for the right class, -1 for a wrong one. The score is 1 for the right class, so that the mean
    score is the accuracy.
Arguments
    See `Sounds`, `stages.datasets.dataset.Dataset` and `stages.datasets.environments`.
Version History
    v0: first version.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from gymnasium import spaces

from envs.names import one_of
from envs.paddle.sound import SAMPLES, SOUNDS, TIMES, last_sound, wave
from stages.datasets.classification import ClassificationDataset
from stages.datasets.dataset import GAME_VIEWER, Array, Assessment, Examples
from stages.datasets.spectrogram import BANDS, HOP, WINDOW, log_mel
from stages.pictures.predictions import picture_of_words

KINDS = tuple(SOUNDS)
OBSERVATIONS = ("spectrogram", "waveform")
PARAMETERS = 4  # of a recording, random: pitch, loudness, start, decay
QUIETEST = 0.2  # of 1
LATEST = 0.08  # seconds until a sound starts
CHUNK = 500  # recordings computed at a time, to save memory
HELD = 15  # steps of a running game during which its last sound is the example
SHOWN = 12
GAME_SIDE = 24  # pixels; the screens of the running game are not used


@dataclass(frozen=True)
class Sounds(ClassificationDataset):
    """Classify the sounds of the game."""

    examples: int = 10_000
    """Number of training examples."""
    observation: str = "spectrogram"
    """spectrogram or waveform."""
    background: float = 0.1
    """Standard deviation of the background noise; the loudest sounds have amplitude 1."""

    action_names = KINDS
    viewer = GAME_VIEWER

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.observation not in OBSERVATIONS:
            raise ValueError(
                f"option `observation` must be {one_of(OBSERVATIONS)}, got {self.observation!r}"
            )
        if not 0 <= self.background <= 1:
            raise ValueError(f"option `background` must be between 0 and 1, got {self.background}")

    @property
    def observation_space(self) -> spaces.Box:
        if self.observation == "waveform":
            return spaces.Box(-1.0, 1.0, (SAMPLES,), np.float32)
        return spaces.Box(0, 255, (1, BANDS, 1 + (SAMPLES - WINDOW) // HOP), np.uint8)

    def sample(self, count: int, seed: int) -> Examples:
        parameters, background = (np.random.default_rng((seed, k)) for k in (2, 3))
        uniform = parameters.random((count, 1 + PARAMETERS), np.float32)
        kinds = (uniform[:, 0] * len(KINDS)).astype(np.int64)
        observations = self.recordings(kinds, uniform[:, 1:], background)
        return Examples(observations, kinds, uniform[:, 1:])

    def recordings(self, kinds: Array, parameters: Array, background: np.random.Generator) -> Array:
        """Return the observations of sounds; the arguments are those of `make_waves`."""
        space = self.observation_space
        observations = np.zeros((len(kinds), *space.shape), space.dtype)
        for start in range(0, len(kinds), CHUNK):
            part = slice(start, start + CHUNK)
            waves = self.make_waves(kinds[part], parameters[part], background)
            observations[part] = self.observe(waves)
        return observations

    def make_waves(self, kinds: Array, parameters: Array, background: np.random.Generator) -> Array:
        """Return waves float32 (n, SAMPLES) of `kinds` (n,), indices into `KINDS`; others: silence.

        `parameters` (n, PARAMETERS) are in 0..1; `background` is the generator of the noise.
        """
        pitch, loudness, beginning, lasting = parameters[:, :, None].transpose(1, 0, 2)
        waves = background.standard_normal((len(kinds), SAMPLES), np.float32) * self.background
        for k, kind in enumerate(KINDS):
            of = kinds == k
            times = TIMES - LATEST * beginning[of]
            sounds = wave(kind, times, 2 ** octaves(pitch[of]), 2 ** octaves(lasting[of]))
            waves[of] += (QUIETEST + (1 - QUIETEST) * loudness[of]) * sounds
        return np.asarray(np.clip(waves, -1, 1))

    def observe(self, waves: Array) -> Array:
        """Return the observations of waves (n, SAMPLES)."""
        return waves if self.observation == "waveform" else log_mel(waves)

    @property
    def game_screen_size(self) -> int:
        return GAME_SIDE

    def example_from_game(self, screens: Array, state: Any) -> tuple[Array, Array | None]:
        """Return a recording of the game's last sound; after `HELD` steps there is no target."""
        kind, ago = last_sound(state)
        sounding = ago <= HELD
        began = round(state.t - ago) if sounding else int(state.t)
        generator = np.random.default_rng((int(state.rng), began))  # the same in all these steps
        kinds = np.array([KINDS.index(kind) if sounding else len(KINDS)])
        waves = self.make_waves(kinds, generator.random((1, PARAMETERS), np.float32), generator)
        return self.observe(waves)[0], kinds[0] if sounding else None

    def assess(self, observations: Array, predictions: Array, targets: Array) -> Assessment:
        """Return also spectrograms with predicted and true classes."""
        found = super().assess(observations, predictions, targets)
        first = observations[:SHOWN]
        shown = (log_mel(first) if self.observation == "waveform" else first)[:, 0]
        words = [(KINDS[g], KINDS[a]) for g, a in zip(predictions, targets, strict=True)][:SHOWN]
        return found._replace(
            pictures=found.pictures | {"spectrograms": picture_of_words(shown, words)}
        )


def octaves(parameter: Any) -> Any:
    """Return a random parameter in 0..1 as -1..1: an octave below or above that of the game."""
    return 2 * parameter - 1
