"""A user's term is tried in plain Python before anything is trained on it, and then compiled."""

from __future__ import annotations

import copy
import difflib
import inspect
import re
import time
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
ASKED_AGAIN = 100  # transitions


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


def try_term(term: Term, game: Game, transitions: Transitions, seconds: float) -> list[str]:
    """Call a term on real transitions, interpreted.

    Returns:
        Warnings: it changes what it is given, it does not give the same value twice.

    Raises:
        RewardError: naming file and line, if it does not return one finite number for each, or
            takes longer than `seconds` for all of them.
    """
    place = place_of(term)
    try:
        inspect.signature(term.function).bind(None, None, None)
    except TypeError:
        raise RewardError(
            f"{place}: `{term.name}` must take three arguments, (before, action, after); "
            "a function that only helps others is named with a _ in front"
        ) from None
    locked = Transitions(*(array.copy() for array in transitions))
    for array in locked:
        array.flags.writeable = False
    values, warnings = [], []
    began = time.perf_counter()
    for k in range(len(locked.after)):
        try:
            value = _call(term, game, locked, k)
        except _ReadOnlyError as error:
            changed = ", ".join(_changed(term, transitions, k)) or "what it is given"
            warnings.append(
                f"reward `{term.name}` changes {changed} at {error}; it gets copies, so that the "
                "game does not notice, but a reward had better only look"
            )
            locked = Transitions(*(array.copy() for array in transitions))
            value = _call(term, game, locked, k)
        values.append(_number(term, value))
        if time.perf_counter() - began > seconds:
            each = (time.perf_counter() - began) / len(values)
            raise RewardError(
                f"{place}: `{term.name}` is too slow: {1e3 * each:.2g} ms for each step; with "
                "1,024 games a step of training would take "
                f"{1024 * each:.2g} s"
            )
    again = range(0, len(values), max(1, len(values) // ASKED_AGAIN))
    for k in again:
        value = _number(term, _call(term, game, transitions, k))
        if value != values[k]:
            warnings.append(
                f"reward `{term.name}` ({place}) is not the same twice: for one and the same step "
                f"it returned {values[k]:g}, then {value:g}; it should depend on nothing but "
                "before, action and after"
            )
            break
    return warnings


class _ReadOnlyError(Exception):
    """A term changes what it is given, at the place that this says."""


def _call(term: Term, game: Game, transitions: Transitions, k: int) -> Any:
    """The term's value of transition `k`.

    Raises:
        RewardError: naming file and line, if it fails.
    """
    arguments = [array[k] for array in transitions]
    file = inspect.getfile(term.function)
    try:
        return term.function(*arguments)
    except (Exception, SystemExit) as error:
        place = where(error, file)
        if isinstance(error, ValueError) and "read-only" in str(error):
            raise _ReadOnlyError(place) from None
        problem = _unknown_field(error, arguments, game) or describe(error)
        raise RewardError(f"{place}: {problem}") from None


def _unknown_field(error: BaseException, arguments: list[Any], game: Game) -> str | None:
    """What to say of a field that does not exist; None for any other error."""
    missing = re.match(r"no field of name (\w+)", str(error))  # of after["..."]
    if missing is None and not isinstance(error, AttributeError):
        return None
    name = missing[1] if missing else str(getattr(error, "name", None))
    asked = getattr(error, "obj", None)
    for argument, called in zip(arguments, ("before", "action", "after"), strict=True):
        if argument is asked or missing:
            if called == "action":
                break
            known = game.state.names or ()
            close = difflib.get_close_matches(name, known, 1)
            hint = f"did you mean `{close[0]}`?" if close else f"there are {', '.join(known)}"
            called = f"{called}." if asked is not None else ""
            return f"`{called}{name}`: no such field; {hint}"
    if asked is not None and asked is arguments[1]:
        return f"`action.{name}`: no such field; {_about_actions(game)}"
    return None


def _about_actions(game: Game) -> str:
    if game.action_space.shape:
        parts = ", ".join(f"action[{k}] {name}" for k, name in enumerate(game.action_names))
        return f"the action is an array: {parts}"
    parts = ", ".join(f"{k} {name}" for k, name in enumerate(game.action_names))
    return f"the action is a number: {parts}"


def _changed(term: Term, transitions: Transitions, k: int) -> list[str]:
    """The fields that a term writes into."""
    copies = Transitions(*(array.copy() for array in transitions))
    _call_quietly(term, [array[k] for array in copies])
    changed = []
    for called, given, left in zip(("before", "action", "after"), transitions, copies, strict=True):
        names = given.dtype.names or ()
        if not names and not np.array_equal(given[k], left[k]):
            changed.append(f"`{called}`")
        changed += [f"`{called}.{name}`" for name in names if given[k][name] != left[k][name]]
    return changed


def _call_quietly(term: Term, arguments: list[Any]) -> None:
    try:
        term.function(*arguments)
    except Exception:
        return


def _number(term: Term, value: Any) -> float:
    """`value`, if it may be one.

    Raises:
        RewardError: if it is not one finite number.
    """
    place = place_of(term)
    if not isinstance(value, (bool, int, float, np.bool_, np.integer, np.floating)):
        raise RewardError(
            f"{place}: `{term.name}` must return a number, but returned {_shown(value)}"
        )
    try:
        number = float(value)
    except OverflowError:
        raise RewardError(
            f"{place}: `{term.name}` returned a whole number too large for a reward"
        ) from None
    if not np.isfinite(number):
        raise RewardError(f"{place}: `{term.name}` returned {value}; rewards must be finite")
    return number


def _shown(value: Any) -> str:
    """A value that is no number, and what it may come from."""
    if value is None:
        return "None; is there a `return` on every way through it?"
    if inspect.iscoroutine(value):
        value.close()
        return "a coroutine; write `def`, not `async def`"
    if inspect.isgenerator(value):
        return "a generator; write `return`, not `yield`"
    try:
        return f"{value!r:.80}".replace("\n", " ")
    except Exception:
        return f"something of type {type(value).__name__}"


def choose_kernel(
    term: Term, game: Game, transitions: Transitions
) -> tuple[Callable[..., None], str | None]:
    """The term compiled, if that gives the values of plain Python, else interpreted; checked.

    Returns:
        The kernel and, if it is interpreted, a warning that says why and how much slower.
    """
    plain = plain_kernel(term)
    try:
        fast = compiled_kernel(term, game)
    except (NumbaError, KeyError) as error:
        problem = f"cannot be compiled ({describe(error):.160})"
    else:
        if np.allclose(_values(plain, transitions), _values(fast, transitions), 1e-9, 1e-12):
            return checked(term, fast), None
        problem = "gives other values when compiled"
    warning = f"reward `{term.name}` {problem}; it runs as plain Python, some thousand times slower"
    return checked(term, plain), warning


def checked(term: Term, kernel: Callable[..., None]) -> Callable[..., None]:
    """`kernel`, saying where and when if the term fails in a state that no trial met."""
    file = inspect.getfile(term.function)

    def checked_kernel(
        before: Any, actions: Any, after: Any, weight: Any, first: Any, row: Any, total: Any
    ) -> None:
        try:
            kernel(before, actions, after, weight, first, row, total)
        except (Exception, SystemExit) as error:
            place = where(error, file)
            place = place_of(term) if place == file else place  # compiled code has no lines
            raise RewardError(f"{place}: {describe(error)}") from None
        if not np.isfinite(row).all():
            i = int(np.flatnonzero(~np.isfinite(row))[0])
            state = ", ".join(f"{name}={after[i][name]:.6g}" for name in after.dtype.names)
            raise RewardError(
                f"{place_of(term)}: `{term.name}` returned {row[i]} where after was {state}; "
                "rewards must be finite"
            )

    return checked_kernel


def place_of(term: Term) -> str:
    """`file:line` at which a term begins."""
    code = inspect.unwrap(term.function).__code__
    return f"{inspect.getfile(term.function)}:{code.co_firstlineno}"


def _values(kernel: Callable[..., None], transitions: Transitions) -> Any:
    row, total = np.zeros((2, len(transitions.after)))
    kernel(*transitions, 1.0, True, row, total)
    return row
