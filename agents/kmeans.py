"""k-means: clusters of points without labels.

The algorithm of Lloyd ("Least squares quantization in PCM", 1982; presented in 1957):

1. Choose k of the points at random as the first centres.
2. Assign each point to the nearest centre (`act`).
3. Move each centre to the mean of its points (`learn`).
4. Repeat from 2 until the centres no longer move.

The label of a point is the point itself, and the prediction is its centre. The squared error that
decreases is therefore that of an autoencoder whose code is the index of a centre. A centre without
points stays where it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from torch import nn

from agents.agent import Agent, Array, Step, Task, UnsuitableTaskError
from agents.validation import at_least_one


@dataclass(frozen=True)
class KMeansSettings:
    """Hyperparameters of k-means."""

    k: int = 3
    """Number of clusters."""

    def __post_init__(self) -> None:
        at_least_one(self, "k")


class KMeansAgent(Agent):
    """Serves points whose label is the point itself, if all points are shown at each step."""

    name = "kmeans"
    learns_from_labels = True

    def __init__(self, task: Task, settings: KMeansSettings, seed: int) -> None:
        super().__init__(task, seed)
        space = task.action_space
        if not isinstance(space, spaces.Box) or space.shape != task.observation_space.shape:
            raise UnsuitableTaskError(
                f"k-means needs a dataset of points, the actions are {space}; use --env cluster"
            )
        if 1 < task.num_envs < settings.k:  # 1: the agent is only watched
            raise UnsuitableTaskError(too_few(settings.k, task.num_envs))
        self.k = settings.k
        self.shape = space.shape
        self.history: Array = np.zeros((0, self.k, *self.shape))
        """Centres (iterations + 1, k, ...) from the first to the current ones."""

    @property
    def converged(self) -> bool:
        """Whether the last iteration moved no centre."""
        return len(self.history) > 1 and np.array_equal(self.history[-1], self.history[-2])

    def act(self, observations: Array, explore: bool = True) -> Array:
        """Return the nearest centre (n, ...) of each point (n, ...); choose the first centres.

        Raises:
            ValueError: if there are fewer points than centres.
        """
        if explore and not len(self.history):
            if len(observations) < self.k:
                raise ValueError(too_few(self.k, len(observations)))
            chosen = self.generator.choice(len(observations), self.k, replace=False)
            self.history = np.asarray(observations[chosen], np.float64)[None]
        if not len(self.history):
            return np.zeros_like(observations, np.float32)  # untrained
        centres = self.history[-1].astype(np.float32)
        return np.asarray(centres[nearest(observations, self.history[-1])])

    def learn(self, step: Step) -> dict[str, float] | None:
        """Recompute the centres. Raises ValueError if the environment provides no labels."""
        if step.labels is None:
            raise ValueError("k-means learns from labels (the points), but got only rewards")
        centres = self.history[-1]
        points = np.asarray(step.labels[step.valid], np.float64)
        moved = recomputed(points, nearest(points, centres), centres)
        self.history = np.concatenate((self.history, moved[None]))
        largest = float(np.abs(moved - centres).max())
        return {"moved": largest, "iteration": float(len(self.history) - 1)}

    def encode(self, observations: Array) -> Array | None:
        """Return the index (n, 1) of the nearest centre."""
        return nearest(observations, self.history[-1])[:, None] if len(self.history) else None

    def policy_network(self) -> nn.Module:
        """Raise UnsuitableTaskError."""
        raise UnsuitableTaskError("its predictions are the nearest centres, and not a network's")

    def policy_tensors(self) -> dict[str, Any]:
        """Return the centres of all iterations."""
        return {"centres": torch.from_numpy(self.history)}

    def tensors(self) -> dict[str, Any]:
        """Return the centres of all iterations."""
        return self.policy_tensors()

    def restore_policy(self, tensors: dict[str, Any]) -> None:
        """Load the centres of all iterations."""
        history = tensors["centres"].numpy().copy()  # a copy, as the file is mapped
        if history.shape[1:] != (self.k, *self.shape):
            raise RuntimeError("the centres have another number or shape")
        self.history = history

    def restore(self, tensors: dict[str, Any], numbers: dict[str, Any]) -> None:
        """Continue from a checkpoint."""
        super().restore(tensors, numbers)
        self.restore_policy(tensors)


def too_few(centres: int, points: int) -> str:
    """Return the error message for fewer points than centres."""
    return (
        f"k-means needs at least {centres} points for {centres} centres, not {points}: each "
        "environment is one point, increase --num-envs"
    )


def nearest(points: Array, centres: Array) -> Array:
    """Return the index (n,) of the centre (k, ...) nearest to each point (n, ...)."""
    flat, targets = (np.asarray(a, np.float64).reshape(len(a), -1) for a in (points, centres))
    distances = np.stack([np.square(flat - target).sum(1) for target in targets], 1)
    return np.asarray(distances.argmin(1))


def recomputed(points: Array, assigned: Array, centres: Array) -> Array:
    """Return the means (k, ...) of the points assigned to each centre; without points, it stays."""
    moved = centres.copy()
    for k in np.unique(assigned):
        moved[k] = points[assigned == k].mean(0)
    return moved
