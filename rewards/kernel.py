"""From a user's term to the loop that runs it: compiled where that gives the same values."""

from __future__ import annotations

import importlib
import inspect
import linecache
import re
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from envs.engine.compilation import compiled, direct
from envs.engine.game import Game
from rewards.expression import parse
from rewards.guards import Kernel, checked, may_write, missing_field, plain_checked
from rewards.sandbox.trial import Outcome, Transitions
from rewards.terms import Term, describe, load_term
from rewards.weighted_sum import plain_kernel, values

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
        if np.allclose(outcome.values, values(fast, *transitions), 1e-9, 1e-12):
            return fast, []
        problem = "gives other values when compiled"
    slower = _times_slower(plain, game, rewards, transitions)
    warning = f"reward `{term.name}` {problem}; it runs as plain Python, {slower:,} times slower"
    return plain, [warning]


def compiled_kernel(term: Term, game: Game) -> Callable[..., None]:
    """One term compiled for the states and actions of `game`.

    Only the project's own terms are kept on disk: a user's file may import anything.

    Raises:
        numba.core.errors.NumbaError: if Numba cannot compile it.
    """
    return direct(compiled(plain_kernel(term), cache=not term.own), *_arguments(game))


def own_kernel(term: Term, game: Game) -> Kernel:
    """One of the project's terms, which some variants of its game have no fields for.

    Raises:
        RewardError: for such a term.
    """
    try:
        return compiled_kernel(term, game)
    except KeyError as error:  # Numba's way of saying that a record has no such field
        raise missing_field(term, game, error.args[0]) from None


def _arguments(game: Game) -> tuple[Any, ...]:
    """Arguments of the types that a kernel is called with."""
    return game.states(1), game.actions(1), game.states(1), 1.0, True, np.zeros(1), np.zeros(1)


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


def compiled_checked(term: Term, game: Game) -> Kernel:
    """The term compiled, and checked.

    Raises:
        Exception: whatever Numba raises if it cannot compile the term.
    """
    return checked(term, compiled_kernel(term, game), writes=may_write(term))
