"""Clustering: unlabelled points, with the point itself as the target.

Description
    Each environment shows one point again and again: the state of a riderless bicycle, a screen of
    paddle-and-ball, or the code that an autoencoder computes from such a screen. The prediction is
    a point too. An agent that can only predict k different points has to find k points that
    represent all of them: `--agent kmeans`.
Observation Space
    `of="rides"`: `Box(-1, 1, (5,), float32)`, see `stages.datasets.bicycle_points`.
    `of="screens"`: the pixels of a screen of `--env reconstruct`, in 0..1. `of="codes"`: codes of
    such screens, by the run `encoder`.
Action Space
    The same as the observation space.
Rewards
    Minus the squared distance between prediction and point; the score is the same.
Starting State
    A random point, which stays until `reset(seed=)`.
Metrics
    `purity`: the share of points of the most frequent kind in their cluster. `chance`: the purity
    of random clusters of the same sizes. The kinds are not shown to agents. For rides: does the
    bicycle fall left, fall right or ride on in the next 4 s? For screens and codes: which quarter
    of the box is the ball in?
Arguments
    See `Cluster`, `stages.datasets.dataset.Dataset` and `stages.datasets.environments`.
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
from envs.names import one_of
from stages.datasets.bicycle_points import FATES, FELT, rides
from stages.datasets.dataset import Array, Assessment, Dataset, Examples, examples_of
from stages.datasets.metrics import confusion_matrix
from stages.datasets.reconstruct import Reconstruct
from stages.pictures.maps import axes_of, picture_of_clusters
from training.trained_agent import load_agent, load_config

QUARTERS = ("top left", "top right", "bottom left", "bottom right")
KINDS = {"rides": FATES, "screens": QUARTERS, "codes": QUARTERS}
SHUFFLES = 20  # random clusterings whose mean purity is `chance`
RECONSTRUCT = "ReconstructScreen-v0"


@dataclass(frozen=True)
class Cluster(Dataset):
    """Represent unlabelled points by a few of them."""

    of: str = "rides"
    """Kind of points: rides, screens or codes."""
    encoder: str = ""
    """Run folder of `--env reconstruct` that computes the codes."""

    feedbacks: ClassVar[dict[str, str]] = {"observation": "the observation itself"}
    keeps_examples: ClassVar[bool] = True
    viewer = "stages.viewers.clustering:ClusteringViewer"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.noise:
            raise ValueError("option `noise` must be 0: the target is the observation itself")
        if self.of not in KINDS:
            raise ValueError(f"option `of` must be {one_of(KINDS)}, got {self.of!r}")
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
        screens, _, positions = Reconstruct().sample(count, seed)
        assert positions is not None
        points = screens.reshape(count, -1) / np.float32(255)
        if self.encoder:
            codes = encoder(self.encoder).encode(screens)
            assert codes is not None
            points = codes
        return Examples(points, points, quarters(positions))

    def loss(self, predictions: Array, targets: Array) -> Array:
        return np.asarray(np.square(predictions - targets).sum(1))

    def assess(self, observations: Array, predictions: Array, targets: Array) -> Assessment:
        """Return a picture of the points in a plane, coloured by cluster, with the centres."""
        centres, clusters = np.unique(predictions, axis=0, return_inverse=True)
        plane = self.plane
        picture = picture_of_clusters(targets @ plane.T, clusters, centres @ plane.T)
        return Assessment({}, {"clusters": picture})

    def assess_codes(
        self, observations: Array, codes: Array, attributes: Array | None
    ) -> Assessment:
        """Return how well clusters match the kinds of points."""
        assert attributes is not None
        generator, clusters = np.random.default_rng(0), codes[:, 0]
        by_chance = [purity(generator.permutation(clusters), attributes) for _ in range(SHUFFLES)]
        return Assessment(
            {"purity": purity(clusters, attributes), "chance": float(np.mean(by_chance))}, {}
        )

    @property
    def plane(self) -> Array:
        """The first two principal axes (2, k) of the points, the same for all pictures."""
        return _plane(self)


@functools.lru_cache(maxsize=4)
def _plane(dataset: Cluster) -> Array:
    return axes_of(examples_of(dataset, "test").observations[:1000])


@functools.lru_cache(maxsize=4)
def encoder(folder: str) -> Agent:
    """Return the agent of a run of `--env reconstruct`.

    Raises:
        ValueError: if `folder` holds no such run, or one for screens of another size.
    """
    config = load_config(Path(folder))
    if config.env != RECONSTRUCT or not getattr(config.settings, "codes", 0):
        raise ValueError(f"{folder} is a run of {config.env}, not an autoencoder of screens")
    env: gymnasium.Env[Any, Any] = gymnasium.make(RECONSTRUCT, **config.env_options)
    if env.observation_space != Reconstruct().observation_space:
        raise ValueError(f"{folder} was trained on screens of another size")
    return load_agent(Path(folder), env)


def quarters(positions: Array) -> Array:
    """Return the indices into `QUARTERS` (n,) of positions (n, 2) in 0..1."""
    return np.asarray((positions[:, 0] >= 0.5) + 2 * (positions[:, 1] >= 0.5), np.int64)


def purity(clusters: Array, kinds: Array) -> float:
    """Return the share of points of the most frequent kind in their cluster.

    Manning et al., "Introduction to information retrieval", 2008, section 16.3.
    """
    size = 1 + int(max(clusters.max(), kinds.max()))
    counts = confusion_matrix(kinds, clusters.astype(np.int64), size)
    return float(counts.max(1).sum() / counts.sum())
