"""Planning with a simulator: try sequences of actions, then take the first action of the best one.

The simulator (`agent.Lookahead`) provides the observations, and a model predicts their rewards.
Choosing the best of many random sequences is called random shooting (Nagabandi et al., "Neural
network dynamics for model-based deep reinforcement learning with model-free fine-tuning", 2018,
section IV.C).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from gymnasium.spaces import Discrete, Space

from agents.agent import Array, Lookahead
from agents.sticky_actions import persist, random_actions

Predict = Callable[[Array, Array], tuple[Array, Array]]
"""Maps observations and actions to rewards (n,) and probabilities (n,) that the episode ends."""


def sequences(
    space: Space[Any], horizon: int, most: int, persistence: float, generator: np.random.Generator
) -> Array:
    """Return at most `most` sequences of actions to try, (horizon, m, ...).

    If actions are discrete and there are no more than `most` sequences, all of them are returned.
    Otherwise they are random. Each action is held for `persistence` steps on average, and each
    discrete action is the first one equally often.
    """
    if isinstance(space, Discrete):
        choices = int(space.n)
        if choices**horizon <= most:
            return int(space.start) + np.indices((choices,) * horizon).reshape(horizon, -1)
        held = int(space.start) + np.arange(most) % choices
    else:
        held = random_actions(space, most, generator)
    sampled = [held]
    for _ in range(horizon - 1):
        sampled.append(persist(space, sampled[-1], persistence, generator))
    return np.stack(sampled)


def plan(
    observations: Array,
    candidates: Array,
    lookahead: Lookahead | None,
    predict: Predict,
    gamma: float,
) -> tuple[Array, Array]:
    """Return the first action (n, ...) of each environment's best sequence, and its return (n,).

    The `candidates` (horizon, m, ...) are tried in each of n environments with current observations
    (n, ...). Their return is the sum over t of gamma^t r_t, where r_t is multiplied by the
    probability that the episode has not ended before. Horizon 1 needs no lookahead.
    """
    environments, count = len(observations), candidates.shape[1]
    actions = np.concatenate([candidates] * environments, 1)
    total, going_on = np.zeros(environments * count), np.ones(environments * count)
    for seen, chosen in zip(_seen(observations, actions, lookahead), actions, strict=True):
        rewards, ends = predict(seen, chosen)
        total += going_on * rewards
        going_on *= gamma * (1.0 - ends)
    total = total.reshape(environments, count)
    return candidates[0][total.argmax(1)], total.max(1)


def _seen(observations: Array, actions: Array, lookahead: Lookahead | None) -> Iterator[Array]:
    """Yield the observations before each action: the current ones, then simulated ones."""
    yield np.repeat(observations, actions.shape[1] // len(observations), 0)
    if len(actions) > 1:
        assert lookahead is not None
        yield from lookahead.futures(actions[:-1])
