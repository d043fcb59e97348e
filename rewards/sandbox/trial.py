"""A user's term is tried in plain Python before anything is trained on it."""

from __future__ import annotations

import inspect
import re
import time
from typing import Any, NamedTuple

import numpy as np

from envs.engine.game import Game
from envs.names import suggest
from rewards.check.recorded_games import Recording, recorded
from rewards.expression import RewardError
from rewards.terms import Term, describe, place_of, where

ASKED_AGAIN = 100  # transitions


class Transitions(NamedTuple):
    """Steps of real games: records before, actions, records after; each of length n."""

    before: Any
    actions: Any
    after: Any


def recorded_transitions(game: Game, options: dict[str, Any], rewards: str = "") -> Transitions:
    """Recorded steps with every kind of moment that the module `rewards` knows of, some thousand.

    Raises:
        ValueError: for an impossible option of the game.
    """
    return tried_transitions(recorded(game, rewards, options))


def tried_transitions(recording: Recording) -> Transitions:
    """The steps of a recording that terms are tried on."""
    return transitions_at(recording, recording.tried())


def transitions_at(recording: Recording, rows: Any) -> Transitions:
    """Some steps of a recording, as kernels want them."""
    return Transitions(*(array[rows].view(np.ndarray) for array in recording.steps[:3]))


class Outcome(NamedTuple):
    """Of the trial of a term that can be used."""

    values: Any
    """(n,) what it returned."""
    repeatable: bool
    """It returns the same for the same."""
    warnings: list[str]


def try_term(term: Term, game: Game, transitions: Transitions, seconds: float) -> Outcome:
    """Call a term on real transitions, interpreted.

    Raises:
        RewardError: naming file and line, if it does not return one finite number for each, or
            takes longer than `seconds` for all of them.
    """
    place = place_of(term.function)
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
                f"{place}: `{term.name}` is too slow: {_time(each)} for each step; with 1,024 "
                f"games a step of training would take {_time(1024 * each)}"
            )
    for k in range(0, len(values), max(1, len(values) // ASKED_AGAIN)):
        value = _number(term, _call(term, game, transitions, k))
        if value != values[k]:
            warnings.append(
                f"reward `{term.name}` is not the same twice: for one and the same step it "
                f"returned {values[k]:g}, then {value:g}; let it depend on nothing but before, "
                "action and after. It runs as plain Python"
            )
            return Outcome(np.array(values), False, warnings)
    return Outcome(np.array(values), True, warnings)


def _time(seconds: float) -> str:
    """Two digits, in the unit that people would take."""
    if seconds >= 120.0:
        return f"{seconds / 60.0:,.0f} minutes"
    if seconds >= 0.95:
        return f"{seconds:.1f} s"
    return f"{1e3 * seconds:.0f} ms" if seconds >= 0.01 else f"{1e3 * seconds:.2g} ms"


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
            called = f"{called}." if asked is not None else ""
            return f"`{called}{name}`: no such field; {suggest(name, known)}"
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
    place = place_of(term.function)
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
