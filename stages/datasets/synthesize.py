"""Generation of sounds: predict the spectrogram of a sound from its kind, pitch and loudness.

Description
    The wanted sound of the game is described by five numbers, and the program that makes the
    sounds supplies its spectrogram. `stages.datasets.griffin_lim` turns a predicted spectrogram
    into a wave that can be heard: `python -m stages synthesize --wav sounds.wav`.
Observation Space
    `Box(0, 1, (5,), float32)`: 1 for the wanted kind (hit, wall, miss) and 0 for the others, the
    pitch (two octaves from 0 to 1) and the loudness.
Action Space
    `Box(0, 255, (1, 32, 32), float32)`: the log-mel spectrogram, see `stages.datasets.spectrogram`.
Rewards
    Minus the mean squared error of the pixels, with black as 0 and white as 1. The score is R
    squared: 1 minus the error divided by that of the mean spectrogram.
Arguments
    See `Synthesize`, `stages.datasets.dataset.Dataset` and `stages.datasets.environments`.
Version History
    v0: first version.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from gymnasium import spaces

from envs.engine.palette import BACKGROUND
from stages.datasets.dataset import Array, Assessment, Dataset, Examples, constant_loss
from stages.datasets.reconstruct import SHOWN, squares
from stages.datasets.sounds import KINDS, PARAMETERS, Sounds
from stages.pictures.maps import picture_of_pairs
from stages.pictures.predictions import draw_words

WANTED = 2  # parameters of a recording that are described: pitch and loudness
SOUNDS = Sounds(background=0.0)


@dataclass(frozen=True)
class Synthesize(Dataset):
    """Predict the spectrogram of a described sound."""

    examples: int = 10_000
    """Number of training examples."""

    feedbacks: ClassVar[dict[str, str]] = {"answer": "labels"}

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.noise:
            raise ValueError("option `noise` must be 0: a program makes the spectrograms")

    @property
    def observation_space(self) -> spaces.Box:
        return spaces.Box(0.0, 1.0, (len(KINDS) + WANTED,), np.float32)

    @property
    def action_space(self) -> spaces.Box:
        return spaces.Box(0.0, 255.0, SOUNDS.observation_space.shape, np.float32)

    def sample(self, count: int, seed: int) -> Examples:
        uniform = np.random.default_rng(seed).random((count, 1 + WANTED), np.float32)
        kinds = (uniform[:, 0] * len(KINDS)).astype(np.int64)
        numbers = np.full((count, PARAMETERS), 0.5, np.float32)  # the same start and decay
        numbers[:, :WANTED] = uniform[:, 1:]
        spectrograms = SOUNDS.recordings(kinds, numbers, np.random.default_rng(0))
        return Examples(described(kinds, uniform[:, 1:]), spectrograms, kinds)

    def loss(self, predictions: Array, targets: Array) -> Array:
        return squares(predictions - targets.astype(np.float32))

    def score(self, predictions: Array, targets: Array) -> Array:
        return 1.0 - self.loss(predictions, targets) / constant_loss(self)

    def draw_example(self, surface: Any, observation: Array) -> None:
        """Write what is wanted."""
        surface.fill(BACKGROUND)
        kind, (pitch, loudness) = KINDS[int(observation.argmax())], observation[len(KINDS) :]
        wanted = f"{kind}, pitch {pitch:.2f}, loudness {loudness:.2f}"
        draw_words(surface, wanted, wanted)

    def side_screens(self, prediction: Any, target: Array) -> dict[str, Array]:
        """Return the spectrogram and the predicted one."""
        made = np.zeros_like(target) if prediction is None else prediction
        return {"target": target[0], "prediction": made[0]}

    def assess(self, observations: Array, predictions: Array, targets: Array) -> Assessment:
        """Return some spectrograms with the predicted ones."""
        picture = picture_of_pairs(targets[:SHOWN, 0], predictions[:SHOWN, 0])
        return Assessment({}, {"spectrograms": picture})


def described(kinds: Array, numbers: Array) -> Array:
    """Return observations (n, 5) of kinds (n,), indices into `KINDS`, and numbers (n, 2) in 0..1.

    The numbers are pitch and loudness.
    """
    return np.concatenate((np.eye(len(KINDS), dtype=np.float32)[kinds], numbers), 1)
