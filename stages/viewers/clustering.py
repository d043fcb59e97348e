"""k-means to be watched: each step is one turn, from the centres drawn first until they rest.

Made by `gymnasium.make("ClusterPoints-v0", render_mode="rgb_array")`, as play.py does.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import gymnasium
import numpy as np

from agents.kmeans import nearest
from envs.engine.palette import BACKGROUND, WHITE
from stages.datasets.dataset import Array, Dataset, examples_of
from stages.viewers.maps import SIDE, draw_clusters

POINTS = 1_000  # drawn
HEADING = 44  # pixels above the points


class ClusteringViewer(gymnasium.Env[Array, Array]):
    """All points at once, as the agent that is watched has sorted them turn by turn."""

    def __init__(self, dataset: Dataset, plane: Array) -> None:
        self.metadata = {"render_modes": ["rgb_array"], "render_fps": 1}
        self.render_mode = "rgb_array"
        self.observation_space = dataset.observation_space
        self.action_space = deepcopy(dataset.action_space)
        self._points = np.asarray(examples_of(dataset, "test").observations[:POINTS], np.float64)
        self._plane = plane
        self._history: Array = np.zeros((0, 1, self._points.shape[1]))
        self._turn = 0

    def watch(self, agent: Any) -> None:
        """Be told who sorts; one that has no history has sorted nothing yet."""
        self._history = getattr(agent, "history", self._history)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Array, dict[str, Any]]:
        super().reset(seed=seed)
        self._turn = 0
        return self._observation(), {"score": self._score()}

    def step(self, action: Array) -> tuple[Array, float, bool, bool, dict[str, Any]]:
        """The next turn, whatever is done; the reward is minus the mean squared distance."""
        self._turn += 1
        over = self._turn >= len(self._history) - 1
        score = self._score()
        return self._observation(), score, over, False, {"score": score}

    def _observation(self) -> Array:
        return np.asarray(self._points[0], np.float32)

    def _sorted(self) -> tuple[Array, Array]:
        """The centres of this turn, and which is nearest to each point."""
        if not len(self._history):
            return np.zeros((0, self._points.shape[1])), np.zeros(len(self._points), np.int64)
        centres = self._history[min(self._turn, len(self._history) - 1)]
        return centres, nearest(self._points, centres)

    def _score(self) -> float:
        centres, clusters = self._sorted()
        predictions = centres[clusters] if len(centres) else np.zeros_like(self._points)
        return -float(np.square(predictions - self._points).sum(1).mean())

    def render(self) -> Array:
        """Points in the colours of their clusters, and the centres: uint8 (side, side, 3)."""
        import pygame

        from envs.engine.drawing import pixels_of, write

        centres, clusters = self._sorted()
        surface = pygame.Surface((SIDE, SIDE + HEADING))
        surface.fill(BACKGROUND)
        draw_clusters(
            surface.subsurface((0, HEADING, SIDE, SIDE)),
            self._points @ self._plane.T,
            clusters,
            centres @ self._plane.T,
        )
        last = max(len(self._history) - 1, 0)
        words = f"turn {min(self._turn, last)} of {last}"
        words += ": the centres rest" if last and self._turn >= last else ""
        write(surface, words, (SIDE / 2, HEADING / 2), 34, WHITE, 0.5)
        return pixels_of(surface)
