"""Films: an agent plays the beginning of one episode, as drawing operations for the page."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np

from agents.agent import Agent
from envs.engine.film import FRAMES_PER_SECOND, LONGEST, film
from envs.engine.game import load_game
from envs.registry import GAMES, entry_of
from training.evaluation import evaluate
from training.run_folder import atomic_path


def film_of(agent: Agent, env_id: str, env_options: dict[str, Any], seed: int) -> dict[str, Any]:
    """Let an agent play, without a user's reward; return the film, as JSON, with its `score`.

    The agent does not change.
    """
    shortened = env_options | {"max_steps": _most_steps(env_id, env_options)}
    episodes = evaluate(agent, env_id, shortened, 1, seed, record_as="agent").recorded
    assert episodes is not None, "all games are recorded"
    states = episodes.states_of(0).view(np.recarray)
    found = film(episodes.game, episodes.options, list(states))
    return found | {"score": float(episodes.scores[0])}


def _most_steps(env_id: str, env_options: dict[str, Any]) -> int:
    """Return the length of an episode that a film shows to its end."""
    entry = entry_of(env_id, GAMES)
    assert entry is not None, "only games are filmed"
    game, given = load_game(entry.target, env_options)
    usual = game.make_options({k: v for k, v in given.items() if k in game.option_names})
    return min(int(usual.max_steps), LONGEST * game.steps_per_second // FRAMES_PER_SECOND)


def write_film(file: Path, content: dict[str, Any]) -> None:
    """Write a film, compressed, as a whole or not at all.

    Raises:
        OSError: if it cannot be written.
    """
    text = json.dumps(content, separators=(",", ":"), allow_nan=False)
    with atomic_path(file) as temporary:
        temporary.write_bytes(gzip.compress(text.encode(), 6))
