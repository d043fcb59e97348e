"""Recorded games: what doing nothing, chance and those who can do make of them.

Rewards are tried on these. Every kind of moment is among them, as far as the game's options allow
it at all. Recordings are kept on disk, since a trial shall not have to wait for games.
"""

from __future__ import annotations

import contextlib
import copy
import hashlib
import importlib
import inspect
import os
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from envs.engine.cache import cache_root, drop_oldest
from envs.engine.game import Game
from rewards.check.events import Moments, Steps, moments_of

GAMES = 8  # of each player, and from each start
STEPS = 1000  # of an episode, at most
SHORT = 10  # steps from a start at which something is about to happen
TRIED = 2400  # steps that an interpreted term is tried on
OF_EACH = 60  # steps of each moment that are among them for certain
KEPT = 8  # recordings on disk, of some megabytes each
WHOLE = 4  # episodes of each player of which all steps are looked at
STAGED = -1
NOTHING, CHANCE = "doing nothing", "chance"
FOLDER = "recordings"

ARRAYS = (*Steps._fields, "player", "episode", "score")

Array = np.ndarray[Any, Any]
Arrays = dict[str, Array]


@dataclass(frozen=True, eq=False)
class Recording:
    """Steps of whole episodes of several players, and some of staged ones."""

    steps: Steps
    player: Array
    """(n,) index of who plays in `players`; `STAGED` where something was about to happen."""
    episode: Array
    """(n,) of this player."""
    score: Array
    """(n,) the game's yardstick after the step."""
    players: tuple[str, ...]
    """Who plays, the best last."""
    moments: Moments
    options: Any
    """The game's options dataclass."""

    def rows(self, name: str) -> Array:
        """(n,) bool: in which steps a moment happens."""
        return np.asarray(self.moments.by_name()[name](self.steps, self.options))

    def looked_at(self) -> Array:
        """Rows of steps that are paid for, as many as interpreted code can do in a moment."""
        return np.union1d(self.tried(), np.flatnonzero(self.whole()))

    def whole(self) -> Array:
        """(n,) bool: the steps of episodes of which all are looked at."""
        return np.asarray((self.player != STAGED) & (self.episode % GAMES < WHOLE))

    def tried(self) -> Array:
        """Rows of steps, at most `TRIED`, among which is every kind of moment that is recorded."""
        chosen = np.zeros(len(self.player), np.bool_)
        kinds = [self.rows(name) for name in self.moments.by_name()]
        for happens in (self.steps.terminated, *kinds):
            rows = np.flatnonzero(happens)
            chosen[rows[:: max(1, -(-len(rows) // OF_EACH))]] = True
        left = TRIED - int(chosen.sum())
        others = np.flatnonzero(~chosen)
        chosen[others[:: max(1, -(-len(others) // left))]] = True
        return np.flatnonzero(chosen)


def recorded(game: Game, rewards: str, options: dict[str, Any]) -> Recording:
    """The recording of a game with some options, from disk if there is one.

    Args:
        game: the definition.
        rewards: its module of rewards, which has the moments and starts.
        options: of the environment; those that are not the game's own do not matter.

    Raises:
        ValueError: for an impossible option.
    """
    names = game.option_names
    chosen = game.make_options({name: options[name] for name in options if name in names})
    moments, players = moments_of(game, rewards), (NOTHING, CHANCE, *_rules(game))
    file = _file(game, moments, chosen)
    arrays = _load(file)
    if arrays is None:
        arrays = _play(game, moments, chosen, players)
        _save(file, arrays)
    before, after = (arrays[name].view(np.recarray) for name in ("before", "after"))
    steps = Steps(before, arrays["actions"], after, arrays["terminated"], arrays["truncated"])
    rest = arrays["player"], arrays["episode"], arrays["score"]
    return Recording(steps, *rest, players, moments, chosen)


def _rules(game: Game) -> dict[str, Any]:
    """The rules by which a person would play this game, the best last."""
    if not game.rules_module:
        return {}
    rules = importlib.import_module(game.rules_module).rules(game.action_space)
    return dict(reversed(rules.items()))


def _play(game: Game, moments: Moments, options: Any, players: tuple[str, ...]) -> Arrays:
    """Record anew."""
    parts = [_episodes(game, options, k, {}, _player(game, who)) for k, who in enumerate(players)]
    almost_over = {"t": options.max_steps - 1}
    for fields in (almost_over, *moments.starts(options)):
        with contextlib.suppress(ValueError):  # there is no such state with these options
            parts.append(_episodes(game, options, STAGED, fields, _player(game, CHANCE)))
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _episodes(
    game: Game, options: Any, player: int, fields: dict[str, float], act: Callable[[Array], Array]
) -> Arrays:
    """One episode of each of `GAMES` games, as far as it is recorded."""
    from envs.engine.batch import GameBatch

    batch = GameBatch(game, _NoReward(), GAMES, **vars(options))
    batch.reset(np.arange(GAMES), range(GAMES), fields)
    rows = np.arange(GAMES)
    parts: dict[str, list[Array]] = {name: [] for name in ARRAYS}
    for _ in range(SHORT if player == STAGED else STEPS):
        actions = game.actions(GAMES)
        actions[:] = act(batch.observations)
        ended = batch.step(actions)
        seen = (batch.before, actions, batch.states, batch.terminated, batch.truncated)
        who = np.full(GAMES, player), player * GAMES + np.arange(GAMES), batch.scores
        for name, array in zip(ARRAYS, (*seen, *who), strict=True):
            parts[name].append(array[rows])
        rows = np.setdiff1d(rows, ended)
        if not rows.size:
            break
        batch.restart(ended)
    return {name: np.concatenate(arrays) for name, arrays in parts.items()}


class _NoReward:
    names: tuple[str, ...] = ()

    def __call__(self, before: Any, actions: Any, after: Any, terms: list[Any], total: Any) -> None:
        """Pay nothing."""


def _player(game: Game, name: str) -> Callable[[Array], Array]:
    """What a player does for observations."""
    if name == CHANCE:
        space = copy.deepcopy(game.action_space)
        space.seed(0)
        return lambda observations: np.stack([space.sample() for _ in observations])
    if name == NOTHING:
        nothing = game.by_hand(()) if game.by_hand else game.actions(1)[0]  # no key is pressed
        return lambda observations: nothing
    rule: Callable[[Array], Array] = _rules(game)[name]
    return rule


def _file(game: Game, moments: Moments, options: Any) -> Path:
    """Where a recording is kept: any edit of what made it gives another name."""
    here = Path(__file__)
    sources = {
        here,
        *(here.parents[2] / "envs").rglob("*.py"),
        *(Path(inspect.getfile(function)) for function in (game.step, moments.starts)),
    }
    digest = hashlib.sha256(f"{np.__version__} {game.name} {options}".encode())
    digest.update(f"{game.action_space}".encode())
    for source in sorted(sources):
        digest.update(source.read_bytes())
    root = cache_root(os.environ.get("NUMBA_CACHE_DIR"))
    return root.with_name(FOLDER) / f"{game.name}-{digest.hexdigest()[:16]}.npz"


def _load(file: Path) -> Arrays | None:
    """The arrays in `file`; None if it is not there or broken."""
    try:
        with np.load(file, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in ARRAYS}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None


def _save(file: Path, arrays: Arrays) -> None:
    """Keep the arrays for the next time, if the disk can be written."""
    with contextlib.suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        drop_oldest(file.parent, KEPT - 1)
        with tempfile.NamedTemporaryFile(dir=file.parent, delete=False) as temporary:
            np.savez(temporary, **arrays)  # type: ignore[arg-type]
        Path(temporary.name).replace(file)
