"""A reward put to use: terms compiled apart, kept apart, and added up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from envs.engine.capabilities import game_batch_of
from rewards.terms import Term, distinct_names

Array = np.ndarray[Any, Any]


class WeightedSum:
    """sum of weight_k * term_k(before, action, after), over a batch of games.

    It is an `envs.engine.batch.Reward`. `expression` is the text; `kernels` are loops over
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


def reward_of(environment: Any) -> WeightedSum | None:
    """Return the reward of one of our games, single or vector; None for other environments."""
    batch = game_batch_of(environment)
    return batch.reward if batch is not None and isinstance(batch.reward, WeightedSum) else None


def plain_kernel(term: Term) -> Callable[..., None]:
    """The loop over a term, interpreted."""
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


def values(kernel: Callable[..., None], before: Array, actions: Array, after: Array) -> Array:
    """What the term of a kernel pays for steps (n,): (n,)."""
    row, total = np.zeros((2, len(after)))
    kernel(before.copy(), actions.copy(), after.copy(), 1.0, True, row, total)
    return row
