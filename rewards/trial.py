"""A user's term is tried in plain Python before anything is trained on it."""

from __future__ import annotations

import copy
import inspect
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numba.core.errors import NumbaError

from envs.batch import GameBatch
from envs.game import Game
from rewards.expression import RewardError
from rewards.loading import Term, describe, where
from rewards.weighted_sum import compiled_kernel, plain_kernel

TRIAL_GAMES = 16
TRIAL_STEPS = 150


class Transitions(NamedTuple):
    """Steps of real games: records before, actions, records after; each of length n."""

    before: Any
    actions: Any
    after: Any


class _NoReward:
    names: tuple[str, ...] = ()

    def __call__(self, before: Any, actions: Any, after: Any, terms: list[Any], total: Any) -> None:
        """Pay nothing."""


def recorded_transitions(game: Game, options: dict[str, Any]) -> Transitions:
    """What happens when random actions play a few games to their ends and beyond."""
    of_game = {name: options[name] for name in options if name in game.option_names}
    batch = GameBatch(game, _NoReward(), TRIAL_GAMES, **of_game)
    batch.reset(np.arange(TRIAL_GAMES), range(TRIAL_GAMES))
    action_space = copy.deepcopy(game.action_space)
    action_space.seed(0)
    count = TRIAL_STEPS * TRIAL_GAMES
    seen = Transitions(game.states(count), game.actions(count), game.states(count))
    for start in range(0, count, TRIAL_GAMES):
        now = slice(start, start + TRIAL_GAMES)
        seen.actions[now] = [action_space.sample() for _ in range(TRIAL_GAMES)]
        done_rows = batch.step(seen.actions[now])
        seen.before[now], seen.after[now] = batch.before, batch.states
        batch.restart(done_rows)
    return seen


def try_term(term: Term, transitions: Transitions) -> None:
    """Call a term on real transitions, interpreted.

    Raises:
        RewardError: naming file and line, if it does not return one finite number for each.
    """
    file = inspect.getfile(term.function)
    place = _place(term)
    try:
        inspect.signature(term.function).bind(None, None, None)
    except TypeError:
        raise RewardError(
            f"{place}: `{term.name}` must take three arguments, (before, action, after)"
        ) from None
    for before, action, after in zip(*transitions, strict=True):
        try:
            value = term.function(before.copy(), action.copy(), after.copy())
        except (Exception, SystemExit) as error:
            raise RewardError(f"{where(error, file)}: {describe(error)}") from None
        if not isinstance(value, (bool, int, float, np.bool_, np.integer, np.floating)):
            raise RewardError(
                f"{place}: `{term.name}` must return a number, but returned {value!r:.80}"
            )
        if not np.isfinite(value):
            raise RewardError(f"{place}: `{term.name}` returned {value}; rewards must be finite")


def choose_kernel(term: Term, game: Game, transitions: Transitions) -> Any:
    """The term compiled, if that gives the values of plain Python, else interpreted; checked."""
    plain = plain_kernel(term)
    try:
        fast = compiled_kernel(term, game)
    except NumbaError as error:
        reason = describe(error).split(" File ")[0]
        problem = f"cannot be compiled ({reason:.160})"
    else:
        if np.allclose(_values(plain, transitions), _values(fast, transitions), 1e-9, 1e-12):
            return _checked(term, fast)
        problem = "gives other values when compiled"
    warnings.warn(
        f"reward `{term.name}` {problem}; it runs as plain Python, some thousand times slower",
        stacklevel=2,
    )
    return _checked(term, plain)


def _checked(term: Term, kernel: Callable[..., None]) -> Callable[..., None]:
    """`kernel`, saying where and when if the term fails in a state that no trial met."""
    file = inspect.getfile(term.function)

    def checked_kernel(
        before: Any, actions: Any, after: Any, weight: Any, first: Any, row: Any, total: Any
    ) -> None:
        try:
            kernel(before, actions, after, weight, first, row, total)
        except (Exception, SystemExit) as error:
            place = where(error, file)
            place = _place(term) if place == file else place  # compiled code has no lines
            raise RewardError(f"{place}: {describe(error)}") from None
        if not np.isfinite(row).all():
            i = int(np.flatnonzero(~np.isfinite(row))[0])
            state = ", ".join(f"{name}={after[i][name]:.6g}" for name in after.dtype.names)
            raise RewardError(
                f"{_place(term)}: `{term.name}` returned {row[i]} where after was {state}; "
                "rewards must be finite"
            )

    return checked_kernel


def _place(term: Term) -> str:
    """`file:line` at which a term begins."""
    code = inspect.unwrap(term.function).__code__
    return f"{inspect.getfile(term.function)}:{code.co_firstlineno}"


def _values(kernel: Callable[..., None], transitions: Transitions) -> Any:
    row, total = np.zeros((2, len(transitions.after)))
    kernel(*transitions, 1.0, True, row, total)
    return row
