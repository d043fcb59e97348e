"""The scores that play.py prints at the end."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from playing.playback import Episode, Result
from training.messages import counted


@dataclass(frozen=True)
class Summary:
    """The finished episodes of a player."""

    env_id: str
    agent: str
    seed: int
    results: Sequence[Result]
    current: Episode
    """The episode that was played last, finished or not."""
    details: dict[str, Any]
    """Further entries of the JSON object."""

    def to_json(self) -> str:
        """Return one JSON object; its means are null if no episode was finished."""
        return json.dumps(
            {
                "env": self.env_id,
                "agent": self.agent,
                "seed": self.seed,
                **self.details,
                "episodes": len(self.results),
                "mean_score": self._mean("score"),
                "mean_return": self._mean("total_reward"),
                "mean_length": self._mean("length"),
                "scores": self._all("score"),
                "returns": self._all("total_reward"),
                "lengths": self._all("length"),
                "unfinished_episode": self._unfinished(),
            }
        )

    def __str__(self) -> str:
        """Return the scores as one line of text."""
        played = f"{self.agent} on {self.env_id}"
        if not self.results:
            episode, so_far = self.current, self.current.result
            steps = counted(episode.steps, "step")
            return (
                f"{played}: stopped in episode {episode.number + 1} after {steps}, before the "
                f"episode ended; score so far {so_far.score:.2f}, return so far "
                f"{so_far.total_reward:.2f}; seed {self.seed}"
            )
        episodes = counted(len(self.results), "episode")
        scores = self._all("score")
        return (
            f"{played}: {episodes}, mean score {self._mean('score'):.2f} (lowest {min(scores):g}, "
            f"highest {max(scores):g}), mean return {self._mean('total_reward'):.2f}, "
            f"mean length {self._mean('length'):.0f} steps; seed {self.seed}"
        )

    def _unfinished(self) -> dict[str, float] | None:
        """Return score, return and length so far of an episode that was shown but did not end."""
        episode, so_far = self.current, self.current.result
        if episode.over or not episode.steps:
            return None
        return {"score": so_far.score, "return": so_far.total_reward, "length": so_far.length}

    def _all(self, name: str) -> list[float]:
        return [getattr(result, name) for result in self.results]

    def _mean(self, name: str) -> float | None:
        return float(np.mean(self._all(name))) if self.results else None
