"""The viewer of k-means: each step is one iteration, from the first centres until they converge.

Made by `gymnasium.make("ClusterPoints-v0", render_mode="rgb_array")`, as play.py does.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import gymnasium
import numpy as np

from agents.kmeans import nearest
from envs.engine.palette import BACKGROUND, WHITE
from stages.datasets.cluster import Cluster
from stages.datasets.dataset import Array, examples_of
from stages.pictures.maps import SIDE, draw_clusters

POINTS = 1_000  # drawn
HEADING = 44  # pixels above the points


class ClusteringViewer(gymnasium.Env[Array, Array]):
    """All points, in the clusters of each iteration of the agent."""

    def __init__(self, dataset: Cluster) -> None:
        self.metadata = {"render_modes": ["rgb_array"], "render_fps": 1}
        self.render_mode = "rgb_array"
        self.observation_space = dataset.observation_space
        self.action_space = deepcopy(dataset.action_space)
        self._points = np.asarray(examples_of(dataset, "test").observations[:POINTS], np.float64)
        self._plane = dataset.plane
        self._history: Array = np.zeros((0, 1, self._points.shape[1]))
        self._iteration = 0

    def watch(self, agent: Any) -> None:
        """Show the history of `agent`; without a history there are no clusters."""
        self._history = getattr(agent, "history", self._history)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Array, dict[str, Any]]:
        super().reset(seed=seed)
        self._iteration = 0
        return self._observation(), {"score": self._score()}

    def step(self, action: Array) -> tuple[Array, float, bool, bool, dict[str, Any]]:
        """Show the next iteration; the reward is minus the mean squared distance to the centres."""
        self._iteration += 1
        over = self._iteration >= len(self._history) - 1
        score = self._score()
        return self._observation(), score, over, False, {"score": score}

    def _observation(self) -> Array:
        return np.asarray(self._points[0], np.float32)

    def _clusters(self) -> tuple[Array, Array]:
        """Return the centres of this iteration, and the index of the nearest one to each point."""
        if not len(self._history):
            return np.zeros((0, self._points.shape[1])), np.zeros(len(self._points), np.int64)
        centres = self._history[min(self._iteration, len(self._history) - 1)]
        return centres, nearest(self._points, centres)

    def _score(self) -> float:
        centres, clusters = self._clusters()
        predictions = centres[clusters] if len(centres) else np.zeros_like(self._points)
        return -float(np.square(predictions - self._points).sum(1).mean())

    def render(self) -> Array:
        """Return points in the colours of their clusters, and the centres: uint8 (h, w, 3)."""
        import pygame

        from envs.engine.drawing import pixels_of, write

        centres, clusters = self._clusters()
        surface = pygame.Surface((SIDE, SIDE + HEADING))
        surface.fill(BACKGROUND)
        draw_clusters(
            surface.subsurface((0, HEADING, SIDE, SIDE)),
            self._points @ self._plane.T,
            clusters,
            centres @ self._plane.T,
        )
        last = max(len(self._history) - 1, 0)
        words = f"iteration {min(self._iteration, last)} of {last}"
        words += ": converged" if last and self._iteration >= last else ""
        write(surface, words, (SIDE / 2, HEADING / 2), 34, WHITE, 0.5)
        return pixels_of(surface)
