"""Clustering: points that nobody has sorted, and the point itself as the target.

Description
    Each environment is one point, which it shows again and again: how a riderless bicycle stands, a
    screen of paddle-and-ball, or the code that an autoencoder computes from such a screen. The
    prediction is a point too, and the nearer the better. An agent that may only predict one of k
    points has to find k points that represent all of them: `--agent kmeans`.
Observation Space
    `of="rides"`: `Box(-1, 1, (5,), float32)`, see `bicycle_points`. `of="screens"`: the
    pixels of a screen of `--env reconstruct`, 0..1. `of="codes"`: what the run `encoder` makes of
    them.
Action Space
    The same.
Rewards
    Minus the squared distance between prediction and point; the score too.
Starting State
    As for all stages; but an example is kept until `reset(seed=)` asks for another.
Measured besides
    `purity`: the share of points that belong to the commonest kind of their cluster; `chance`: the
    same if points were dealt out to clusters of these sizes. Kinds are told to nobody. Of rides:
    will it ride on, fall to the left or to the right in the next 4 s? Of screens and codes: in
    which quarter of the box is the ball?
Everything else
    See `stages.datasets.environments` and `stages.datasets.dataset.Dataset`.
Version History
    v0: first version.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import gymnasium
import numpy as np
from gymnasium import spaces

from agents.agent import Agent
from stages.datasets.bicycle_points import FATES, FELT, rides
from stages.datasets.dataset import Array, Assessment, Dataset, Examples, examples_of
from stages.datasets.metrics import confusion_matrix
from stages.datasets.reconstruct import Reconstruct
from stages.viewers.clustering import ClusteringViewer
from stages.viewers.maps import axes_of, picture_of_clusters
from training.trained_agent import load_agent, load_config

QUARTERS = ("top left", "top right", "bottom left", "bottom right")
KINDS = {"rides": FATES, "screens": QUARTERS, "codes": QUARTERS}
DEALS = 20  # that chance is the mean of
RECONSTRUCT = "ReconstructScreen-v0"


@dataclass(frozen=True)
class Cluster(Dataset):
    """What stands for all of these?"""

    of: str = "rides"
    """What the points are: rides, screens or codes."""
    encoder: str = ""
    """For codes, the folder of a run of --env reconstruct."""

    feedbacks: ClassVar[dict[str, str]] = {"observation": "the observation itself"}
    keeps_examples: ClassVar[bool] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.noise:
            raise ValueError("option `noise` must be 0: what was seen is never a wrong answer")
        if self.of not in KINDS:
            raise ValueError(f"option `of` must be {', '.join(KINDS)}, not {self.of!r}")
        if (self.of == "codes") != bool(self.encoder):
            raise ValueError(
                "options `of=codes` and `encoder=` (a run folder of --env reconstruct) belong "
                "together"
            )
        if self.encoder:
            encoder(self.encoder)

    @property
    def observation_space(self) -> spaces.Box:
        if self.of == "rides":
            return spaces.Box(-1.0, 1.0, (len(FELT),), np.float32)
        if self.of == "screens":
            pixels = int(np.prod(Reconstruct().observation_space.shape))
            return spaces.Box(0.0, 1.0, (pixels,), np.float32)
        codes = load_config(Path(self.encoder)).settings.codes
        return spaces.Box(-np.inf, np.inf, (codes,), np.float32)

    @property
    def action_space(self) -> spaces.Box:
        return self.observation_space

    def sample(self, count: int, seed: int) -> Examples:
        if self.of == "rides":
            points, kinds = rides(count, seed)
            return Examples(points, points, kinds)
        screens, _, places = Reconstruct().sample(count, seed)
        assert places is not None
        points = screens.reshape(count, -1) / np.float32(255)
        if self.encoder:
            codes = encoder(self.encoder).encode(screens)
            assert codes is not None
            points = codes
        return Examples(points, points, quarters(places))

    def loss(self, predictions: Array, targets: Array) -> Array:
        return np.asarray(np.square(predictions - targets).sum(1))

    def assess(self, observations: Array, predictions: Array, targets: Array) -> Assessment:
        """The points in a plane, each in the colour of its cluster, and the centres."""
        centres, clusters = np.unique(predictions, axis=0, return_inverse=True)
        plane = self.plane
        picture = picture_of_clusters(targets @ plane.T, clusters, centres @ plane.T)
        return Assessment({}, {"clusters": picture})

    def assess_codes(
        self, observations: Array, codes: Array, attributes: Array | None
    ) -> Assessment:
        """How far clusters agree with kinds that nobody has told."""
        assert attributes is not None
        generator, clusters = np.random.default_rng(0), codes[:, 0]
        dealt = [purity(generator.permutation(clusters), attributes) for _ in range(DEALS)]
        return Assessment(
            {"purity": purity(clusters, attributes), "chance": float(np.mean(dealt))}, {}
        )

    def watched(self) -> ClusteringViewer:
        """Turn by turn."""
        return ClusteringViewer(self, self.plane)

    @property
    def plane(self) -> Array:
        """The two directions (2, k) in which the points differ most: the same in all pictures."""
        return _plane(self)


@functools.lru_cache(maxsize=4)
def _plane(dataset: Cluster) -> Array:
    return axes_of(examples_of(dataset, "test").observations[:1000])


@functools.lru_cache(maxsize=4)
def encoder(folder: str) -> Agent:
    """The agent of a run of --env reconstruct.

    Raises:
        ValueError: if there is none in `folder`.
    """
    config = load_config(Path(folder))
    if config.env != RECONSTRUCT or not getattr(config.settings, "codes", 0):
        raise ValueError(f"{folder} is a run of {config.env}, not an autoencoder of screens")
    env: gymnasium.Env[Any, Any] = gymnasium.make(RECONSTRUCT, **config.env_options)
    if env.observation_space != Reconstruct().observation_space:
        raise ValueError(f"{folder} has seen screens of another size")
    return load_agent(Path(folder), env)


def quarters(places: Array) -> Array:
    """Which of `QUARTERS` each place (n, 2) is in."""
    return np.asarray((places[:, 0] >= 0.5) + 2 * (places[:, 1] >= 0.5), np.int64)


def purity(clusters: Array, kinds: Array) -> float:
    """The share of points of the commonest kind in their cluster (Manning et al. 2008, 16.3)."""
    size = 1 + int(max(clusters.max(), kinds.max()))
    counts = confusion_matrix(kinds, clusters.astype(np.int64), size)
    return float(counts.max(1).sum() / counts.sum())
