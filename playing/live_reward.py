"""Exchanges the reward of a playback whenever its file is saved."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import gymnasium

from playing import theme
from playing.playback import Playback
from rewards.errors import describe
from rewards.expression import RewardError, file_named, parse
from rewards.kernel import WeightedSum
from rewards.make import load_tried_reward, reward_of
from rewards.sandbox.parent import TrialProcess

CHECK_SECONDS = 0.1


def reward_files(expression: str) -> list[Path]:
    """Return the files that a reward expression names."""
    files = [file_named(part.term) for part in parse(expression)]
    return [Path(file).expanduser() for file in files if file]


def imported_files(reward: WeightedSum) -> list[Path]:
    """Return the helpers that the reward files have imported from their folders."""
    own = [term for term in reward.terms if term.from_user]
    files = {file for term in own for file in term.source_files.values()}
    return sorted(files - {term.source_file for term in own})


class FileWatcher:
    """Tells when files have changed. It compares contents, because file times are too coarse.

    Editors write in pieces, or write another file and rename it. A change therefore counts when two
    checks in a row have read the same contents.
    """

    def __init__(self, files: Iterable[Path]) -> None:
        self._known = {file: _content(file) for file in files}
        self._last = self._known

    def add(self, files: Iterable[Path]) -> None:
        """Also watch these files, from their present contents on."""
        added = {file: _content(file) for file in files if file not in self._known}
        self._known, self._last = self._known | added, self._last | added

    def changed(self) -> bool:
        """Return whether the files differ from what they were when this last returned True."""
        now = {file: _content(file) for file in self._known}
        settled, self._last = now == self._last, now
        if not settled or now == self._known:
            return False
        self._known = now
        return True


def _content(file: Path) -> bytes | None:
    try:
        return file.read_bytes()
    except OSError:
        return None  # deleted, or an editor is about to rename its new version


class LiveReward:
    """Watches the files of a reward and exchanges the reward of a playback when they are saved.

    A new reward is tested in a process of its own, then loaded and compiled in a thread, so that
    neither an endless loop nor the compiler stops the playback. If it fails, the last working
    reward stays in use.
    """

    def __init__(
        self,
        playback: Playback,
        expression: str,
        env_options: dict[str, Any],
        trial: Callable[[str, str, dict[str, Any]], Any] = TrialProcess,
    ) -> None:
        """Watch the files of `expression`, the reward that `playback` already uses.

        `trial` starts the test of a new reward: a `TrialProcess`, or something that polls like one.
        """
        self.reward = _exchangeable_reward(playback.env)
        self.error = ""
        """What is wrong with the files as they are now."""
        self.compiled: list[bool] = []
        """Whether each term of the exchanged reward can be compiled."""
        self._playback = playback
        self._expression = expression
        self._env_options = env_options
        self._start_trial = trial
        self._files = reward_files(expression)
        self._watcher = FileWatcher([*self._files, *imported_files(self.reward)])
        self.label = self.shortened(expression)
        """The reward in use, in a few words."""
        self.reverted = False
        """Whether the reward that was saved last failed while it was in use."""
        self._version = 1
        self._before: tuple[WeightedSum, str] | None = None
        self._trial: TrialProcess | None = None
        self._loader: RewardLoader | None = None
        self._last_check = time.monotonic()

    def update(self) -> str:
        """Check the files, without waiting; return a message for a new reward, else ""."""
        if time.monotonic() - self._last_check < CHECK_SECONDS:
            return ""
        self._last_check = time.monotonic()
        try:
            if self._watcher.changed():
                self.close()
                env_id, options = self._playback.env_id, self._env_options
                self._trial = self._start_trial(self._expression, env_id, options)
            if self._trial is not None and (warnings := self._trial.poll()) is not None:
                self._loader, self._trial = RewardLoader(self._trial, warnings), None
            if self._loader is not None and (reward := self._loader.poll()) is not None:
                self.compiled = self._loader.compiled
                self._exchange(reward)
                message = theme.text("messages", "new_reward", reward=self.label)
                messages = (message, *self._loader.warnings)
                self._loader = None
                return self.shortened("; ".join(messages))
        except RewardError as error:
            self._trial = self._loader = None
            problem = self.shortened(str(error))
            self.error = theme.text("messages", "still_using", problem=problem)
        return ""

    def revert(self, error: str) -> None:
        """Return to the previous reward, or to the game's default: this one failed during play."""
        self.reward, self.label = self._before or self._default_reward()
        words = {"problem": self.shortened(error), "reward": self.label}
        self.error = theme.text("messages", "now_using", **words)
        self._before = None
        self.reverted = True
        self._playback.exchange_reward(self.reward)

    def shortened(self, text: str) -> str:
        """Return `text` without the folders of the reward files, which are too long to read."""
        for file in (*self._files, *imported_files(self.reward)):
            text = text.replace(str(file.resolve()), file.name).replace(str(file), file.name)
        return text

    def close(self) -> None:
        """Stop what is in progress."""
        if self._trial is not None:
            self._trial.stop()
        self._trial = self._loader = None

    def _exchange(self, reward: WeightedSum) -> None:
        self.error = ""
        self._version += 1
        self.reverted = False
        self._before, self.reward = (self.reward, self.label), reward
        self._watcher.add(imported_files(reward))
        words = {"version": self._version, "reward": self.shortened(self._expression)}
        self.label = theme.text("messages", "version", **words)
        self._playback.exchange_reward(reward)

    def _default_reward(self) -> tuple[WeightedSum, str]:
        env = gymnasium.make(self._playback.env_id, **self._env_options)
        return _exchangeable_reward(env), theme.text("messages", "game_reward")


class RewardLoader:
    """Loads a tested reward in a thread."""

    def __init__(self, trial: TrialProcess, warnings: list[str]) -> None:
        self.warnings = warnings
        self.compiled: list[bool] = trial.verdict["compiled"]
        self._trial = trial
        self._loaded: WeightedSum | RewardError | None = None
        threading.Thread(target=self._load, daemon=True).start()

    def poll(self) -> WeightedSum | None:
        """Return the reward, or None while it is being loaded.

        Raises:
            RewardError: if the file has changed since the test and does not load.
        """
        if isinstance(self._loaded, RewardError):
            raise self._loaded
        return self._loaded

    def _load(self) -> None:
        try:
            trial, compiled = self._trial, self.compiled
            self._loaded = load_tried_reward(
                trial.expression, trial.env_id, trial.env_options, compiled
            )
        except Exception as error:
            known = isinstance(error, RewardError)
            self._loaded = RewardError(str(error) if known else describe(error))


def _exchangeable_reward(env: gymnasium.Env[Any, Any]) -> WeightedSum:
    reward = reward_of(env)
    assert reward is not None, "only our games have a reward that can be exchanged"
    return reward
