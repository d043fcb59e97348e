"""A reward that is exchanged while a match goes on: save its file, and it pays the next step."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gymnasium

from playing.playback import Match
from rewards.expression import RewardError, file_named, parse
from rewards.kernel import WeightedSum
from rewards.make import load_tried_reward, reward_of
from rewards.sandbox.parent import TrialProcess
from rewards.terms import describe

LOOK_SECONDS = 0.1


def reward_files(expression: str) -> list[Path]:
    """The files that a reward is written in."""
    files = [file_named(part.term) for part in parse(expression)]
    return [Path(file).expanduser() for file in files if file]


class WatchedFiles:
    """Tells when files have changed: by what is in them, since clocks are coarse and lie.

    Editors write in pieces, or write another file and rename it. A change therefore counts once two
    looks in a row have seen the same.
    """

    def __init__(self, files: Sequence[Path]) -> None:
        self._files = files
        self._known = self._last = self._contents()

    def changed(self) -> bool:
        """Have they become others since this was True last?"""
        now = self._contents()
        settled, self._last = now == self._last, now
        if not settled or now == self._known:
            return False
        self._known = now
        return True

    def _contents(self) -> list[bytes | None]:
        return [_content(file) for file in self._files]


def _content(file: Path) -> bytes | None:
    try:
        return file.read_bytes()
    except OSError:
        return None  # between an editor's removing and renaming, or gone


class LiveReward:
    """Watches the reward of a match and exchanges it for what is saved, if that can be used.

    A new reward is tried in a process of its own, then loaded and compiled in a thread: neither an
    endless loop nor a compiler stops the match. The last good one pays until then, and if it fails.
    """

    def __init__(self, match: Match, expression: str, env_options: dict[str, Any]) -> None:
        """Watch the files of `expression`, by which `match` is paid already."""
        self.reward = _reward_of(match.env)
        self.error = ""
        """What is wrong with the files as they are."""
        self.compiled: list[bool] = []
        """Of each term of a reward that was exchanged: can it be compiled?"""
        self._match = match
        self._expression = expression
        self._env_options = env_options
        self._files = reward_files(expression)
        self._watched = WatchedFiles(self._files)
        self.label = self.shortened(expression)
        """The reward in use, in a few words."""
        self.taken_back = False
        """Has the reward that was saved last failed after all?"""
        self._saved = 1
        self._before: tuple[WeightedSum, str] | None = None
        self._trial: TrialProcess | None = None
        self._loading: Loading | None = None
        self._last_look = time.monotonic()

    def update(self) -> str:
        """Look after everything, never waiting; what to say once another reward pays."""
        if time.monotonic() - self._last_look < LOOK_SECONDS:
            return ""
        self._last_look = time.monotonic()
        try:
            if self._watched.changed():
                self.close()
                env_id, options = self._match.env_id, self._env_options
                self._trial = TrialProcess(self._expression, env_id, options)
            if self._trial is not None and (warnings := self._trial.poll()) is not None:
                self._loading, self._trial = Loading(self._trial, warnings), None
            if self._loading is not None and (reward := self._loading.poll()) is not None:
                self.compiled = self._loading.compiled
                self._exchange(reward)
                said = (f"{self.label} pays from now on", *self._loading.warnings)
                self._loading = None
                return self.shortened("; ".join(said))
        except RewardError as error:
            self._trial = self._loading = None
            self.error = f"{self.shortened(str(error))} (the last good reward goes on)"
        return ""

    def take_back(self, error: str) -> None:
        """The reward in use failed in a state that no trial met: the one before pays again.

        If there was none, the game's own does.
        """
        self.reward, self.label = self._before or self._games_own()
        self.error = f"{self.shortened(error)} (now pays: {self.label})"
        self._before = None
        self.taken_back = True
        self._match.exchange_reward(self.reward)

    def shortened(self, text: str) -> str:
        """Without the folders of the files, which are too long to be read from the back row."""
        for file in self._files:
            text = text.replace(str(file.resolve()), file.name).replace(str(file), file.name)
        return text

    def close(self) -> None:
        """Stop what is under way."""
        if self._trial is not None:
            self._trial.stop()
        self._trial = self._loading = None

    def _exchange(self, reward: WeightedSum) -> None:
        self.error = ""
        self._saved += 1
        self.taken_back = False
        self._before, self.reward = (self.reward, self.label), reward
        self.label = f"version {self._saved} of {self.shortened(self._expression)}"
        self._match.exchange_reward(reward)

    def _games_own(self) -> tuple[WeightedSum, str]:
        env = gymnasium.make(self._match.env_id, **self._env_options)
        return _reward_of(env), "the game's own reward"


def _reward_of(env: gymnasium.Env[Any, Any]) -> WeightedSum:
    reward = reward_of(env)
    assert reward is not None, "only games have a reward that can be exchanged"
    return reward


class Loading:
    """Loads a reward that was tried, in a thread."""

    def __init__(self, trial: TrialProcess, warnings: list[str]) -> None:
        self.warnings = warnings
        self.compiled: list[bool] = trial.verdict["compiled"]
        self._trial = trial
        self._found: WeightedSum | RewardError | None = None
        threading.Thread(target=self._load, daemon=True).start()

    def poll(self) -> WeightedSum | None:
        """The reward once it is there.

        Raises:
            RewardError: if its file has become another one meanwhile, and does not load.
        """
        if isinstance(self._found, RewardError):
            raise self._found
        return self._found

    def _load(self) -> None:
        try:
            trial, compiled = self._trial, self.compiled
            self._found = load_tried_reward(
                trial.expression, trial.env_id, trial.env_options, compiled
            )
        except Exception as error:
            known = isinstance(error, RewardError)
            self._found = RewardError(str(error) if known else describe(error))
