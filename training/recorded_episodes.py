"""Recorded episodes: the states and actions of whole episodes, from which any reward can be paid.

A file of them is a compressed .npz, which NumPy reads anywhere:

    lengths         (k,) int64, number of steps of each episode
    state/<field>   (steps + k,) each field of the game's state: episode after episode, and in each
                    one the state at the start, then the state after each step
    actions         (steps, ...)
    about           text: JSON with the environment, its options and who played

A file may be damaged or made by a stranger. It holds no pickle, sizes are checked before memory is
taken, and zip files have a checksum of each array.
"""

from __future__ import annotations

import json
import math
import os
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from envs.engine.batch import Reward
from envs.engine.capabilities import game_batch_of
from envs.engine.game import OBSERVATION_OPTIONS, Game, load_game
from envs.options import check_option_name
from envs.registry import GAMES, GameEntry, entry_of
from rewards.check.events import Steps
from rewards.check.recorded_games import Transitions
from training.run_folder import RunError, atomic_path, open_file

Array = np.ndarray[Any, Any]

BEST_EPISODES = "episodes.npz"
"""Episodes of the model that a run reports."""
LAST_EPISODES = "episodes_last.npz"
"""Episodes of the last model of a run, if it is another one."""
MOST_EPISODES = 100
MOST_BYTES = 4_000_000
"""Maximum size of the states of a file in memory."""
MOST_TEXT = 100_000
"""Maximum number of characters of `about`."""
LARGEST = 1e9
"""Largest number in a state; the games stay far below."""
STATE = "state/"
COMPRESSION = 1  # a higher level takes several times as long and saves a few percent


@dataclass(frozen=True)
class About:
    """Where recorded episodes come from."""

    env_id: str
    """Gymnasium id of a game of this project."""
    env_options: dict[str, Any] = field(default_factory=dict)
    """Options of the environment, without the reward."""
    player: str = ""
    """Name of the agent that played, or `you`."""


@dataclass(frozen=True, eq=False)
class RecordedEpisodes:
    """k whole episodes of a game."""

    about: About
    states: Array
    """(steps + k,) records of the game's state, see the module."""
    actions: Array
    """(steps, ...)."""
    lengths: Array
    """(k,) int64."""

    def __len__(self) -> int:
        return len(self.lengths)

    @cached_property
    def entry(self) -> GameEntry:
        """The game's entry in the registry."""
        return _entry(self.about.env_id)

    @cached_property
    def game(self) -> Game:
        """The game that was played."""
        return _game(self.about)[0]

    @cached_property
    def options(self) -> Any:
        """The game's options dataclass."""
        return _game(self.about)[1]

    @cached_property
    def starts(self) -> Array:
        """Index of the first step of each episode, and the number of all steps, (k + 1,)."""
        return np.concatenate(([0], np.cumsum(self.lengths)))

    @cached_property
    def scores(self) -> Array:
        """The game's score of each episode, (k,)."""
        ends = self.states[self.starts[1:] + np.arange(len(self))]
        return np.array([self.game.score(state) for state in ends], np.float64)

    def steps_of(self, episode: int) -> slice:
        """Return which steps belong to an episode."""
        return slice(int(self.starts[episode]), int(self.starts[episode + 1]))

    def states_of(self, episode: int) -> Array:
        """Return the states of an episode, one more than it has steps."""
        start = int(self.starts[episode]) + episode
        return self.states[start : start + int(self.lengths[episode]) + 1]

    def transitions(self) -> Transitions:
        """Return all steps in the form in which rewards are paid."""
        first = np.repeat(np.arange(len(self)), self.lengths) + np.arange(len(self.actions))
        return Transitions(self.states[first], self.actions, self.states[first + 1])

    def steps(self) -> Steps:
        """Return all steps in the form in which events are found."""
        before, actions, after = self.transitions()
        last = np.zeros(len(actions), np.bool_)
        last[self.starts[1:] - 1] = True
        truncated = last & (after["t"] >= self.options.max_steps)
        records = before.view(np.recarray), actions, after.view(np.recarray)
        return Steps(*records, last & ~truncated, truncated)


