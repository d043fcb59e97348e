"""The settings of a run, as config.json keeps them."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import platform
from dataclasses import dataclass, field
from typing import Any

from agents import settings_type
from training.run_folder import RunError

PACKAGES = ("gymnasium", "numpy", "numba", "torch", "tensorboard", "pygame-ce", "safetensors")

CHANGEABLE = (
    "steps",
    "device",
    "threads",
    "eval_every",
    "eval_episodes",
    "solved_score",
    "video_frames",
)
"""What a resumed run may have otherwise than before."""
KINDS: dict[str, Any] = {
    **dict.fromkeys(("env", "agent", "device"), str),
    **dict.fromkeys(
        ("seed", "steps", "num_envs", "threads", "eval_every", "eval_episodes", "video_frames"), int
    ),
    **dict.fromkeys(("settings", "env_options"), dict),
    "reward": str | None,
    "solved_score": int | float | None,
    "pretrained": str | None,
    "freeze": bool,
}
"""What the entries of config.json have to be."""

LATER = {"threads": 1, "video_frames": 50, "pretrained": None, "freeze": False}
"""Entries that runs of earlier versions lack."""


@dataclass(frozen=True)
class RunConfig:
    """Everything that decides what a run computes."""

    env: str
    """Gymnasium id."""
    agent: str
    """Name in `envs.registry.AGENTS`."""
    reward: str | None
    """Weighted sum of reward terms; None for environments that have their own reward."""
    seed: int
    steps: int
    """Environment steps after which training stops."""
    num_envs: int
    device: str
    settings: Any
    """The agent's hyperparameters, an instance of its settings dataclass."""
    env_options: dict[str, Any] = field(default_factory=dict)
    """Further arguments of `gymnasium.make`."""
    solved_score: float | None = None
    """Mean evaluation score at which training stops early."""
    eval_every: int = 50_000
    """Environment steps between evaluations."""
    eval_episodes: int = 100
    """Episodes of each evaluation."""
    video_frames: int = 50
    """Frames of the video that each evaluation adds to TensorBoard; 0: no pictures at all."""
    threads: int = 1
    """Of torch: another number adds up in another order, so that the last bits differ."""
    pretrained: str | None = None
    """Folder of the run with whose body it began."""
    freeze: bool = False
    """Did its body stay as it began?"""

    @property
    def make_options(self) -> dict[str, Any]:
        """Arguments of `gymnasium.make` and `make_vec` beside the id."""
        return self.env_options | ({} if self.reward is None else {"reward": self.reward})

    def to_json(self, command: str) -> dict[str, Any]:
        """For config.json, with the exact command and the versions it ran under."""
        versions = {name: importlib.metadata.version(name) for name in PACKAGES}
        return {
            **{f.name: getattr(self, f.name) for f in dataclasses.fields(self)},
            "settings": dataclasses.asdict(self.settings),
            "command": command,
            "versions": {"python": platform.python_version(), **versions},
        }

    @classmethod
    def from_json(cls, content: Any) -> RunConfig:
        """Read what `to_json` wrote.

        Raises:
            RunError: if something is missing or of the wrong kind.
        """
        try:
            content = {**LATER, **content}
            values = {f.name: content[f.name] for f in dataclasses.fields(cls)}
            for name, kind in KINDS.items():
                if not isinstance(values[name], kind):
                    raise ValueError(f"`{name}` cannot be {values[name]!r}")
            values["settings"] = settings_type(values["agent"])(**values["settings"])
        except (KeyError, TypeError, ValueError) as error:
            raise RunError(f"config.json is not one that this version can read: {error}") from None
        return cls(**values)
