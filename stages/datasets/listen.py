"""Regression on sounds: how high is the sound, or how loud?

Description
    Measure a recording of `--env sounds`. Together with its question (hit, wall or miss?), these
    are three questions about one sound, one of classification and two of regression.
Observation Space
    `Box(0, 255, (1, 32, 32), uint8)`, see `stages.datasets.spectrogram`.
Action Space
    `Box(0, 1, (1,), float32)`. `question="pitch"`: the pitch at the start of the sound, from the
    lowest to the highest one, which is 3.1 octaves higher. `question="loudness"`: the amplitude of
    the sound before it decays.
Rewards
    Minus the absolute error; the score is the same.
Arguments
    See `Listen`, `stages.datasets.dataset.Dataset` and `stages.datasets.environments`.
Version History
    v0: first version.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from gymnasium import spaces

from envs.names import one_of
from envs.paddle.sound import SOUNDS
from stages.datasets.dataset import Array, Dataset, Examples
from stages.datasets.sounds import KINDS, QUIETEST, Sounds, octaves
from stages.pictures.predictions import draw_words

QUESTIONS = ("pitch", "loudness")
PITCH, LOUDNESS = 0, 1  # indices of the parameters of a recording
FREQUENCIES = np.array([SOUNDS[kind].frequency for kind in KINDS])
ABOVE = np.log2(FREQUENCIES / FREQUENCIES.min())
"""Octaves of each kind of sound above the lowest kind."""
HIGHEST = ABOVE.max() + 2
"""Octaves from the lowest to the highest sound."""


@dataclass(frozen=True)
class Listen(Dataset):
    """Measure a sound."""

    examples: int = 10_000
    """Number of training examples."""
    question: str = "pitch"
    """pitch: how high it is; loudness: how loud."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.question not in QUESTIONS:
            raise ValueError(
                f"option `question` must be {one_of(QUESTIONS)}, got {self.question!r}"
            )

    @property
    def action_names(self) -> tuple[str, ...]:  # type: ignore[override]
        """The name of the number."""
        return (self.question,)

    @property
    def observation_space(self) -> spaces.Box:
        return Sounds().observation_space

    @property
    def action_space(self) -> spaces.Box:
        return spaces.Box(0.0, 1.0, (1,), np.float32)

    def sample(self, count: int, seed: int) -> Examples:
        spectrograms, kinds, parameters = Sounds().sample(count, seed)
        assert parameters is not None
        return Examples(spectrograms, self.targets_of(kinds, parameters))

    def targets_of(self, kinds: Array, parameters: Array) -> Array:
        """Return the targets (n, 1) of recordings; the arguments are those of `make_waves`."""
        if self.question == "pitch":
            targets = (ABOVE[kinds] + octaves(parameters[:, PITCH]) + 1) / HIGHEST
        else:
            targets = QUIETEST + (1 - QUIETEST) * parameters[:, LOUDNESS]
        return np.asarray(targets[:, None], np.float32)

    def add_label_noise(self, targets: Array, generator: np.random.Generator) -> Array:
        """Replace targets by uniformly random ones."""
        wrong = generator.random(targets.shape, np.float32)
        return np.where(generator.random((len(targets), 1)) < self.noise, wrong, targets)

    def loss(self, predictions: Array, targets: Array) -> Array:
        return np.asarray(np.abs(predictions - targets)[:, 0])

    def draw_prediction(self, surface: Any, prediction: Any, target: Array) -> None:
        """Write the predicted number, with the target below."""
        predicted = None if prediction is None else f"{prediction[0]:.2f}"
        draw_words(surface, predicted, f"{target[0]:.2f}")
