"""Recorded games of a passive, a random and a competent player, on which rewards are tried.

They contain every event that the game's options allow. Recordings are cached on disk, so that a
trial need not wait for games.
"""

from __future__ import annotations

import contextlib
import copy
import hashlib
import importlib
import inspect
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from envs.engine.cache import cache_root, drop_oldest, whole_file
from envs.engine.game import Game
from rewards.check.events import GameEvents, Steps, events_of

GAMES = 8  # games of each player, and from each special start
STEPS = 1000  # most steps of an episode
SHORT = 10  # steps from a special start, at which an event is about to happen
TRIED = 2400  # steps that an interpreted term is tried on
OF_EACH = 60  # steps of each event among them, if so many are recorded
KEPT = 8  # recordings on disk, each of some megabytes
WHOLE = 4  # episodes of each player that are diagnosed step by step
SPECIAL_START = -1
NOTHING, RANDOM = "doing nothing", "random"
FOLDER = "recordings"

ARRAYS = (*Steps._fields, "player", "episode", "score")

Array = np.ndarray[Any, Any]
Arrays = dict[str, Array]


class Transitions(NamedTuple):
    """Steps of recorded games in the form that kernels take: three arrays of length n."""

    before: Any
    actions: Any
    after: Any


@dataclass(frozen=True, eq=False)
class Recording:
    """Steps of whole episodes of several players, and steps after special starts."""

    steps: Steps
    player: Array
    """(n,) index in `players`; `SPECIAL_START` after a special start."""
    episode: Array
    """(n,) number of the player's episode."""
    score: Array
    """(n,) the game's score after the step."""
    players: tuple[str, ...]
    """Names of the players, the best one last."""
    events: GameEvents
    options: Any
    """The game's options dataclass."""

    def rows(self, name: str) -> Array:
        """Return in which steps an event happens, (n,) bool."""
        return np.asarray(self.events.by_name()[name](self.steps, self.options))

    def diagnosed(self) -> Array:
        """Return indices of the steps that `check` shows, few enough for interpreted code."""
        return np.union1d(self.tried(), np.flatnonzero(self.whole()))

    def whole(self) -> Array:
        """Return which steps belong to the episodes that are diagnosed step by step, (n,) bool."""
        return np.asarray((self.player != SPECIAL_START) & (self.episode % GAMES < WHOLE))

    def tried(self) -> Array:
        """Return indices of about `TRIED` steps at most, with every event that is recorded."""
        chosen = np.zeros(len(self.player), np.bool_)
        kinds = [self.rows(name) for name in self.events.by_name()]
        for happens in (self.steps.terminated, *kinds):
            rows = np.flatnonzero(happens)
            chosen[rows[:: max(1, -(-len(rows) // OF_EACH))]] = True
        left = TRIED - int(chosen.sum())
        others = np.flatnonzero(~chosen)
        chosen[others[:: max(1, -(-len(others) // left))]] = True
        return np.flatnonzero(chosen)

    def transitions(self, rows: Any) -> Transitions:
        """Return some of the steps in the form that kernels take."""
        return Transitions(*(array[rows].view(np.ndarray) for array in self.steps[:3]))


def recorded_transitions(game: Game, options: dict[str, Any], rewards: str = "") -> Transitions:
    """Return some thousand recorded steps with every event that the module `rewards` defines.

    Raises:
        ValueError: if an option of the game has an impossible value.
    """
    recording = recorded(game, rewards, options)
    return recording.transitions(recording.tried())


def recorded(game: Game, rewards: str, options: dict[str, Any]) -> Recording:
    """Return the recording of a game with some options, from disk if it is there.

    Args:
        game: the definition.
        rewards: its module of rewards, which defines the events and special starts.
        options: of the environment; only the game's own options matter.

    Raises:
        ValueError: if an option has an impossible value.
    """
    chosen = _game_options(game, options)
    events, players = events_of(game, rewards), (NOTHING, RANDOM, *_rules(game))
    file = _file(game, events, chosen)
    arrays = _load(file)
    if arrays is None:
        arrays = _play(game, events, chosen, players)
        _save(file, arrays)
    before, after = (arrays[name].view(np.recarray) for name in ("before", "after"))
    steps = Steps(before, arrays["actions"], after, arrays["terminated"], arrays["truncated"])
    rest = arrays["player"], arrays["episode"], arrays["score"]
    return Recording(steps, *rest, players, events, chosen)


def is_recorded(game: Game, rewards: str, options: dict[str, Any]) -> bool:
    """Return whether the recording is on disk; arguments and errors as for `recorded`."""
    return _file(game, events_of(game, rewards), _game_options(game, options)).is_file()


def _game_options(game: Game, options: dict[str, Any]) -> Any:
    """Return the options dataclass of a game, from options of the environment."""
    names = game.option_names
    return game.make_options({name: options[name] for name in options if name in names})


def _rules(game: Game) -> dict[str, Any]:
    """Return the hand-written rules of a game, the best one last."""
    if not game.rules_module:
        return {}
    rules = importlib.import_module(game.rules_module).rules(game.action_space)
    return dict(reversed(rules.items()))


def _play(game: Game, events: GameEvents, options: Any, players: tuple[str, ...]) -> Arrays:
    """Play and record all games."""
    parts = [_episodes(game, options, k, {}, _player(game, name)) for k, name in enumerate(players)]
    almost_over = {"t": options.max_steps - 1}
    for fields in (almost_over, *events.starts(options)):
        with contextlib.suppress(ValueError):  # these options do not allow such a state
            parts.append(_episodes(game, options, SPECIAL_START, fields, _player(game, RANDOM)))
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _episodes(
    game: Game, options: Any, player: int, fields: dict[str, float], act: Callable[[Array], Array]
) -> Arrays:
    """Record one episode of each of `GAMES` games."""
    from envs.engine.batch import GameBatch

    batch = GameBatch(game, _NoReward(), GAMES, **vars(options))
    batch.reset(np.arange(GAMES), range(GAMES), fields)
    rows = np.arange(GAMES)
    parts: dict[str, list[Array]] = {name: [] for name in ARRAYS}
    for _ in range(SHORT if player == SPECIAL_START else STEPS):
        actions = game.actions(GAMES)
        actions[:] = act(batch.observations)
        ended = batch.step(actions)
        seen = (batch.before, actions, batch.states, batch.terminated, batch.truncated)
        labels = np.full(GAMES, player), player * GAMES + np.arange(GAMES), batch.scores
        for name, array in zip(ARRAYS, (*seen, *labels), strict=True):
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
    """Return the function from observations to actions of a player."""
    if name == RANDOM:
        space = copy.deepcopy(game.action_space)
        space.seed(0)
        return lambda observations: np.stack([space.sample() for _ in observations])
    if name == NOTHING:
        from_keys = game.action_from_keys
        nothing = from_keys(()) if from_keys else game.actions(1)[0]
        return lambda observations: nothing
    rule: Callable[[Array], Array] = _rules(game)[name]
    return rule


def _file(game: Game, events: GameEvents, options: Any) -> Path:
    """Return the file of a recording; its name changes with the code that recorded it."""
    here = Path(__file__)
    sources = {
        here,
        *(here.parents[2] / "envs").rglob("*.py"),
        *(Path(inspect.getfile(function)) for function in (game.step, events.starts)),
    }
    digest = hashlib.sha256(f"{np.__version__} {game.name} {options}".encode())
    digest.update(f"{game.action_space}".encode())
    for source in sorted(sources):
        digest.update(source.read_bytes())
    root = cache_root(os.environ.get("NUMBA_CACHE_DIR"))
    return root.with_name(FOLDER) / f"{game.name}-{digest.hexdigest()[:16]}.npz"


def _load(file: Path) -> Arrays | None:
    """Return the arrays in `file`; None if it is missing or broken."""
    if not file.is_file():  # a pipe would wait for ever
        return None
    try:
        with np.load(file, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in ARRAYS}
    except Exception:  # damaged bytes fail in NumPy, zipfile and zlib in many ways
        return None


def _save(file: Path, arrays: Arrays) -> None:
    """Save the arrays for the next trial, if the disk can be written."""
    with contextlib.suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        drop_oldest(file.parent, KEPT - 1)
        with whole_file(file) as opened:
            np.savez(opened, **arrays)  # type: ignore[arg-type]
