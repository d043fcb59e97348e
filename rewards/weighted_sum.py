"""A reward put to use: terms compiled apart, kept apart, and added up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from envs.compilation import compiled, direct
from envs.game import Game
from rewards.loading import Term, distinct_names

Array = np.ndarray[Any, Any]


class WeightedSum:
    """sum of weight_k * term_k(before, action, after), over a batch of games.

    It is an `envs.batch.Reward`. `expression` is how the user wrote it; `kernels` are loops over
    (before, actions, after, weight, first, row, total), one a term.
    """

    def __init__(
        self,
        expression: str,
        weights: list[float],
        terms: list[Term],
        kernels: list[Callable[..., None]],
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

    def __call__(
        self, before: Array, actions: Array, after: Array, terms: list[Array], total: Array
    ) -> None:
        """Write each term into its array of `terms` (n,) and the sums into `total` (n,)."""
        for kernel, weight, first, k in self._weighted:
            kernel(before, actions, after, weight, first, terms[k], total)


def compiled_kernel(term: Term, game: Game) -> Callable[..., None]:
    """One term compiled for the states and actions of `game`.

    Only the project's own terms are kept on disk: a user's file may import anything.

    Raises:
        numba.core.errors.NumbaError: if Numba cannot compile it.
    """
    return direct(compiled(plain_kernel(term), cache=not term.own), *_arguments(game))


def plain_kernel(term: Term) -> Callable[..., None]:
    """The same loop interpreted, for what Numba cannot compile."""
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


def _arguments(game: Game) -> tuple[Any, ...]:
    """Arguments of the types that a kernel is called with."""
    return game.states(1), game.actions(1), game.states(1), 1.0, True, np.zeros(1), np.zeros(1)
