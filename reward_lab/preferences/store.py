"""The folder preferences/NAME: everything that `python -m rewards prefer` needs to continue.

settings.json         what the session was started with
pairs.safetensors     the pairs of clips asked about so far
progress.json         the answers so far, and how each round ended
reward.safetensors    the learned reward, see `rewards.learned`
ENV_AGENT_SEED_DATE/  the run folder of the agent
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import numpy as np
import torch

from envs.engine.game import Game
from reward_lab.preferences.clips import Clips
from reward_lab.preferences.teacher import Answer
from rewards.learned import FILE, LearnedReward, learned_bytes
from training.checked import Count, checked
from training.run_folder import (
    CONFIG,
    RunError,
    atomic_path,
    read_json,
    read_tensors,
    write_json,
    write_tensors,
)

SETTINGS = "settings.json"
PAIRS = "pairs.safetensors"
PROGRESS = "progress.json"
NAMES = ("states", "actions", "steps", "over")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What decides the course of a session."""

    env: str
    """Name of the game in `envs.registry.GAMES`."""
    env_options: dict[str, Any]
    """Options of the game."""
    teacher: Literal["you", "score"]
    """Source of the answers."""
    mistakes: Annotated[float, msgspec.Meta(ge=0.0, le=1.0)]
    """Share of wrong answers of the teacher `score`."""
    comparisons: Annotated[int, msgspec.Meta(ge=1, le=100_000)]
    """Number of comparisons."""
    clip_seconds: Annotated[float, msgspec.Meta(gt=0.0, le=60.0)]
    """Length of a clip at the game's speed."""
    steps: Annotated[int, msgspec.Meta(ge=1, le=10**12)]
    """Total number of steps of the agent."""
    seed: Annotated[int, msgspec.Meta(ge=0, le=2**32 - 1)]
    """Seed of all random numbers."""


@dataclass(frozen=True)
class Round:
    """How a round of comparisons ended."""

    steps: Count
    """Environment steps of the agent when the pairs were recorded."""
    comparisons: Count
    """Number of answers so far."""
    held_out_accuracy: float | None
    """Share of answers predicted by networks not trained on them; None if there are none."""
    score: float | None
    """Mean score of the agent's newest evaluation, which the reward never sees."""


@dataclass
class Progress:
    """Answers and rounds so far."""

    answers: list[Answer] = field(default_factory=list)
    rounds: list[Round] = field(default_factory=list)


class Store:
    """Reads and writes the files of a session; no file is ever half written."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def settings(self) -> Settings:
        """Return the settings.

        Raises:
            RunError: if the folder holds no session, or they are damaged.
        """
        if not self.folder.is_dir():
            raise RunError(f"there is no folder {self.folder}")
        if not (self.folder / SETTINGS).exists():
            raise RunError(f"{self.folder} has no {SETTINGS}: it holds no comparisons to continue")
        return checked(read_json(self.folder / SETTINGS), Settings, str(self.folder / SETTINGS))

    def write_settings(self, settings: Settings) -> None:
        """Write the settings."""
        write_json(self.folder / SETTINGS, asdict(settings))

    def progress(self) -> Progress:
        """Return the answers and rounds so far."""
        path = self.folder / PROGRESS
        return checked(read_json(path), Progress, str(path)) if path.exists() else Progress()

    def write_progress(self, progress: Progress) -> None:
        """Write the answers and rounds so far."""
        write_json(self.folder / PROGRESS, asdict(progress))

    def write_reward(self, reward: LearnedReward) -> None:
        """Write the learned reward, as `rewards.learned.load_learned` reads it."""
        with atomic_path(self.folder / FILE) as temporary:
            temporary.write_bytes(learned_bytes(reward))

    def run_folder(self) -> Path | None:
        """Return the run folder of the agent, or None before there is one."""
        return next((each.parent for each in sorted(self.folder.glob(f"*/{CONFIG}"))), None)

    def write_pairs(self, clips: Clips) -> None:
        """Write all clips asked about so far."""
        arrays = dict(zip(NAMES, clips.arrays, strict=True))
        arrays["states"] = np.ascontiguousarray(clips.states).view(np.uint8)
        tensors = {name: torch.from_numpy(each.copy()) for name, each in arrays.items()}
        write_tensors(self.folder / PAIRS, tensors, {})

    def pairs(self, game: Game, length: int) -> Clips | None:
        """Return all clips asked about so far, or None if there are none.

        Raises:
            RunError: if they are damaged.
        """
        path = self.folder / PAIRS
        if not path.exists():
            return None
        tensors, _ = read_tensors(path)
        try:
            arrays = {name: tensors[name].numpy().copy() for name in NAMES}
            states = arrays["states"].view(game.states(0).dtype)
            clips = Clips(states, arrays["actions"], arrays["steps"], arrays["over"])
        except (KeyError, ValueError) as error:
            raise RunError(f"{path} is damaged: {error}") from None
        like, count = game.actions(1), len(clips)
        fits = (
            states.shape == (count, length + 1)
            and clips.actions.shape == (count, length, *like.shape[1:])
            and clips.steps.shape == clips.over.shape == (count,)
            and clips.actions.dtype.kind == like.dtype.kind
            and (clips.steps.dtype.kind, clips.over.dtype.kind) == ("i", "b")
            and bool(((clips.steps >= 1) & (clips.steps <= length)).all())
        )
        if not fits:
            raise RunError(f"{path} is damaged: its clips are of another game or length")
        return clips
