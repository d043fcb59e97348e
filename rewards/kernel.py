"""From a reward term to the loop that runs it, and the weighted sum of several terms.

A kernel is a loop over (before, actions, after, weight, first, row, total): it writes the term into
`row` and adds `weight` times the term to `total`, or sets `total` where the term is the `first`.
"""

from __future__ import annotations

import dis
from collections.abc import Callable
from pickle import PicklingError
from typing import Any

import numpy as np

from envs.engine.fingerprint import nested, reached
from envs.engine.game import Game
from rewards.errors import describe, where
from rewards.expression import RewardError, parse, written
from rewards.guard import Call, LimitedCall, is_interruption
from rewards.terms import Term, distinct_names

Array = np.ndarray[Any, Any]
Kernel = Callable[..., None]
LARGEST = 1e38
"""Largest reward; agents calculate in float32, which ends at 3.4e38."""


class WeightedSum:
    """sum of weight_k * term_k(before, action, after), over a batch of games.

    It is an `envs.engine.batch.Reward`. `expression` is the text that it was made from; there is
    one kernel per term. A pickle of it holds `origin`, a function and its arguments that make it
    again, because compiled code cannot be pickled.
    """

    origin: tuple[Callable[..., WeightedSum], tuple[Any, ...]] | None = None

    def __init__(
        self, expression: str, weights: list[float], terms: list[Term], kernels: list[Kernel]
    ) -> None:
        self.expression = expression
        self.weights = weights
        self.terms = terms
        self.names = distinct_names(terms)
        self.kernels = kernels
        self._weighted = [
            (kernel, weight, k == 0, k)
            for k, (kernel, weight) in enumerate(zip(kernels, weights, strict=True))
        ]

    @property
    def title(self) -> str:
        """The expression, with the present names of terms that were renamed."""
        if not any(term.warning for term in self.terms):
            return self.expression
        pairs = zip(parse(self.expression), self.terms, strict=True)
        return written([p._replace(term=t.function.__name__) if t.warning else p for p, t in pairs])

    def __reduce__(self) -> tuple[Any, ...]:
        if self.origin is None:
            raise PicklingError(f"the reward {self.expression} was not made by rewards.make")
        return self.origin

    def __deepcopy__(self, memo: dict[int, Any]) -> WeightedSum:
        return self  # it has no state

    def __call__(
        self, before: Array, actions: Array, after: Array, terms: list[Array], total: Array
    ) -> None:
        """Write each term into its array of `terms` (n,) and the sums into `total` (n,)."""
        for kernel, weight, first, k in self._weighted:
            kernel(before, actions, after, weight, first, terms[k], total)


def plain_kernel(term: Term) -> Kernel:
    """Return the interpreted loop over a term."""
    function = term.function

    def reward_kernel(
        before: Any, actions: Any, after: Any, weight: Any, first: Any, row: Any, total: Any
    ) -> None:
        for i in range(len(row)):
            row[i] = function(before[i], actions[i], after[i])
            if first:
                total[i] = weight * row[i]
            else:
                total[i] += weight * row[i]

    return reward_kernel


def compiled_kernel(term: Term, game: Game) -> Kernel:
    """Return the loop over a term, compiled for the states and actions of `game`.

    Only built-in terms are cached on disk. The code of a user's term may depend on modules that the
    cache cannot check, and every edit would push one of the games' own kernels out of the cache.

    Raises:
        numba.core.errors.NumbaError: if Numba cannot compile it.
    """
    # imported late: `check` shows what a reward pays before it waits for Numba
    from envs.engine.compilation import compiled, direct

    states, actions, numbers = game.states(1), game.actions(1), np.zeros(1)
    if term.from_user:
        actions = exact_actions(actions)
    arguments = (states, actions, states, 1.0, True, numbers, numbers)
    return direct(compiled(plain_kernel(term), cache=not term.from_user), *arguments)


