"""Loops over a user's terms that say where and when one fails, and let it change nothing."""

from __future__ import annotations

import dis
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from envs.engine.fingerprint import nested, reached
from envs.engine.game import Game
from rewards.expression import RewardError
from rewards.terms import Term, describe, place_of, where
from rewards.weighted_sum import plain_kernel

Kernel = Callable[..., None]


def plain_checked(term: Term) -> Kernel:
    """The term interpreted, and checked."""
    return checked(term, plain_kernel(term), writes=True)


def may_write(term: Term) -> bool:
    """Is there anything in the term by which compiled code could change a record?"""
    codes = [code for f in reached(term.function) for code in nested(f.__code__)]
    instructions = [step for code in codes for step in dis.get_instructions(code)]
    return any(
        step.opname in ("STORE_ATTR", "STORE_SUBSCR") or step.argval == "setattr"
        for step in instructions
    )


def checked(term: Term, kernel: Kernel, writes: bool) -> Kernel:
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


def missing_field(term: Term, game: Game, field: str) -> RewardError:
    """What to say of one of the project's terms that is about another variant of its game."""
    return RewardError(
        f"the term `{term.name}` needs the state's field `{field}`, which {game.name} has not; it "
        f"has {', '.join(game.state.names or ())}"
    )
