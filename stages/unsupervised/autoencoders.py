"""The autoencoders that several experiments share."""

from __future__ import annotations

from typing import NamedTuple

from agents.supervised import SupervisedAgent
from stages.datasets.dataset import Array, examples_of
from stages.datasets.environments import dataset_of
from stages.lab.trials import Trial, run_trial
from training.config import RunConfig


class Encoded(NamedTuple):
    """A trained autoencoder, and test screens with their latent codes."""

    agent: SupervisedAgent
    """The autoencoder."""
    screens: Array
    """Screens, uint8 (n, 1, side, side)."""
    positions: Array
    """Positions of the ball, (n, 2): x and y in 0..1 of the box."""
    codes: Array
    """Latent codes, (n, k)."""


def autoencoder(codes: int, steps: int = 150_016) -> Trial:
    """Return the trial of an autoencoder with this number of latent codes."""
    return Trial("reconstruct", steps, settings={"codes": codes})


def train_and_encode(config: RunConfig, count: int) -> Encoded:
    """Train an autoencoder and encode `count` test screens."""
    run, _ = run_trial(config)
    screens, _, positions = examples_of(dataset_of(run.runner.environments), "test")
    codes = run.agent.encode(screens[:count])
    assert isinstance(run.agent, SupervisedAgent)
    assert positions is not None
    assert codes is not None
    return Encoded(run.agent, screens[:count], positions[:count], codes)
