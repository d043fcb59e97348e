"""Make sounds with a trained network, and let other networks listen to them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from stages.datasets.dataset import Array
from stages.datasets.griffin_lim import waves_of
from stages.datasets.listen import QUESTIONS, Listen
from stages.datasets.sounds import KINDS, PARAMETERS, Sounds
from stages.datasets.spectrogram import log_mel
from stages.datasets.synthesize import described
from stages.lab.results import Cell
from stages.lab.trials import Trial, run_trial
from training.config import RunConfig

MADE = 300  # sounds
PITCHES = (0.2, 0.5, 0.8)  # of the sounds of each kind that are kept
KEPT_LOUDNESS = 0.9
FEW = {"examples": 3_000, "test_examples": 500}
QUIET = Sounds(background=0.0, observation="waveform")


class Heard(NamedTuple):
    """The sounds that one network made."""

    errors: dict[Cell, float]
    """Errors of the listeners on sounds of the network and of the game, and without listening."""
    waves: Array
    """Sounds (kinds * pitches, samples)."""


def make_and_listen(config: RunConfig) -> Heard:
    """Train the network, and listeners half as long; measure how its sounds are heard."""
    maker = run_trial(config)[0].agent
    generator = np.random.default_rng(config.seed)

    def make(kinds: Array, numbers: Array) -> Array:
        spectrograms = maker.act(described(kinds, numbers), explore=False)
        return waves_of(spectrograms, generator)

    def record(waves: Array) -> Array:
        noise = Sounds.background * generator.standard_normal(waves.shape)
        return log_mel(np.clip(waves + noise, -1.0, 1.0).astype(np.float32))

    numbers = np.full((MADE, PARAMETERS), 0.5, np.float32)
    numbers[:, : len(QUESTIONS)] = generator.random((MADE, len(QUESTIONS)), np.float32)
    kinds = np.arange(MADE) % len(KINDS)
    sounds = {
        "made": record(make(kinds, numbers[:, : len(QUESTIONS)])),
        "real": record(QUIET.make_waves(kinds, numbers, generator)),
    }
    errors: dict[Cell, float] = {("kind", "deaf"): 100 * (1 - 1 / len(KINDS))}
    listener = Trial("sounds", config.steps // 2, options=FEW).config(config.seed)
    agent = run_trial(listener)[0].agent
    for key, heard in sounds.items():
        errors["kind", key] = 100 * float((agent.act(heard, explore=False) != kinds).mean())
    for question in QUESTIONS:
        asked = Trial("listen", config.steps // 2, options={**FEW, "question": question})
        agent = run_trial(asked.config(config.seed))[0].agent
        targets = Listen(question=question).targets_of(kinds, numbers)
        for key, heard in sounds.items():
            errors[question, key] = error(agent.act(heard, explore=False), targets)
        errors[question, "deaf"] = error(np.median(targets), targets)
    wanted = np.array([(pitch, KEPT_LOUDNESS) for pitch in PITCHES] * len(KINDS), np.float32)
    return Heard(errors, make(np.repeat(np.arange(len(KINDS)), len(PITCHES)), wanted))


def error(answers: Any, targets: Array) -> float:
    """Return the mean absolute error of answers in 0..1, in percent."""
    return 100 * float(np.abs(answers - targets).mean())
