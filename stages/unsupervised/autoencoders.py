"""The autoencoders that several experiments look into."""

from __future__ import annotations

from typing import NamedTuple

from agents.supervised import SupervisedAgent
from stages.datasets.dataset import Array, examples_of
from stages.datasets.environments import dataset_of
from stages.lab.trials import trained, trial
from training.config import RunConfig

STEPS = 150_016


class Encoded(NamedTuple):
    """A trained autoencoder and what it makes of screens that it was not trained on."""

    agent: SupervisedAgent
    screens: Array
    """uint8 (n, 1, side, side)."""
    places: Array
    """(n, 2) where the ball is: x and y in 0..1 of the box."""
    codes: Array
    """(n, k)."""


def autoencoder(seed: int, codes: int, steps: int = STEPS) -> RunConfig:
    """Settings of a trial."""
    return trial("reconstruct", seed, steps, settings={"codes": codes})


def encoded(config: RunConfig, count: int) -> Encoded:
    """Train an autoencoder, and let it encode `count` new screens."""
    run, _ = trained(config)
    screens, _, places = examples_of(dataset_of(run.runner.environments), "test")
    codes = run.agent.encode(screens[:count])
    assert isinstance(run.agent, SupervisedAgent)
    assert places is not None
    assert codes is not None
    return Encoded(run.agent, screens[:count], places[:count], codes)
