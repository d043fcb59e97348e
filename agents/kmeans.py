"""k-means: groups without names, found by turns of assigning points and recomputing centres.

The algorithm of Lloyd ("Least squares quantization in PCM", 1982; told in a lecture of 1957):

1. Take k of the points at random as the first centres.
2. Assign each point to the centre that is nearest: here that is to act.
3. Move each centre to the mean of its points: here that is to learn.
4. Again from 2, until the centres rest.

As the answer is the point itself and the guess its centre, what falls is the squared error of
saying one of k words for each point: an autoencoder whose code is which one. A centre that no point
is assigned to stays where it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from gymnasium import spaces

from agents.agent import Agent, Array, Step, Task, UnsuitableTaskError
from agents.validation import at_least_one


@dataclass(frozen=True)
class KMeansSettings:
    """Hyperparameters."""

    k: int = 3
    """Centres."""

    def __post_init__(self) -> None:
        at_least_one(self, "k")


class KMeansAgent(Agent):
    """Serves points whose right answer is the point, all of them at each step."""

    name = "kmeans"
    learns_from_labels = True

    def __init__(self, task: Task, settings: KMeansSettings, seed: int) -> None:
        super().__init__(task, seed)
        space = task.action_space
        if not isinstance(space, spaces.Box) or space.shape != task.observation_space.shape:
            raise UnsuitableTaskError(
                f"k-means answers a point with the centre nearest to it: its actions are points, "
                f"not {space}; --env cluster has such"
            )
        if 1 < task.num_envs < settings.k:  # one: it is only made to be watched
            raise UnsuitableTaskError(too_few(settings.k, task.num_envs))
        self.k = settings.k
        self.shape = space.shape
        self.history: Array = np.zeros((0, self.k, *self.shape))
        """The centres (iterations + 1, k, ...) from the first ones to those of now."""

    @property
    def converged(self) -> bool:
        """Has the last turn moved no centre?"""
        return len(self.history) > 1 and np.array_equal(self.history[-1], self.history[-2])

    def act(self, observations: Array, explore: bool = True) -> Array:
        """The centre (n, ...) nearest to each point (n, ...); the first ones are drawn here.

        Raises:
            ValueError: if there are fewer points than centres.
        """
        if explore and not len(self.history):
            if len(observations) < self.k:
                raise ValueError(too_few(self.k, len(observations)))
            drawn = self.generator.choice(len(observations), self.k, replace=False)
            self.history = np.asarray(observations[drawn], np.float64)[None]
        if not len(self.history):
            return np.zeros_like(observations, np.float32)  # nothing has been seen yet
        centres = self.history[-1].astype(np.float32)
        return np.asarray(centres[nearest(observations, self.history[-1])])

    def learn(self, step: Step) -> dict[str, float] | None:
        """Recompute the centres.

        Raises:
            ValueError: if the points are not told.
        """
        if step.labels is None:
            raise ValueError("k-means learns from the points themselves, and is told only rewards")
        centres = self.history[-1]
        points = np.asarray(step.labels[step.valid], np.float64)
        moved = recomputed(points, nearest(points, centres), centres)
        self.history = np.concatenate((self.history, moved[None]))
        largest = float(np.abs(moved - centres).max())
        return {"moved": largest, "iteration": float(len(self.history) - 1)}

    def encode(self, observations: Array) -> Array | None:
        """Which centre is nearest, (n, 1)."""
        return nearest(observations, self.history[-1])[:, None] if len(self.history) else None

    def tensors(self) -> dict[str, Any]:
        """All centres so far."""
        return {"centres": torch.from_numpy(self.history)}

    def restore_policy(self, tensors: dict[str, Any]) -> None:
        """Take them over."""
        history = tensors["centres"].numpy()
        if history.shape[1:] != (self.k, *self.shape):
            raise RuntimeError("these are centres of other points")
        self.history = history

    def restore(self, tensors: dict[str, Any], numbers: dict[str, Any]) -> None:
        """Go on from where `tensors` and `numbers` were taken."""
        super().restore(tensors, numbers)
        self.restore_policy(tensors)


def too_few(centres: int, points: int) -> str:
    """What is wrong."""
    return (
        f"k-means cannot take {centres} centres from {points} points: each environment is one "
        "point, see --num-envs"
    )


def nearest(points: Array, centres: Array) -> Array:
    """Of each point (n, ...) the centre (k, ...) at the least distance, ints (n,)."""
    flat, targets = (np.asarray(a, np.float64).reshape(len(a), -1) for a in (points, centres))
    distances = np.stack([np.square(flat - target).sum(1) for target in targets], 1)
    return np.asarray(distances.argmin(1))


def recomputed(points: Array, assigned: Array, centres: Array) -> Array:
    """The mean (k, ...) of the points assigned to each centre; one without any stays."""
    moved = centres.copy()
    for k in np.unique(assigned):
        moved[k] = points[assigned == k].mean(0)
    return moved
