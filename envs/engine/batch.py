"""A batch of games that step together, the core of the single and the vector environment."""

from __future__ import annotations

import math
from collections.abc import Sequence
from types import NoneType
from typing import Any, Protocol

import numpy as np
from gymnasium import spaces
from gymnasium.error import ResetNeeded

from envs.engine.game import Game
from envs.engine.kernels import game_kernels, history_space
from envs.engine.rng import seeded

Array = np.ndarray[Any, Any]

SCORES = 1  # row of `GameBatch.numbers`, after the rewards and before the terms
FIRST_TERM = 2
MAX_OBSERVATIONS = 8e9
"""Maximum size of the observations of all environments, in bytes."""
TERM_PREFIX = "reward/"
"""Prefix of the reward terms in `info`."""


class Reward(Protocol):
    """A weighted sum of terms, each a function of (before, action, after)."""

    names: tuple[str, ...]

    def __call__(
        self, before: Array, actions: Array, after: Array, terms: list[Array], total: Array
    ) -> None:
        """Write each term into its array of `terms` (n,), and their sums into `total` (n,)."""


class GameBatch:
    """`count` games with their observations, rewards and generators.

    The results of `step` are in the arrays `states` (and `before`, the states before the step),
    `observations`, `scores`, `terminated`, `truncated`, `done`, `rewards` and `terms`. The results
    of `restart` are in `final_observations` and `final_scores`. The next call overwrites these
    arrays or, with `reuse_arrays=False`, replaces them.

    `seeded` is True once the generators were seeded. Without seeds, the first `reset` would start
    all games alike.
    """

    def __init__(
        self,
        game: Game,
        reward: Reward,
        count: int,
        observation: str = "state",
        screen_size: int = 84,
        frames: int = 2,
        history: int = 0,
        reuse_arrays: bool = True,
        **options: float,
    ) -> None:
        if observation not in ("state", "screen"):
            raise ValueError(f'observation must be "state" or "screen", got {observation!r}')
        for name, number, least, most in (
            ("num_envs", count, 1, 1_000_000),
            ("screen_size", screen_size, 24, 1_000),
            ("frames", frames, 1, 100),
            ("history", history, 0, 1_000),
        ):
            if type(number) is bool or not isinstance(number, (int, np.integer)) or number < least:
                raise ValueError(
                    f"{name} must be a whole number of at least {least}, got {number!r}"
                )
            if number > most:
                raise ValueError(f"{name} must be at most {most:,}, got {number}")
        self.game = game
        self.reward = reward
        self.options = game.make_options(options)
        self.options_record = game.options_record(self.options)
        self.count = count
        if observation == "screen" and history:
            raise ValueError('history needs observation="state"; for screens, use frames')
        self.observation_space: spaces.Box = game.observation_space
        kind = "vector"
        if observation == "screen":
            self.observation_space = spaces.Box(
                0, 255, (frames, screen_size, screen_size), np.uint8
            )
            kind = "screens"
        elif history:
            self.observation_space = history_space(game, history)
            kind = "history"
        size = (
            count * math.prod(self.observation_space.shape) * self.observation_space.dtype.itemsize
        )
        if size > MAX_OBSERVATIONS:
            raise ValueError(
                f"{count:,} observations of shape {self.observation_space.shape} take "
                f"{size / 1e9:.0f} GB; use fewer environments or smaller observations"
            )
        self.kernels = game_kernels(game, kind)

        self.states = game.states(count)
        self.before = game.states(count)
        self._blank = game.states(1)
        self.seeded = False
        self._reuse_arrays = reuse_arrays
        self._done_rows = np.zeros(count, np.intp)
        self._write_to(
            np.zeros((count, *self.observation_space.shape), self.observation_space.dtype),
            np.zeros((FIRST_TERM + len(reward.names), count)),
            np.zeros((3, count), np.bool_),
        )
        self.final_observations = np.zeros_like(self.observations)
        self.final_scores = np.zeros(count)

    def _step_arrays(self) -> tuple[Array, Array, Array]:
        if self._reuse_arrays:
            return self.observations, self.numbers, self.flags
        return (
            np.empty(self.observations.shape, self.observations.dtype),
            np.empty(self.numbers.shape),
            np.empty(self.flags.shape, np.bool_),
        )

    def _write_to(self, observations: Array, numbers: Array, flags: Array) -> None:
        """Write to these arrays from now on. They are few, because creating an array takes time."""
        self.observations, self.numbers, self.flags = observations, numbers, flags
        self.rewards, self.scores, *self.terms = numbers
        self.terminated, self.truncated, self.done = flags

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Make the rows of a deep copy views of its own arrays."""
        vars(self).update(state)
        self._write_to(self.observations, self.numbers, self.flags)

    def _copy_arrays(self) -> None:
        """Write to copies from now on, because the caller may keep the arrays."""
        if not self._reuse_arrays:
            self._write_to(self.observations.copy(), self.numbers.copy(), self.flags.copy())

    def reset(
        self, rows: Array, seeds: Sequence[int | None], fields: dict[str, Any] | None = None
    ) -> None:
        """Start new episodes in the games `rows`.

        `seeds` has a seed for each of these games; None continues its generator. `fields` are state
        fields to overwrite, each a number for all games or an array (count,).

        Raises:
            ValueError: if a field is unknown or a state is impossible; nothing is then changed.
        """
        if not isinstance(fields, (dict, NoneType)):
            raise ValueError(f"the state must be a dict of fields, got {fields!r}")
        states = self.states.copy()
        for i, seed in zip(rows, seeds, strict=True):
            if seed is not None:
                states["rng"][i] = seeded(int(seed))
        self.kernels.reset(states, self._blank, rows, self.options_record)
        for i in rows if fields else ():
            values = {name: self._value(value, int(i)) for name, value in (fields or {}).items()}
            self.game.set_fields(states[i], values, self.options)
        self.states = states
        self.seeded = True
        self._copy_arrays()
        self._observe_start(rows)

    def _observe_start(self, rows: Array) -> None:
        """Write the results of a reset of the games `rows`: nothing was paid and nothing ended."""
        self.numbers[:, rows], self.flags[:, rows] = 0.0, False
        self.kernels.observe(self.states, rows, self.options_record, self.observations, self.scores)

    def step(self, actions: Array, starting: Array | None = None) -> Array:
        """Advance every game by one step and return the rows of the episodes that ended.

        `actions` (count, ...) are contiguous and of the dtype of the action space. The games of the
        rows `starting` start a new episode instead, whatever their action is.

        Raises:
            ValueError: if an action is outside of the space; nothing is then changed.
        """
        if not self.seeded:
            raise ResetNeeded("call reset() before the first step()")
        before, after, last = self.states, self.before, self.observations
        observations, numbers, flags = self._step_arrays()
        ended = self.kernels.step(
            before,
            actions,
            after,
            self.options_record,
            last,
            observations,
            numbers[SCORES],
            flags,
            self._done_rows,
        )
        if not self._reuse_arrays:
            self._write_to(observations, numbers, flags)
        if starting is not None:
            self._start_instead(starting, before, after)
        self.reward(before, actions, after, self.terms, self.rewards)
        self.states, self.before = after, before
        if starting is None:
            return self._done_rows[:ended]
        self._observe_start(starting)
        return np.flatnonzero(self.done)

    def _start_instead(self, rows: Array, before: Array, after: Array) -> None:
        """Undo the step of the games `rows`, which had ended, and start new episodes in them."""
        after[rows] = before[rows]  # with the generator
        self.kernels.reset(after, self._blank, rows, self.options_record)
        before[rows] = after[rows]  # rewards never see an episode that goes on after its end

    def restart(self, rows: Array) -> None:
        """Start new episodes in the games of `rows`; copy how they ended to the `final_` arrays."""
        if not self._reuse_arrays:
            self.final_observations = np.zeros(self.observations.shape, self.observations.dtype)
            self.final_scores = np.zeros(self.count)
        self.kernels.restart(
            self.states,
            self._blank,
            rows,
            self.options_record,
            self.observations,
            self.scores,
            self.final_observations,
            self.final_scores,
        )

    def set_reward(self, reward: Reward) -> None:
        """Use another reward from the next step on; the games continue."""
        numbers = np.zeros((FIRST_TERM + len(reward.names), self.count))
        numbers[:FIRST_TERM] = self.numbers[:FIRST_TERM]
        self.reward = reward
        self._write_to(self.observations, numbers, self.flags)

    @property
    def info_names(self) -> tuple[str, ...]:
        """Names in `info`, in the order of `numbers` after the rewards."""
        return ("score", *(f"{TERM_PREFIX}{name}" for name in self.reward.names))

    def checkpoint(self) -> dict[str, Array]:
        """Return everything that decides how the games continue."""
        return {
            "states": self.states.view(np.uint8).copy(),
            "observations": self.observations.copy(),
            "scores": self.scores.copy(),
        }

    def restore(self, saved: dict[str, Array]) -> None:
        """Continue from what `checkpoint` returned.

        Raises:
            ValueError: if the checkpoint has another number of games or another kind of game.
        """
        current = self.checkpoint()
        for name, array in current.items():
            kinds = [(each.shape, each.dtype) for each in (array, saved.get(name, array[:0]))]
            if kinds[0] != kinds[1]:
                raise ValueError(f"the checkpoint belongs to other environments: `{name}` differs")
        states = np.ascontiguousarray(saved["states"]).view(self.states.dtype)
        numbers = [states[name] for name in states.dtype.names or ()]
        past_end = (states["t"] < 0) | (states["t"] >= self.options.max_steps)
        if past_end.any() or not all(np.isfinite(each).all() for each in numbers):
            raise ValueError("the checkpoint holds impossible states")
        self._copy_arrays()
        self.states[:] = states
        self.observations[:] = saved["observations"]
        self.scores[:] = saved["scores"]
        self.seeded = True

    def _value(self, value: Any, i: int) -> Any:
        return value[i] if np.ndim(value) == 1 and len(value) == self.count else value