def builtin_kernel(term: Term, game: Game) -> Kernel:
    """Return the compiled loop over a built-in term or a learned reward.

    Raises:
        RewardError: if the term needs a field that only another variant of the game has.
    """
    if term.folder is not None:
        learned: Any = term.function
        return learned.kernel(game)
    try:
        return compiled_kernel(term, game)
    except KeyError as error:  # how Numba reports that a record has no such field
        raise missing_field(term, game, error.args[0]) from None


def checked_kernel(term: Term, game: Game, compile_it: bool) -> Kernel:
    """Return the loop over a user's term, compiled or interpreted.

    It reports where and when the term fails in a state that its trial did not meet, and the term
    cannot change the game.

    Raises:
        Exception: whatever Numba raises if it cannot compile the term.
    """
    kernel = compiled_kernel(term, game) if compile_it else plain_kernel(term)
    writes = not compile_it or _may_write(term)
    guarded = (Call if compile_it else LimitedCall)(term.name, term.place, term.user_files)

    def kernel_with_checks(
        before: Any, actions: Any, after: Any, weight: Any, first: Any, row: Any, total: Any
    ) -> None:
        if writes:  # the game keeps its states, the term gets copies
            before, after = before.copy(), after.copy()
        try:
            with guarded:
                kernel(before, exact_actions(actions), after, weight, first, row, total)
        except BaseException as error:
            if is_interruption(error):
                raise
            # compiled code has no line numbers
            place = where(error, term.user_files) or term.place
            raise RewardError(f"{place}: {describe(error)}") from None
        if not np.abs(total).max() <= LARGEST:  # also true for NaN
            raise _too_large(term, row, total, after)

    return kernel_with_checks


def measuring_kernel(kernel: Kernel) -> Kernel:
    """Return the loop over a term that is measured, and not paid; where it fails, it is 0."""

    def measure(
        before: Any, actions: Any, after: Any, weight: Any, first: Any, row: Any, total: Any
    ) -> None:
        try:
            kernel(before, actions, after, 1.0, True, row, np.zeros_like(row))
        except RewardError:
            row[:] = 0.0

    return measure


def exact_actions(actions: Array) -> Array:
    """Return a copy of actions (n, ...) in which float32 numbers are float64.

    Plain Python would calculate with float32, compiled code with float64. The results would differ
    in the last digits, and at a limit such as `action[0] > 0.9` altogether.
    """
    return actions.astype(np.float64 if actions.dtype == np.float32 else actions.dtype)


def _too_large(term: Term, row: Array, total: Array, after: Array) -> RewardError:
    """Return the error for rewards of which one is NaN or too large."""
    i = int(np.flatnonzero(~(np.abs(total) <= LARGEST))[0])
    state = ", ".join(f"{name}={after[i][name]:.6g}" for name in after.dtype.names or ())
    # an array keeps None as NaN
    paid = "nan or None" if np.isnan(row[i]) else f"{row[i]:.6g}"
    whole = (
        ""
        if np.isnan(row[i]) or row[i] == total[i]
        else f", and the weighted sum is {total[i]:.6g},"
    )
    return RewardError(
        f"{term.place}: `{term.name}` returned {paid}{whole} for after: {state}; rewards "
        f"must be finite and at most {LARGEST:.0e}"
    )


def _may_write(term: Term) -> bool:
    """Return whether the term has an instruction with which compiled code can change a record."""
    codes = [code for f in reached(term.function) for code in nested(f.__code__)]
    return any(
        step.opname in ("STORE_ATTR", "STORE_SUBSCR") or step.argval == "setattr"
        for code in codes
        for step in dis.get_instructions(code)
    )


def missing_field(term: Term, game: Game, field: str) -> RewardError:
    """Return the error for a built-in term that belongs to another variant of its game."""
    return RewardError(
        f"the term `{term.name}` needs the field `{field}`; {game.name} has no such field, it has "
        f"{', '.join(game.state.names or ())}"
    )


def values(kernel: Kernel, before: Array, actions: Array, after: Array) -> Array:
    """Return what the term of a kernel pays for steps (n,), as an array (n,)."""
    row, total = np.zeros((2, len(after)))
    kernel(before.copy(), actions.copy(), after.copy(), 1.0, True, row, total)
    return row
