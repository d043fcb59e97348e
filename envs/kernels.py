"""The loops over a batch of games, compiled from one game's scalar functions."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from gymnasium import spaces

from envs.compilation import compiled, direct, is_cached
from envs.game import Game
from envs.raster import copy_screen


class Kernels(NamedTuple):
    """The compiled loops that run any number of games, as machine code."""

    reset: Callable[..., None]
    observe: Callable[..., None]
    restart: Callable[..., None]
    step: Callable[..., int]


@functools.cache
def game_kernels(game: Game, screen: bool) -> Kernels:
    """Compile `game` for observations of state vectors or, with `screen`, of stacked screens."""
    loops = _loops(game, screen)
    if not all(is_cached(loop) for loop in loops):
        print(
            f"Compiling {game.name} for this machine; this happens once and takes some seconds.",
            file=sys.stderr,
        )
    states, actions, numbers = game.states(1), game.actions(1), np.zeros(1)
    rows, flags = np.zeros(1, np.intp), np.zeros((3, 1), np.bool_)
    options = game.options_record(game.options())
    seen = np.zeros((1, 1, 1, 1), np.uint8) if screen else np.zeros((1, 1), np.float32)
    reset, observe, restart, step = (compiled(loop) for loop in loops)
    return Kernels(
        direct(reset, states, states, rows, options),
        direct(observe, states, rows, options, seen, numbers),
        direct(restart, states, states, rows, options, seen, numbers, seen, numbers),
        direct(step, states, actions, states, options, seen, seen, numbers, flags, rows),
    )


def _loops(game: Game, screen: bool) -> tuple[Callable[..., Any], ...]:
    first_observation, next_observation = _observers(game, screen)
    reset_game, step_game = game.reset, game.step
    is_terminated, score = game.terminated, game.score
    is_action = _action_test(game.action_space)
    not_an_action = f"an action is not in {game.action_space}"

    def reset_kernel(states: Any, blank: Any, rows: Any, options: Any) -> None:
        """Start a new episode in the games of `rows`; each generator goes on where it was."""
        for i in rows:
            rng = states[i].rng
            states[i] = blank[0]
            states[i].rng = rng
            reset_game(states[i], options[0])

    def observe_kernel(
        states: Any, rows: Any, options: Any, observations: Any, scores: Any
    ) -> None:
        """Look at the first state of an episode in the games of `rows`."""
        for i in rows:
            first_observation(states[i], observations[i], options[0])
            scores[i] = score(states[i])

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
        """Begin anew in the games of `rows`; how they ended moves on to the `final_` arrays."""
        for i in rows:
            final_observations[i] = observations[i]
            final_scores[i] = scores[i]
        reset_kernel(states, blank, rows, options)
        observe_kernel(states, rows, options, observations, scores)

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
        """Write into `after` what becomes of `states`, and how it looks.

        `flags` has the rows terminated, truncated, done; `last_observations` may be `observations`.
        Returns how many episodes ended; `done_rows` begins with their rows.
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
            next_observation(state, last_observations[i], observations[i], options[0])
            scores[i] = score(state)
        return count

    return reset_kernel, observe_kernel, restart_kernel, step_kernel


def _observers(game: Game, screen: bool) -> tuple[Callable[..., None], Callable[..., None]]:
    """How the observation of an episode's first state and of each later one is written."""
    observe, draw = game.observe, game.draw

    def next_vector(state: Any, last: Any, out: Any, options: Any) -> None:
        observe(state, out, options)

    def first_screen(state: Any, frames: Any, options: Any) -> None:
        frames[:] = 0
        draw(state, frames[-1], options)
        for k in range(len(frames) - 1):
            copy_screen(frames[-1], frames[k])

    def next_screen(state: Any, last: Any, frames: Any, options: Any) -> None:
        for k in range(len(frames) - 1):
            copy_screen(last[k + 1], frames[k])
        frames[-1] = 0
        draw(state, frames[-1], options)

    return (first_screen, next_screen) if screen else (observe, next_vector)


def _action_test(space: spaces.Space[Any]) -> Callable[[Any], bool]:
    """What tells an action from a mistake: in range if discrete, finite if continuous."""
    if isinstance(space, spaces.Discrete):
        first, end = int(space.start), int(space.start + space.n)

        def is_choice(action: Any) -> bool:
            return first <= action < end

        return is_choice

    def is_finite(action: Any) -> bool:
        return bool(np.isfinite(action).all())

    return is_finite
