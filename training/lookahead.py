"""Lookahead: copies of games in which an agent tries actions, with the game's compiled step."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from agents.agent import Array, Lookahead
from envs.engine.batch import GameBatch
from envs.engine.capabilities import game_batch_of

OTHER_RANDOMNESS = np.uint64(0x5DEECE66D5DEECE6)  # any bits: copies must not foresee chance


def make_lookahead(environment: Any) -> Lookahead | None:
    """Return the lookahead of an environment or a vector of them; None if it is no game of ours."""
    batch = game_batch_of(environment)
    return None if batch is None else GameLookahead(batch)


class GameLookahead:
    """Predicts observations in copies of a batch of games, from their present states."""

    def __init__(self, batch: GameBatch) -> None:
        self._batch = batch

    def futures(self, actions: Array) -> Iterator[Array]:
        """See `agents.agent.Lookahead`."""
        batch, count = self._batch, actions.shape[1]
        copies = count // batch.count
        states, observations = (
            np.repeat(array, copies, 0) for array in (batch.states, batch.observations)
        )
        states["rng"] ^= OTHER_RANDOMNESS
        after, scores = states.copy(), np.zeros(count)
        flags, done = np.zeros((3, count), np.bool_), np.zeros(count, np.intp)
        chosen = batch.game.actions(count)
        for row in actions:
            chosen[:] = row
            last = observations
            observations = np.empty_like(last)
            batch.kernels.step(
                states, chosen, after, batch.options_record, last, observations, scores, flags, done
            )
            states, after = after, states
            yield observations