class EpisodeRecorder:
    """Keeps the states and actions of episodes while they are played.

    Episodes are numbered from 0. Where they do not fit, those with the highest numbers are dropped.
    """

    def __init__(
        self, about: About, most: int = MOST_EPISODES, most_bytes: int = MOST_BYTES
    ) -> None:
        """Begin with no episode; keep at most `most`, whose states take at most `most_bytes`."""
        self.about = about
        self._game, self._options = _game(about)
        self.end = most
        """Number of the first episode that is not kept."""
        self._lengths = np.zeros(most, np.int64)
        self._states: list[tuple[Array, Array]] = []
        """Numbers of episodes (n,), and a state of each (n,)."""
        self._actions: list[tuple[Array, Array]] = []
        # NumPy copies records field by field, and bytes many times faster.
        self._raw = np.dtype((np.void, self._game.state.itemsize))
        self._room = most_bytes // self._game.state.itemsize
        """Number of states that may still be added."""

    def add(self, numbers: Array, rows: Array, before: Array, actions: Array, after: Array) -> None:
        """Keep one step of each of the episodes `numbers` (n,), which are in `rows` (n,)."""
        if not len(numbers) or numbers[-1] >= self.end:
            return
        new = self._lengths[numbers] == 0
        before, after = before.view(self._raw), after.view(self._raw)
        if new.any():
            self._states.append((numbers[new], before[rows[new]]))
        self._states.append((numbers, after[rows]))
        self._actions.append((numbers, actions[rows]))
        self._lengths[numbers] += 1
        self._room -= len(numbers) + int(new.sum())
        while self._room < 0:
            self.end -= 1
            length = int(self._lengths[self.end])
            self._room += length + 1 if length else 0

    def episodes(self) -> RecordedEpisodes | None:
        """Return the episodes that have ended, or None if there are none."""
        if not self._actions:
            return None
        game, begun = self._game, np.flatnonzero(self._lengths[: self.end])
        options = game.options_record(self._options)[0]
        record = game.states(0).dtype
        states = _by_episode(self._states, begun).view(record)
        ends = states[np.cumsum(self._lengths[begun] + 1) - 1]
        over = [game.terminated(end, options) or end["t"] >= options.max_steps for end in ends]
        if not any(over):
            return None
        whole = begun[over]
        states = _by_episode(self._states, whole).view(record)
        actions = _by_episode(self._actions, whole)
        return RecordedEpisodes(self.about, states, actions, self._lengths[whole])


def record_games(environments: Any, recorder: EpisodeRecorder, running: Array) -> None:
    """Record the games of a vector environment while they are `running` (n,); game k is episode k.

    The caller updates `running`. The reward gets the states before and after each step, also those
    at the end of an episode, which the environment overwrites at once.
    """
    batch = game_batch_of(environments)
    assert batch is not None
    batch.set_reward(_RecordingReward(batch.reward, recorder, running))


class _RecordingReward:
    """Pays what another reward pays, and hands the steps to a recorder."""

    def __init__(self, reward: Reward, recorder: EpisodeRecorder, running: Array) -> None:
        self.names = reward.names
        self._reward, self._recorder, self._running = reward, recorder, running

    def __call__(
        self, before: Array, actions: Array, after: Array, terms: list[Array], total: Array
    ) -> None:
        """Write each term into its array of `terms` (n,), and their sums into `total` (n,)."""
        self._reward(before, actions, after, terms, total)
        rows = np.flatnonzero(self._running[: self._recorder.end])
        self._recorder.add(rows, rows, before, actions, after)


def _by_episode(parts: Sequence[tuple[Array, Array]], numbers: Array) -> Array:
    """Return what belongs to the episodes `numbers`, episode after episode."""
    found, arrays = (np.concatenate(each) for each in zip(*parts, strict=True))
    wanted = np.zeros(int(found.max()) + 1, np.bool_)
    wanted[numbers] = True
    chosen = np.flatnonzero(wanted[found])
    order = np.argsort(found[chosen], kind="stable")
    return arrays[chosen[order]]


def write_episodes(path: Path, episodes: RecordedEpisodes) -> None:
    """Write a file, as a whole or not at all. The same episodes give the same bytes.

    Raises:
        OSError: if it cannot be written.
    """
    names = episodes.states.dtype.names or ()
    arrays = {f"{STATE}{name}": episodes.states[name] for name in names}
    about = json.dumps(msgspec.to_builtins(episodes.about), allow_nan=False)
    arrays |= {"actions": episodes.actions, "lengths": episodes.lengths, "about": np.array(about)}
    with (
        atomic_path(path) as temporary,
        zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED, compresslevel=COMPRESSION) as archive,
    ):
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w") as file:
                np.lib.format.write_array(file, np.asarray(array, order="C"), allow_pickle=False)


def keep_episodes(
    folder: Path, best: RecordedEpisodes | None, last: RecordedEpisodes | None
) -> None:
    """Write the episodes of a run's best and last model into its folder, in place of older ones.

    Where both are one model, and the episodes are the same, there is one file.

    Raises:
        OSError: if the folder cannot be written.
    """
    kept = {BEST_EPISODES: best, LAST_EPISODES: None if last is best else last}
    for name, episodes in kept.items():
        if episodes is None:
            (folder / name).unlink(missing_ok=True)
        else:
            write_episodes(folder / name, episodes)


