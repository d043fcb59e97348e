"""Training curves: means over blocks of about 100 episodes that began one after the other.

The obvious curve, a mean over the last 100 episodes that ended, is biased: environments start
together, so short episodes end first, and while a policy improves, its long episodes are still
running. Here an episode belongs to a block from its start. A block becomes a point once all of its
episodes and all earlier blocks have ended, and its point is plotted at the step at which they
began. So every episode counts once, at a place that does not depend on its outcome.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from envs.engine.batch import TERM_PREFIX
from training.checked import Count, checked
from training.vector_runner import Episodes

LEAST_EPISODES = 100
"""Least number of episodes in a block; those that begin at the same step are never divided."""
ROUNDING = 1e-9  # of a variance, relative to the mean square: what floats make of no variance
TAGS = ("task/score", "rollout/ep_rew_mean", "rollout/ep_len_mean")


@dataclass
class Block:
    """Episodes that began one after the other."""

    step: Count
    """Step at which the last of them began."""
    episodes: Count
    """Number of episodes that began."""
    running: Count
    """Number of episodes that have not ended."""
    sums: list[float]
    """Sums over the episodes that ended: of `TAGS`, of the reward terms, and of `_more`. Blocks
    that began in an earlier version lack the last ones."""


@dataclass
class SavedCurves:
    """Everything that later points depend on."""

    means: dict[str, float]
    """See `TrainingCurves.means`."""
    numbers: list[Count]
    """Block of the running episode of each environment."""
    oldest: Count
    """Number of the first of `blocks`."""
    blocks: list[Block] = field(default_factory=list)


class TrainingCurves:
    """Turns the training episodes of `count` environments into points of curves."""

    def __init__(self, count: int) -> None:
        self._count = count
        self.begin(0)

    def begin(self, step: int) -> None:
        """Start over: all environments begin new episodes at `step`."""
        self.means: dict[str, float] = {}
        """Means over the newest finished block, by TensorBoard tag; empty before the first one."""
        self._numbers = np.zeros(self._count, np.int64)  # block of each running episode
        self._blocks = {0: Block(step, self._count, self._count, [])}
        self._oldest = self._newest = 0

    def add(self, episodes: Episodes, step: int) -> list[tuple[int, dict[str, float]]]:
        """Count episodes that ended at `step`; return new points (start, means by tag)."""
        names = sorted(episodes.terms)  # a resumed run may hold them in another order
        terms = [episodes.terms[name] for name in names]
        more = _more(episodes)
        columns = np.array([episodes.scores, episodes.returns, episodes.lengths, *terms, *more])
        numbers = self._numbers[episodes.rows]
        for number in set(numbers.tolist()):
            inside, block = numbers == number, self._blocks[number]
            block.running -= int(np.count_nonzero(inside))
            found = (columns @ inside).tolist()
            known = block.sums or [0.0] * len(found)
            block.sums = [a + b for a, b in zip(known, found, strict=False)]
        self._start(episodes.rows, step)
        points = []
        while (block := self._blocks[self._oldest]).running == 0:
            del self._blocks[self._oldest]
            self._oldest += 1
            self.means = self._means(block, names)
            points.append((block.step, self.means))
        return points

    def _start(self, rows: Any, step: int) -> None:
        """Put the episodes that begin in environments `rows` into the newest block."""
        if self._blocks[self._newest].episodes >= LEAST_EPISODES:
            self._newest += 1
            self._blocks[self._newest] = Block(step, 0, 0, [])
        block = self._blocks[self._newest]
        block.step = step
        block.episodes += len(rows)
        block.running += len(rows)
        self._numbers[rows] = self._newest

    @staticmethod
    def _means(block: Block, terms: list[str]) -> dict[str, float]:
        tags = [*TAGS, *(TERM_PREFIX + name for name in terms)]
        found = [total / block.episodes for total in block.sums]
        means, more = dict(zip(tags, found, strict=False)), found[len(tags) :]
        mean, length = means["rollout/ep_rew_mean"], means["rollout/ep_len_mean"]
        if terms:
            means[f"{TERM_PREFIX}weighted_sum"] = mean
        if len(more) < 4:
            return means
        squares, length_squares, products, terminated = more
        variance, length_variance = squares - mean * mean, length_squares - length * length
        means["rollout/ep_rew_std"] = math.sqrt(max(variance, 0.0))
        means["rollout/ep_terminated"] = terminated
        if variance > ROUNDING * squares and length_variance > ROUNDING * length_squares:
            covariance = products - mean * length
            correlation = covariance / math.sqrt(variance * length_variance)
            means["rollout/ep_len_rew_corr"] = correlation
        return means

    def checkpoint(self) -> dict[str, Any]:
        """Return `SavedCurves` as JSON can hold it."""
        blocks = list(self._blocks.values())
        return asdict(SavedCurves(self.means, self._numbers.tolist(), self._oldest, blocks))

    def restore(self, content: Any) -> None:
        """Continue from a checkpoint.

        Raises:
            ValueError: if it is damaged, or of another number of environments.
        """
        saved = checked(content, SavedCurves, "curves")
        numbers = np.array(saved.numbers, np.int64) - saved.oldest
        known = (numbers >= 0) & (numbers < len(saved.blocks))
        running = np.bincount(numbers[known], minlength=len(saved.blocks)).tolist()
        if known.sum() != self._count or running != [block.running for block in saved.blocks]:
            raise ValueError("curves: blocks and environments do not agree")
        self.means, self._oldest, self._numbers = saved.means, saved.oldest, numbers + saved.oldest
        self._blocks = {saved.oldest + k: block for k, block in enumerate(saved.blocks)}
        self._newest = saved.oldest + len(saved.blocks) - 1


def _more(episodes: Episodes) -> tuple[Any, ...]:
    """Return what the spread of returns and their correlation with lengths are computed from."""
    returns, lengths = episodes.returns, episodes.lengths.astype(np.float64)
    return np.square(returns), np.square(lengths), returns * lengths, episodes.terminated
