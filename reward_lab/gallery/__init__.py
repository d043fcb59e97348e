"""The gallery of rewards that look right and go wrong, with their repairs.

`HACKS` lists them, `trials.py` trains agents on them, and `results/` holds the outcomes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import rewards.gallery
from envs.registry import GAMES
from training.presets import ANY, preset

REWARDS = Path(rewards.gallery.__file__).parent
RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Hack:
    """A reward that looks right and goes wrong, and a reward that does not."""

    name: str
    """Name of its file in `rewards/gallery`, and of its texts."""
    repair: str
    """Name of the file in `rewards/gallery/repairs`."""
    env: str = "paddle"
    """Short name of the game."""
    env_options: Mapping[str, Any] = field(default_factory=dict)
    steps: int = 200_000
    """Environment steps after which it has gone wrong."""

    @property
    def file(self) -> Path:
        """The reward."""
        return REWARDS / f"{self.name}.py"

    @property
    def repair_file(self) -> Path:
        """The repaired reward."""
        return REWARDS / "repairs" / f"{self.repair}.py"

    @property
    def solved_score(self) -> float:
        """Mean score at which the game counts as solved."""
        game = GAMES[self.env]
        settings = preset(game.env_id, ANY, dict(self.env_options))
        return float(settings.get("solved_score", game.solved_score) or 1.0)


HACKS = (
    Hack("near_the_ball", "near_and_hit"),
    Hack("little_effort", "less_effort"),
    Hack("hurry", "hit_or_miss"),
    Hack("keep_high", "hit_or_miss"),
    Hack("wrong_way_up", "hit_or_miss"),
    Hack("just_upright", "keep_speed", "bicycle"),
    Hack("many_metres", "keep_speed", "bicycle"),
    Hack("other_units", "keep_speed", "bicycle"),
    Hack("squared_error", "keep_speed", "bicycle"),
    Hack("hidden_term", "upright_and_speed", "bicycle"),
    Hack("surprises", "upright_and_speed", "bicycle"),
    Hack("corrections", "upright_and_speed", "bicycle"),
)
