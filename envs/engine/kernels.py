"""The loops over a batch of games, compiled from the scalar functions of a game."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from gymnasium import spaces

from envs.engine.compilation import compiled, direct, is_cached
from envs.engine.game import Game
from envs.engine.raster import copy_array


class Kernels(NamedTuple):
    """The compiled loops over any number of games, as machine code."""

    reset: Callable[..., None]
    observe: Callable[..., None]
    restart: Callable[..., None]
    step: Callable[..., int]


EXAMPLES: dict[str, Any] = {
    "vector": np.zeros((1, 1), np.float32),
    "history": np.zeros((1, 1, 1), np.float32),
    "screens": np.zeros((1, 1, 1, 1), np.uint8),
}
"""Kinds of observations, each with a batch of one observation."""


@functools.cache
def game_kernels(game: Game, kind: str) -> Kernels:
    """Compile `game` for observations of a `kind` in `EXAMPLES`."""
    reset, observe, step = (compiled(loop) for loop in _loops(game, kind))
    restart = compiled(_restart_loop(reset, observe))
    if not all(is_cached(kernel) for kernel in (reset, observe, restart, step)):
        print(
            f"Compiling {game.name} for this machine; this happens once and takes a few seconds.",
            file=sys.stderr,
        )
    states, actions, numbers = game.states(1), game.actions(1), np.zeros(1)
    rows, flags = np.zeros(1, np.intp), np.zeros((3, 1), np.bool_)
    options = game.options_record(game.options())
    example = EXAMPLES[kind]
    return Kernels(
        direct(reset, states, states, rows, options),
        direct(observe, states, rows, options, example, numbers),
        direct(restart, states, states, rows, options, example, numbers, example, numbers),
        direct(step, states, actions, states, options, example, example, numbers, flags, rows),
    )


def _loops(game: Game, kind: str) -> tuple[Callable[..., Any], ...]:
    first_observation, next_observation = _observers(game, kind)
    reset_game, step_game = game.reset, game.step
    is_terminated, score = game.terminated, game.score
    is_action = _action_test(game.action_space)
    not_an_action = f"an action is not in {game.action_space}"

    def reset_kernel(states: Any, blank: Any, rows: Any, options: Any) -> None:
        """Start a new episode in the games of `rows`; each generator continues."""
        for i in rows:
            rng = states[i].rng
            states[i] = blank[0]
            states[i].rng = rng
            reset_game(states[i], options[0])

    def observe_kernel(
        states: Any, rows: Any, options: Any, observations: Any, scores: Any
    ) -> None:
        """Observe the first state of an episode in the games of `rows`."""
        for i in rows:
            first_observation(states[i], observations[i], options[0])
            scores[i] = score(states[i])

    def step_kernel(
        states: Any,
        actions: Any,
        after: Any,
        options: Any,
        last_observations: Any,
        observations: Any,
        scores: Any,
        flags: Any,
        done_rows: Any,
    ) -> int:
        """Write the next states into `after`, and their observations and scores.

        `flags` has the rows terminated, truncated, done; `last_observations` may be `observations`.
        Returns the number of episodes that ended; `done_rows` begins with their rows.
        """
        terminated, truncated, done = flags[0], flags[1], flags[2]
        count = 0
        for i in range(states.size):
            if not is_action(actions[i]):
                raise ValueError(not_an_action)
        for i in range(states.size):
            after[i] = states[i]
            state = after[i]
            state.t += 1
            step_game(state, actions[i], options[0])
            terminated[i] = is_terminated(state, options[0])
            truncated[i] = not terminated[i] and state.t >= options[0].max_steps
            done[i] = terminated[i] or truncated[i]
            if done[i]:
                done_rows[count] = i
                count += 1
            next_observation(state, actions[i], last_observations[i], observations[i], options[0])
            scores[i] = score(state)
        return count

    return reset_kernel, observe_kernel, step_kernel


def _restart_loop(reset: Callable[..., None], observe: Callable[..., None]) -> Callable[..., None]:
    """Return the loop that restarts games with kernels that are compiled already."""

    def restart_kernel(
        states: Any,
        blank: Any,
        rows: Any,
        options: Any,
        observations: Any,
        scores: Any,
        final_observations: Any,
        final_scores: Any,
    ) -> None:
        """Start a new episode in the games of `rows`; copy their end to the `final_` arrays."""
        for i in rows:
            copy_array(observations[i], final_observations[i])
            final_scores[i] = scores[i]
        reset(states, blank, rows, options)
        observe(states, rows, options, observations, scores)

    return restart_kernel


def _observers(game: Game, kind: str) -> tuple[Callable[..., None], Callable[..., None]]:
    """Return functions that write the first observation of an episode and each later one."""
    observe, draw = game.observe, game.draw
    write_action = _action_writer(game)

    def next_vector(state: Any, action: Any, last: Any, out: Any, options: Any) -> None:
        observe(state, out, options)

    def first_history(state: Any, rows: Any, options: Any) -> None:
        rows[:] = 0.0
        observe(state, rows[-1], options)

    def next_history(state: Any, action: Any, last: Any, rows: Any, options: Any) -> None:
        for k in range(len(rows) - 1):
            rows[k] = last[k + 1]
        rows[-1] = 0.0
        observe(state, rows[-1], options)
        write_action(action, rows[-1])

    def first_screen(state: Any, frames: Any, options: Any) -> None:
        frames[:] = 0
        draw(state, frames[-1], options)
        for k in range(len(frames) - 1):
            copy_array(frames[-1], frames[k])

    def next_screen(state: Any, action: Any, last: Any, frames: Any, options: Any) -> None:
        for k in range(len(frames) - 1):
            copy_array(last[k + 1], frames[k])
        frames[-1] = 0
        draw(state, frames[-1], options)

    return {
        "vector": (observe, next_vector),
        "history": (first_history, next_history),
        "screens": (first_screen, next_screen),
    }[kind]


def history_space(game: Game, history: int) -> spaces.Box:
    """Return the space of observations with the last `history` steps and their actions."""
    seen, space = game.observation_space, game.action_space
    if isinstance(space, spaces.Discrete):
        low, high = np.zeros(int(space.n), np.float32), np.ones(int(space.n), np.float32)
    else:
        assert isinstance(space, spaces.Box)
        low, high = space.low, space.high
    # Rows before the start of the episode are zeros.
    lowest = np.minimum(np.concatenate((seen.low, low)), 0.0)
    highest = np.maximum(np.concatenate((seen.high, high)), 0.0)
    rows = (history + 1, 1)
    return spaces.Box(np.tile(lowest, rows), np.tile(highest, rows), dtype=np.float32)


def _action_writer(game: Game) -> Callable[[Any, Any], None]:
    """Return a function that writes an action after the game's numbers; one-hot if discrete."""
    start = game.observation_space.shape[0]
    if isinstance(game.action_space, spaces.Discrete):
        first = start - int(game.action_space.start)

        def write_choice(action: Any, row: Any) -> None:
            row[first + action] = 1.0

        return write_choice

    def write_numbers(action: Any, row: Any) -> None:
        row[start:] = action

    return write_numbers


def _action_test(space: spaces.Space[Any]) -> Callable[[Any], bool]:
    """Return a function that validates an action: in range if discrete, finite if continuous."""
    if isinstance(space, spaces.Discrete):
        first, end = int(space.start), int(space.start + space.n)

        def is_choice(action: Any) -> bool:
            return first <= action < end

        return is_choice

    def is_finite(action: Any) -> bool:
        return bool(np.isfinite(action).all())

    return is_finite
