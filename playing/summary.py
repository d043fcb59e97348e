"""What is said at the end: the scores."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from playing.playback import Result


@dataclass(frozen=True)
class Summary:
    """The episodes that came to an end, and who played them."""

    env_id: str
    agent: str
    seed: int
    results: Sequence[Result]
    details: dict[str, Any]
    """What else belongs into the JSON object."""

    def to_json(self) -> str:
        """One JSON object; means are null where no episode came to an end."""
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
            }
        )

    def __str__(self) -> str:
        """The same in a line."""
        who = f"{self.agent} on {self.env_id}"
        if not self.results:
            return f"{who}: no episode came to its end"
        count = len(self.results)
        episodes = "1 episode" if count == 1 else f"{count} episodes"
        scores = self._all("score")
        return (
            f"{who}: {episodes}, mean score {self._mean('score'):.2f} (lowest {min(scores):g}, "
            f"highest {max(scores):g}), mean return {self._mean('total_reward'):.2f}, "
            f"mean length {self._mean('length'):.0f} steps; seed {self.seed}"
        )

    def _all(self, name: str) -> list[float]:
        return [getattr(result, name) for result in self.results]

    def _mean(self, name: str) -> float | None:
        return float(np.mean(self._all(name))) if self.results else None
