"""From a user's term to the loop that runs it: compiled where that gives the same values."""

from __future__ import annotations

import dis
import importlib
import inspect
import linecache
import re
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from envs.compilation import nested, reached
from envs.game import Game
from rewards.expression import RewardError, parse
from rewards.loading import Term, describe, load_term, place_of, where
from rewards.trial import Outcome, Transitions
from rewards.weighted_sum import compiled_kernel, plain_kernel

Kernel = Callable[..., None]
TIMED = 300  # steps that an interpreted term is timed on


def choose_kernel(
    term: Term, game: Game, rewards: str, transitions: Transitions, outcome: Outcome
) -> tuple[Kernel, list[str]]:
    """The term compiled, if that gives the values of plain Python, else interpreted; checked.

    Args:
        term: one that can be used.
        game: the game to be rewarded.
        rewards: its module of rewards.
        transitions: what both are compared on.
        outcome: of the trial on these.

    Returns:
        The kernel and, if it is interpreted, a warning that says why and how much slower.
    """
    plain = plain_checked(term)
    if not outcome.repeatable:
        return plain, []
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Numba's, about its own ways
            fast = compiled_checked(term, game)
    except Exception as error:  # Numba's own, and whatever else it stumbles over
        problem = f"cannot be compiled: {_culprit(term, error)}"
    else:
        if np.allclose(outcome.values, values(fast, transitions), 1e-9, 1e-12):
            return fast, []
        problem = "gives other values when compiled"
    slower = _times_slower(plain, game, rewards, transitions)
    warning = f"reward `{term.name}` {problem}; it runs as plain Python, {slower:,} times slower"
    return plain, [warning]


def own_kernel(term: Term, game: Game) -> Kernel:
    """One of the project's terms, which some variants of its game have no fields for.

    Raises:
        RewardError: for such a term.
    """
    try:
        return compiled_kernel(term, game)
    except KeyError as error:  # Numba's way of saying that a record has no such field
        raise RewardError(
            f"the term `{term.name}` needs the state's field `{error.args[0]}`, which {game.name} "
            f"has not; it has {', '.join(game.state.names or ())}"
        ) from None


def _culprit(term: Term, error: Exception) -> str:
    """The user's line that Numba stumbled over, which it names last."""
    file = inspect.getfile(inspect.unwrap(term.function))
    name = re.escape(re.split(r"[/\\]", file)[-1])
    lines = re.findall(rf'{name}"?,? (?:line |\()(\d+)', str(error))
    if not lines:
        return f"something in it is more than the compiler, Numba, understands ({_short(error)})"
    text = linecache.getline(file, int(lines[-1])).strip()
    return f"line {lines[-1]} is more than the compiler, Numba, understands: `{text[:60]}`"


def _short(error: Exception) -> str:
    return describe(error)[:80]


def _times_slower(plain: Kernel, game: Game, rewards: str, transitions: Transitions) -> int:
    """How much longer `plain` takes than the game's own reward, compiled; to two digits."""
    own = parse(importlib.import_module(rewards).DEFAULT[game.name])[0].term
    fast = compiled_kernel(load_term(own, rewards), game)
    count = len(transitions.after)
    some = min(count, TIMED)
    ratio = (_seconds(plain, transitions, some) / some) / (
        _seconds(fast, transitions, count) / count
    )
    return int(float(f"{max(ratio, 1.0):.1e}"))


def _seconds(kernel: Kernel, transitions: Transitions, count: int) -> float:
    """For the first `count` steps, at best."""
    arrays = [array[:count].copy() for array in transitions]
    row, total = np.zeros((2, count))
    seconds = []
    for _ in range(3):
        began = time.perf_counter()
        kernel(*arrays, 1.0, True, row, total)
        seconds.append(time.perf_counter() - began)
    return max(min(seconds), 1e-9)


def values(kernel: Kernel, transitions: Transitions) -> Any:
    """The term's values (n,)."""
    row, total = np.zeros((2, len(transitions.after)))
    kernel(*(array.copy() for array in transitions), 1.0, True, row, total)
    return row


def compiled_checked(term: Term, game: Game) -> Kernel:
    """The term compiled, and checked.

    Raises:
        Exception: whatever Numba raises if it cannot compile the term.
    """
    return _checked(term, compiled_kernel(term, game), writes=_may_write(term))


def plain_checked(term: Term) -> Kernel:
    """The term interpreted, and checked."""
    return _checked(term, plain_kernel(term), writes=True)


def _may_write(term: Term) -> bool:
    """Is there anything in the term by which compiled code could change a record?"""
    codes = [code for f in reached(term.function) for code in nested(f.__code__)]
    instructions = [step for code in codes for step in dis.get_instructions(code)]
    return any(
        step.opname in ("STORE_ATTR", "STORE_SUBSCR") or step.argval == "setattr"
        for step in instructions
    )


def _checked(term: Term, kernel: Kernel, writes: bool) -> Kernel:
    """`kernel`, saying where and when the term fails in a state that no trial met.

    A user's term that `writes` into what it is given must not change the game: it gets copies.
    """
    file = inspect.getfile(inspect.unwrap(term.function))

    def checked_kernel(
        before: Any, actions: Any, after: Any, weight: Any, first: Any, row: Any, total: Any
    ) -> None:
        if writes:
            before, after = before.copy(), after.copy()
        try:
            kernel(before, actions.copy(), after, weight, first, row, total)
        except (Exception, SystemExit) as error:
            place = where(error, file)
            place = (
                place_of(term.function) if place == file else place
            )  # compiled code has no lines
            raise RewardError(f"{place}: {describe(error)}") from None
        if not np.isfinite(row).all():
            i = int(np.flatnonzero(~np.isfinite(row))[0])
            state = ", ".join(f"{name}={after[i][name]:.6g}" for name in after.dtype.names)
            raise RewardError(
                f"{place_of(term.function)}: `{term.name}` returned {row[i]} where after was "
                f"{state}; rewards must be finite"
            )

    return checked_kernel
