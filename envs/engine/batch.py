"""A row of games that step together: what the single and the vector environment both are."""

from __future__ import annotations

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


class Reward(Protocol):
    """What counts as good: a weighted sum of terms, each a function of (before, action, after)."""

    names: tuple[str, ...]

    def __call__(
        self, before: Array, actions: Array, after: Array, terms: list[Array], total: Array
    ) -> None:
        """Write each term into its array of `terms` (n,) and the sums into `total` (n,)."""


class GameBatch:
    """`count` games of one kind with their observations, rewards and generators.

    What `step` finds stays in the batch's own arrays until the next call: `states` (and `before`,
    those before it), `observations`, `scores`, `terminated`, `truncated`, `done`, `rewards` and
    `terms`; what `restart` leaves behind, in `final_observations` and `final_scores`. These arrays
    are overwritten by the next call or, with `keep=False`, replaced by new ones.

    `seeded` says whether the generators have begun; a first `reset` without seeds would start them
    all alike.
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
        keep: bool = True,
        **options: float,
    ) -> None:
        if observation not in ("state", "screen"):
            raise ValueError(f'observation must be "state" or "screen", not {observation!r}')
        for name, number, least in (
            ("num_envs", count, 1),
            ("screen_size", screen_size, 24),
            ("frames", frames, 1),
            ("history", history, 0),
        ):
            if type(number) is bool or not isinstance(number, (int, np.integer)) or number < least:
                raise ValueError(f"{name} must be a whole number from {least} up, not {number!r}")
        self.game = game
        self.reward = reward
        self.options = game.make_options(options)
        self.options_record = game.options_record(self.options)
        self.count = count
        if observation == "screen" and history:
            raise ValueError("history is of states: of screens, see frames")
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
        self.kernels = game_kernels(game, kind)

        self.states = game.states(count)
        self.before = game.states(count)
        self._blank = game.states(1)
        self.seeded = False
        self._keep = keep
        self._done_rows = np.zeros(count, np.intp)
        self._write_to(
            np.zeros((count, *self.observation_space.shape), self.observation_space.dtype),
            np.zeros((FIRST_TERM + len(reward.names), count)),
            np.zeros((3, count), np.bool_),
        )
        self.final_observations = np.zeros_like(self.observations)
        self.final_scores = np.zeros(count)

    def _arrays_for_a_step(self) -> tuple[Array, Array, Array]:
        if self._keep:
            return self.observations, self.numbers, self.flags
        return (
            np.empty(self.observations.shape, self.observations.dtype),
            np.empty(self.numbers.shape),
            np.empty(self.flags.shape, np.bool_),
        )

    def _write_to(self, observations: Array, numbers: Array, flags: Array) -> None:
        """Take arrays for what is found; few large ones, since making one takes its time."""
        self.observations, self.numbers, self.flags = observations, numbers, flags
        self.rewards, self.scores, *self.terms = numbers
        self.terminated, self.truncated, self.done = flags

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Of a deep copy too, the rows are views of the arrays that are written to."""
        vars(self).update(state)
        self._write_to(self.observations, self.numbers, self.flags)

    def _let_go(self) -> None:
        """Leave the arrays to whom they were handed out to, and go on with copies."""
        if not self._keep:
            self._write_to(self.observations.copy(), self.numbers.copy(), self.flags.copy())

    def reset(
        self,
        rows: Array,
        seeds: Sequence[int | None],
        fields: dict[str, Any] | None = None,
    ) -> None:
        """Start new episodes in some games.

        Args:
            rows: which games.
            seeds: for each of them, or None where its generator goes on.
            fields: state fields to overwrite, each one number for all games or an array (count,).

        Raises:
            ValueError: for an unknown field or an impossible state; nothing is then changed.
        """
        if not isinstance(fields, (dict, NoneType)):
            raise ValueError(f"the state to start from must be a dict of fields, not {fields!r}")
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
        self._let_go()
        self.kernels.observe(self.states, rows, self.options_record, self.observations, self.scores)

    def step(self, actions: Array) -> Array:
        """Move every game on by one step; returns the rows of those whose episode ended.

        Args:
            actions: (count, ...), contiguous, of the action space's dtype.

        Raises:
            ValueError: for an action outside of the space; nothing is then changed.
        """
        if not self.seeded:
            raise ResetNeeded("call reset() before the first step()")
        before, after, last = self.states, self.before, self.observations
        observations, numbers, flags = self._arrays_for_a_step()
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
        if not self._keep:
            self._write_to(observations, numbers, flags)
        self.reward(before, actions, after, self.terms, self.rewards)
        self.states, self.before = after, before
        return self._done_rows[:ended]

    def restart(self, rows: Array) -> None:
        """Begin anew in the games of `rows`; their last observations and scores become `final_`."""
        if not self._keep:
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

    def exchange_reward(self, reward: Reward) -> None:
        """Let another reward count from the next step on; the games go on as they are."""
        numbers = np.zeros((FIRST_TERM + len(reward.names), self.count))
        numbers[:FIRST_TERM] = self.numbers[:FIRST_TERM]
        self.reward = reward
        self._write_to(self.observations, numbers, self.flags)

    def checkpoint(self) -> dict[str, Array]:
        """Everything that decides how the games go on."""
        return {
            "states": self.states.view(np.uint8).copy(),
            "observations": self.observations.copy(),
            "scores": self.scores.copy(),
        }

    def restore(self, saved: dict[str, Array]) -> None:
        """Go on from where `checkpoint` was taken.

        Raises:
            ValueError: if it was taken from another number of games or another kind.
        """
        current = self.checkpoint()
        for name, array in current.items():
            if name not in saved or saved[name].shape != array.shape:
                raise ValueError(f"the saved environments do not fit these: `{name}` differs")
        self._let_go()
        self.states[:] = np.ascontiguousarray(saved["states"]).view(self.states.dtype)
        self.observations[:] = saved["observations"]
        self.scores[:] = saved["scores"]
        self.seeded = True

    def _value(self, value: Any, i: int) -> Any:
        return value[i] if np.ndim(value) == 1 and len(value) == self.count else value
