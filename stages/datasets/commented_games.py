"""The games that are commented on, and their unskilled players, to whom many things happen.

A game is described twice a second and at its end.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np

from envs.bicycle.rules import ride
from envs.engine.game import load_game
from envs.paddle.rules import follow
from envs.registry import GAMES
from rewards.make import make_vector
from stages.datasets.commentator import Remark, of_paddle, of_ride
from stages.datasets.dataset import Array
from stages.datasets.grammar import sentence

PARALLEL = 256  # games of one kind that are played together
MOST_REMARKS = 24  # on one game
STAY = 1
TREMBLING = 0.5  # standard deviation, as a share of the largest torque

Player = Callable[[Array, Array, np.random.Generator], Array]


def sleepy(observations: Array, skills: Array, generator: np.random.Generator) -> Array:
    """Return paddle actions that follow the ball in a share of the steps, by `skills` in 0..1."""
    awake = generator.random(len(observations)) < 0.2 + 0.4 * skills
    return np.where(awake, follow(observations), STAY)


def weak(observations: Array, skills: Array, generator: np.random.Generator) -> Array:
    """Return bicycle actions in the right direction, but too weak and with noise."""
    controls = ride(observations)
    trembling = TREMBLING * generator.standard_normal(len(observations))
    controls[:, 0] = controls[:, 0] * (0.1 + 0.5 * skills) + trembling
    return np.clip(controls, (-1, 0, 0), 1).astype(np.float32)


@dataclass(frozen=True)
class CommentedGame:
    """A game, its player and its commentator."""

    name: str
    """Name in `envs.registry.GAMES`."""
    play: Player
    """play(observations, skills, generator): actions."""
    describe: Callable[[Any, Any], Remark]
    """describe(before, now): remark on two states; `before` is None at the start."""

    @functools.cached_property
    def pace(self) -> int:
        """Number of steps between two remarks."""
        return load_game(GAMES[self.name].target, {})[0].steps_per_second // 2


COMMENTED_GAMES = {
    "paddle": CommentedGame("paddle", sleepy, of_paddle),
    "bicycle": CommentedGame("bicycle", weak, of_ride),
}
BOTH = "both"


def fields(record: Any) -> SimpleNamespace:
    """Return the fields of a state as plain numbers, which are much faster to read."""
    return SimpleNamespace(**dict(zip(record.dtype.names, record.item(), strict=True)))


@functools.lru_cache(maxsize=8)  # tokenizers and datasets of both languages need the same games
def remarks_on(game: CommentedGame, seed: tuple[int, ...]) -> Sequence[Sequence[Remark]]:
    """Play `PARALLEL` games and return the remarks on each, from its start to its end."""
    generator = np.random.default_rng(seed)
    batch = make_vector(game.name, num_envs=PARALLEL).batch
    seeds = generator.integers(2**62, size=PARALLEL).tolist()
    batch.reset(np.arange(PARALLEL), seeds)
    skills = generator.random(PARALLEL)
    last = [fields(state) for state in batch.states]
    remarks = [[game.describe(None, state)] for state in last]
    running = np.ones(PARALLEL, np.bool_)
    for t in range(1, MOST_REMARKS * game.pace + 1):
        actions = game.play(batch.observations, skills, generator)
        batch.step(np.ascontiguousarray(actions))
        ended = running & batch.terminated
        described = running if t % game.pace == 0 else ended
        states = batch.states
        for i in np.flatnonzero(described):
            now = fields(states[i])
            remarks[i].append(game.describe(last[i], now))
            last[i] = now
        running &= ~ended
        if not running.any():
            break
    return remarks


def commentaries(game: str, language: str, seed: int) -> Iterator[list[tuple[str, int | None]]]:
    """Yield one game after the other, endlessly: its sentences, each with its verdict.

    `game` is a name in `COMMENTED_GAMES`, or `BOTH`, which alternates. Same seed, same text.
    """
    names = list(COMMENTED_GAMES) if game == BOTH else [game]
    chunk = 0
    while True:
        generator = np.random.default_rng((seed, chunk, len(COMMENTED_GAMES)))
        played = [
            remarks_on(COMMENTED_GAMES[name], (seed, chunk, k)) for k, name in enumerate(names)
        ]
        for one_of_each in zip(*played, strict=True):
            for remarks in one_of_each:
                yield [
                    (sentence(event, facts, language, generator), verdict)
                    for event, facts, verdict in remarks
                ]
        chunk += 1
