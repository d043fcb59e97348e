"""Sound: was the ball hit, did it touch a wall, was it missed?

Description
    From 0.28 s of sound tell what was heard. Each recording has a pitch up to an octave higher or
    lower than that of the game, a loudness, a beginning and a decay of its own, and a background of
    white noise. Nobody has to label it: whoever makes a sound knows which one it is.
Observation Space
    `observation="spectrogram"`: `Box(0, 255, (1, 32, 32), uint8)`, see
    `stages.datasets.spectrogram`. `observation="waveform"`: `Box(-1, 1, (2240,), float32)`, the
    recording itself, 8,000 numbers a second.
Action Space
    `Discrete(3)`: hit, wall, miss.
Rewards
    0 for the right class, -1 for a wrong one. The score is 1 for the right class: its mean is the
    accuracy.
Everything else
    See `stages.datasets.environments` and `stages.datasets.dataset.Dataset`.
Version History
    v0: first version.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from gymnasium import spaces

from envs.paddle.sound import SAMPLES, SOUNDS, TIMES, last_sound, wave
from stages.datasets.classification import ClassificationDataset
from stages.datasets.dataset import Array, Assessment, Examples
from stages.datasets.spectrogram import BANDS, HOP, WINDOW, log_mel
from stages.viewers.pictures import picture_of_words

KINDS = tuple(SOUNDS)
OBSERVATIONS = ("spectrogram", "waveform")
CHANCES = 4  # numbers that make one recording unlike another: pitch, loudness, beginning, decay
QUIETEST = 0.2  # of 1
LATEST = 0.08  # seconds until a sound begins
AT_ONCE = 500  # recordings; in between they take twenty times the memory
HELD = 15  # steps for which a sound is asked about when it is watched
SHOWN = 12
GAME_SIDE = 24  # pixels of the screens of the game that is watched, at which nobody looks


@dataclass(frozen=True)
class Sounds(ClassificationDataset):
    """What was that?"""

    examples: int = 10_000
    """Size of the training set."""
    observation: str = "spectrogram"
    """spectrogram or waveform."""
    background: float = 0.1
    """Standard deviation of the noise; the loudest sounds have an amplitude of 1."""

    action_names = KINDS

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.observation not in OBSERVATIONS:
            raise ValueError(
                f"option `observation` must be {' or '.join(OBSERVATIONS)}, not "
                f"{self.observation!r}"
            )
        if not 0 <= self.background <= 1:
            raise ValueError(f"option `background` must be between 0 and 1, not {self.background}")

    @property
    def observation_space(self) -> spaces.Box:
        if self.observation == "waveform":
            return spaces.Box(-1.0, 1.0, (SAMPLES,), np.float32)
        return spaces.Box(0, 255, (1, BANDS, 1 + (SAMPLES - WINDOW) // HOP), np.uint8)

    def sample(self, count: int, seed: int) -> Examples:
        chances, background = np.random.default_rng((seed, 2)), np.random.default_rng((seed, 3))
        space = self.observation_space
        observations = np.zeros((count, *space.shape), space.dtype)
        kinds = np.zeros(count, np.int64)
        for start in range(0, count, AT_ONCE):
            part = slice(start, min(start + AT_ONCE, count))
            drawn = chances.random((part.stop - start, 1 + CHANCES), np.float32)
            kinds[part] = (drawn[:, 0] * len(KINDS)).astype(np.int64)
            observations[part] = self.seen(self.recorded(kinds[part], drawn[:, 1:], background))
        return Examples(observations, kinds)

    def recorded(self, kinds: Array, chances: Array, background: np.random.Generator) -> Array:
        """Waves float32 (n, SAMPLES) of `kinds` (n,), as `chances` (n, CHANCES) in 0..1 decide."""
        pitch, loudness, beginning, lasting = chances[:, :, None].transpose(1, 0, 2)
        waves = background.standard_normal((len(kinds), SAMPLES), np.float32) * self.background
        for k, kind in enumerate(KINDS):
            of = kinds == k
            times = TIMES - LATEST * beginning[of]
            sounds = wave(kind, times, 2 ** (2 * pitch[of] - 1), 2 ** (2 * lasting[of] - 1))
            waves[of] += (QUIETEST + (1 - QUIETEST) * loudness[of]) * sounds
        return np.asarray(np.clip(waves, -1, 1))

    def seen(self, waves: Array) -> Array:
        """Waves (n, SAMPLES) as the agent is to have them."""
        return waves if self.observation == "waveform" else log_mel(waves)

    @property
    def game_screen_size(self) -> int:
        return GAME_SIDE

    def example_from_game(self, screens: Array, state: Any) -> tuple[Array, Array | None]:
        """A recording of what sounded last; nothing is asked once that is some time ago."""
        kind, ago = last_sound(state)
        asked = ago <= HELD
        began = round(state.t - ago) if asked else int(state.t)
        generator = np.random.default_rng((int(state.rng), began))  # the same at each step
        kinds = np.array([KINDS.index(kind) if asked else len(KINDS)])
        wave = self.recorded(kinds, generator.random((1, CHANCES), np.float32), generator)
        return self.seen(wave)[0], kinds[0] if asked else None

    def assess(self, observations: Array, predictions: Array, targets: Array) -> Assessment:
        """Also spectrograms, with what was guessed and what it was."""
        found = super().assess(observations, predictions, targets)
        first = observations[:SHOWN]
        shown = (log_mel(first) if self.observation == "waveform" else first)[:, 0]
        words = [(KINDS[g], KINDS[a]) for g, a in zip(predictions, targets, strict=True)][:SHOWN]
        return found._replace(
            pictures=found.pictures | {"spectrograms": picture_of_words(shown, words)}
        )
