"""Training curves: means over blocks of about 100 episodes that began one after the other.

The obvious curve, a mean over the last 100 episodes that ended, is biased: environments start
together, so short episodes end first, and while a policy improves, its long episodes are still
running. Here an episode belongs to a block from its start. A block becomes a point once all of its
episodes and all blocks before have ended, and its point stands at the step at which they began.
So every episode counts once, at a place that does not depend on how it went on.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from envs.engine.batch import TERM_PREFIX
from training.vector_runner import Episodes

BLOCK = 100
"""Least number of episodes in a block; those that begin at the same step are never divided."""


class TrainingCurves:
    """Turns the training episodes of `count` environments into points of curves."""

    def __init__(self, count: int) -> None:
        self._count = count
        self.begin(0)

    def begin(self, step: int) -> None:
        """Start over: all environments begin new episodes at `step`."""
        self.means: dict[str, float] = {}
        """Means over the newest block, by TensorBoard tag; empty before the first point."""
        self._blocks = np.zeros(self._count, np.int64)  # of each environment's running episode
        self._newest = 0
        self._waiting = {0: _new_block(step, self._count)}

    def add(self, episodes: Episodes, step: int) -> list[tuple[int, dict[str, float]]]:
        """Count episodes that ended at `step`, where others begin; return new points in order.

        A point is the step at which its episodes began, and their means by TensorBoard tag.
        """
        columns = {
            "task/score": episodes.scores,
            "rollout/ep_rew_mean": episodes.returns,
            "rollout/ep_len_mean": episodes.lengths,
            **{TERM_PREFIX + name: sums for name, sums in episodes.terms.items()},
        }
        if episodes.terms:
            columns[f"{TERM_PREFIX}weighted_sum"] = episodes.returns
        blocks = self._blocks[episodes.rows]
        for number in np.unique(blocks).tolist():
            inside, block = blocks == number, self._waiting[number]
            block["running"] -= int(inside.sum())
            for tag, values in columns.items():
                block["sums"][tag] = block["sums"].get(tag, 0.0) + float(values[inside].sum())
        self._start(episodes.rows, step)
        points = []
        while (block := self._waiting[min(self._waiting)])["running"] == 0:
            del self._waiting[min(self._waiting)]
            self.means = {tag: total / block["episodes"] for tag, total in block["sums"].items()}
            points.append((block["step"], self.means))
        return points

    def _start(self, rows: Any, step: int) -> None:
        """Put the episodes that begin in environments `rows` into the newest block."""
        if self._waiting[self._newest]["episodes"] >= BLOCK:
            self._newest += 1
            self._waiting[self._newest] = _new_block(step, 0)
        block = self._waiting[self._newest]
        block["step"] = step
        block["episodes"] += len(rows)
        block["running"] += len(rows)
        self._blocks[rows] = self._newest

    def checkpoint(self) -> dict[str, Any]:
        """Return everything that later points depend on, as JSON can hold it."""
        return {
            "means": self.means,
            "blocks": self._blocks.tolist(),
            "newest": self._newest,
            "waiting": sorted(self._waiting.items()),
        }

    def restore(self, saved: dict[str, Any]) -> None:
        """Continue from a checkpoint."""
        self.means, self._newest = saved["means"], saved["newest"]
        self._blocks = np.array(saved["blocks"], np.int64)
        self._waiting = dict(saved["waiting"])


def _new_block(step: int, episodes: int) -> dict[str, Any]:
    return {"step": step, "episodes": episodes, "running": episodes, "sums": {}}
