"""Films: an agent plays the beginning of one episode, as drawing operations for the page."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np

from agents.agent import Agent
from envs.engine.canvas import film_frame
from envs.engine.game import load_game
from envs.engine.render import load_view
from envs.registry import GAMES, entry_of
from training.evaluation import evaluate
from training.recorded_episodes import RecordedEpisodes
from training.run_folder import atomic_path

SIDE = 480
"""Width and height in the units of the operations."""
FRAMES_PER_SECOND = 30
SECONDS = 10


def film_of(agent: Agent, env_id: str, env_options: dict[str, Any], seed: int) -> dict[str, Any]:
    """Let an agent play up to `SECONDS`, without a user's reward; return the film, as JSON.

    The agent does not change.
    """
    shortened = env_options | {"max_steps": _most_steps(env_id, env_options)}
    played = evaluate(agent, env_id, shortened, 1, seed, record_as="agent")
    assert played.recorded is not None, "all games are recorded"
    return film_of_episode(played.recorded)


def _most_steps(env_id: str, env_options: dict[str, Any]) -> int:
    """Return the length of an episode that a film shows to its end."""
    entry = entry_of(env_id, GAMES)
    assert entry is not None, "only games are filmed"
    game, given = load_game(entry.target, env_options)
    usual = game.make_options({k: v for k, v in given.items() if k in game.option_names})
    return min(int(usual.max_steps), SECONDS * game.steps_per_second)


def film_of_episode(episodes: RecordedEpisodes) -> dict[str, Any]:
    """Return the film of the first of some recorded episodes."""
    game = episodes.game
    states = episodes.states_of(0).view(np.recarray)
    ratio = game.steps_per_second / FRAMES_PER_SECOND
    count = min(SECONDS * FRAMES_PER_SECOND, int(len(states) / ratio) + 1)
    chosen = np.minimum((np.arange(count) * ratio).round().astype(int), len(states) - 1)
    view = load_view(game)
    return {
        "side": SIDE,
        "fps": FRAMES_PER_SECOND,
        "score": float(game.score(states[chosen[-1]])),
        "frames": [film_frame(view, states[k], episodes.options, SIDE) for k in chosen],
    }


def write_film(file: Path, film: dict[str, Any]) -> None:
    """Write a film, compressed, as a whole or not at all.

    Raises:
        OSError: if it cannot be written.
    """
    text = json.dumps(film, separators=(",", ":"), allow_nan=False)
    with atomic_path(file) as temporary:
        temporary.write_bytes(gzip.compress(text.encode(), 6))
