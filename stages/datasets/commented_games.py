"""The games that are commented on, and the clumsy who play them: all kinds of things happen.

A game is looked at twice a second, and at its end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np

from envs.bicycle.rules import ride
from envs.engine.game import load_game
from envs.paddle.rules import follow
from rewards.make import make_vector
from stages.datasets.commentator import Remark, of_paddle, of_ride
from stages.datasets.dataset import Array
from stages.datasets.grammar import sentence

AT_ONCE = 256  # games of each sport, side by side
LOOKS = 24  # at each game, at most
STAY = 1
TREMBLING = 0.5  # of the largest torque

Clumsy = Callable[[Array, Array, np.random.Generator], Array]


def sleepy(observations: Array, skills: Array, generator: np.random.Generator) -> Array:
    """Paddle: follows the ball now and then, the more often the higher `skills` (n,), 0..1."""
    awake = generator.random(len(observations)) < 0.2 + 0.4 * skills
    return np.where(awake, follow(observations), STAY)


def weak(observations: Array, skills: Array, generator: np.random.Generator) -> Array:
    """Bicycle: steers as one should, but too weakly and with trembling hands."""
    controls = ride(observations)
    trembling = TREMBLING * generator.standard_normal(len(observations))
    controls[:, 0] = controls[:, 0] * (0.1 + 0.5 * skills) + trembling
    return np.clip(controls, (-1, 0, 0), 1).astype(np.float32)


@dataclass(frozen=True)
class CommentedGame:
    """A game as commentators see it."""

    place: str
    """`module:attribute` of its `envs.engine.game.Game`, or of the function that makes it."""
    rewards: str
    """Module of its reward terms."""
    play: Clumsy
    describe: Callable[[Any, Any], Remark]

    @property
    def pace(self) -> int:
        """Steps from one look to the next."""
        return load_game(self.place, {})[0].steps_per_second // 2


COMMENTED_GAMES = {
    "paddle": CommentedGame("envs.paddle.game:GAME", "rewards.paddle", sleepy, of_paddle),
    "bicycle": CommentedGame("envs.bicycle.game:bicycle", "rewards.bicycle", weak, of_ride),
}
BOTH = "both"


def fields(record: Any) -> SimpleNamespace:
    """The fields of a state as plain numbers, which are many times as fast to read."""
    return SimpleNamespace(**dict(zip(record.dtype.names, record.item(), strict=True)))


def games(sport: CommentedGame, seed: tuple[int, ...]) -> list[list[Remark]]:
    """`AT_ONCE` games: what there was to be said of each, from its beginning to its end."""
    generator = np.random.default_rng(seed)
    batch = make_vector(sport.place, sport.rewards, num_envs=AT_ONCE).batch
    seeds = generator.integers(2**62, size=AT_ONCE).tolist()
    batch.reset(np.arange(AT_ONCE), seeds)
    skills = generator.random(AT_ONCE)
    seen = [fields(state) for state in batch.states]
    told = [[sport.describe(None, state)] for state in seen]
    running = np.ones(AT_ONCE, np.bool_)
    for t in range(1, LOOKS * sport.pace + 1):
        actions = sport.play(batch.observations, skills, generator)
        batch.step(np.ascontiguousarray(actions))
        ended = running & batch.terminated
        looked = running if t % sport.pace == 0 else ended
        for i in np.flatnonzero(looked):
            now = fields(batch.states[i])
            told[i].append(sport.describe(seen[i], now))
            seen[i] = now
        running &= ~ended
        if not running.any():
            break
    return told


def commentaries(sport: str, language: str, seed: int) -> Iterator[list[tuple[str, int | None]]]:
    """Game after game without an end: sentences, each with its verdict.

    Where both sports are asked for, they take turns.
    """
    wanted = list(COMMENTED_GAMES) if sport == BOTH else [sport]
    chunk = 0
    while True:
        generator = np.random.default_rng((seed, chunk, len(COMMENTED_GAMES)))
        chunks = [games(COMMENTED_GAMES[name], (seed, chunk, k)) for k, name in enumerate(wanted)]
        for together in zip(*chunks, strict=True):
            for remarks in together:
                yield [
                    (sentence(event, facts, language, generator), verdict)
                    for event, facts, verdict in remarks
                ]
        chunk += 1