def episodes_of_run(folder: Path, last: bool = False) -> RecordedEpisodes:
    """Return the recorded episodes of a run's best model or, with `last`, of its last model.

    Raises:
        RunError: if there are none, or their file is damaged.
    """
    other = last and os.path.lexists(folder / LAST_EPISODES)
    file = folder / (LAST_EPISODES if other else BEST_EPISODES)
    if not os.path.lexists(file):
        raise RunError(
            f"{folder} has no recorded episodes: only the final evaluation of a game records them"
        )
    return read_episodes(file)


def read_episodes(path: Path) -> RecordedEpisodes:
    """Return the episodes in a file. Executes nothing that the file holds.

    Raises:
        RunError: if there is none, or it is damaged.
    """
    with open_file(path) as file:
        try:
            with zipfile.ZipFile(file) as archive:
                return _read(archive)
        except MemoryError:
            raise
        except Exception as error:  # damaged bytes fail in NumPy, zipfile and zlib in many ways
            reason = str(error) if isinstance(error, RunError) else "it was not written as a whole"
            raise RunError(f"{path} is damaged: {reason}") from None


def _read(archive: zipfile.ZipFile) -> RecordedEpisodes:
    text = _member(archive, "about", np.dtype("U"), MOST_TEXT)
    about = msgspec.json.decode(str(text), type=About)
    for name in about.env_options:
        check_option_name(name)
    game, _ = _game(about)
    lengths = _member(archive, "lengths", np.dtype("i8"), MOST_EPISODES)
    most = MOST_BYTES // game.state.itemsize
    if lengths.ndim != 1 or not len(lengths) or not ((lengths > 0) & (lengths <= most)).all():
        raise RunError("its episodes have impossible lengths")
    steps = int(lengths.sum())
    if steps + len(lengths) > most:
        raise RunError(f"it has more than {most:,} states")
    states = game.states(steps + len(lengths))
    for name in states.dtype.names or ():
        values = _member(archive, f"{STATE}{name}", states.dtype[name], len(states))
        if values.shape != states.shape or not (name == "rng" or _are_possible(values)):
            raise RunError(f"its states have an impossible `{name}`")
        states[name] = values
    ages = states["t"] - np.repeat(states["t"][_firsts(lengths)], lengths + 1)
    if (ages != np.arange(len(states)) - np.repeat(_firsts(lengths), lengths + 1)).any():
        raise RunError("its states are not those of episodes")
    like = game.actions(1)
    actions = _member(archive, "actions", like.dtype, steps * math.prod(like.shape))
    if actions.shape != (steps, *like.shape[1:]) or not _are_possible(actions):
        raise RunError("it has impossible actions")
    return RecordedEpisodes(about, states, actions, lengths)


def _firsts(lengths: Array) -> Array:
    """Return the index of the first state of each episode, (k,)."""
    return np.cumsum(lengths + 1) - lengths - 1


def _are_possible(values: Array) -> bool:
    """Return whether all numbers are finite and not absurdly large."""
    return bool(((values >= -LARGEST) & (values <= LARGEST)).all())


def _member(archive: zipfile.ZipFile, name: str, dtype: np.dtype[Any], most: int) -> Array:
    """Return an array of at most `most` numbers or letters, after a check of its size and type."""
    with archive.open(f"{name}.npy") as file:
        if np.lib.format.read_magic(file) != (1, 0):
            raise RunError(f"`{name}` has an unknown format")
        shape, _, found = np.lib.format.read_array_header_1_0(file)
        count = math.prod(shape)
        letters = found.itemsize // 4 if dtype.kind == "U" else 1
        if found.kind != dtype.kind or (dtype.kind != "U" and found != dtype):
            raise RunError(f"`{name}` has another type: was it made by another version?")
        if not 0 <= count * letters <= most:
            raise RunError(f"`{name}` is too large")
        content = file.read(count * found.itemsize + 1)  # to the end, where zipfile checks it
        return np.frombuffer(content, found).reshape(shape)


def _entry(env_id: str) -> GameEntry:
    entry = entry_of(env_id, GAMES)
    if entry is None:
        raise RunError(f"{env_id} is not a game of this project")
    return entry


def _game(about: About) -> tuple[Game, Any]:
    """Return the game that was played, such as a task of the bicycle, and its options dataclass."""
    game, options = load_game(_entry(about.env_id).target, about.env_options)
    chosen = {name: value for name, value in options.items() if name not in OBSERVATION_OPTIONS}
    return game, game.make_options(chosen)
