"""Acting by looking ahead: try sequences of actions in thought, take the best one's first action.

What would be seen comes from a lookahead, what it is worth from predictions. The best of many
sequences drawn at random is "random shooting" (Nagabandi et al. 2018, "Neural network dynamics for
model-based deep reinforcement learning with model-free fine-tuning", section IV.C).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from gymnasium import spaces

from agents.agent import Array, Lookahead
from agents.sticky_actions import persist, random_actions

Predict = Callable[[Array, Array], tuple[Array, Array]]
"""(observations, actions) to rewards (n,) and the probabilities (n,) that the episode ends."""


def sequences(
    space: spaces.Space[Any],
    horizon: int,
    most: int,
    persistence: float,
    generator: np.random.Generator,
) -> Array:
    """Sequences to be tried (horizon, m, ...), at most `most`.

    All that there are of discrete actions, if they are no more than that. Else drawn at random,
    each action held for `persistence` steps on average; of discrete ones each equally often first.
    """
    if isinstance(space, spaces.Discrete):
        choices = int(space.n)
        if choices**horizon <= most:
            return int(space.start) + np.indices((choices,) * horizon).reshape(horizon, -1)
        held = int(space.start) + np.arange(most) % choices
    else:
        held = random_actions(space, most, generator)
    drawn = [held]
    for _ in range(horizon - 1):
        drawn.append(persist(space, drawn[-1], persistence, generator))
    return np.stack(drawn)


def plan(
    observations: Array,
    tried: Array,
    lookahead: Lookahead | None,
    predict: Predict,
    gamma: float,
) -> tuple[Array, Array]:
    """The best sequence's first action in each of n environments, and what it promises.

    A sequence is worth sum_t gamma^t r_t, each r_t as far as the episode has not ended before.

    Args:
        observations: (n, ...) what is seen now.
        tried: (horizon, m, ...) sequences of actions, the same for all.
        lookahead: of these n environments; not needed if the horizon is 1.
        predict: of one step's reward and end.
        gamma: discount.

    Returns:
        Actions (n, ...) and predicted returns (n,).
    """
    count, candidates = len(observations), tried.shape[1]
    actions = np.concatenate([tried] * count, 1)
    total, going_on = np.zeros(count * candidates), np.ones(count * candidates)
    for seen, chosen in zip(_seen(observations, actions, lookahead), actions, strict=True):
        rewards, ends = predict(seen, chosen)
        total += going_on * rewards
        going_on *= gamma * (1.0 - ends)
    total = total.reshape(count, candidates)
    return tried[0][total.argmax(1)], total.max(1)


def _seen(observations: Array, actions: Array, lookahead: Lookahead | None) -> Iterator[Array]:
    """What is seen before each action: first the present, of which the lookahead tells the rest."""
    yield np.repeat(observations, actions.shape[1] // len(observations), 0)
    if len(actions) > 1:
        assert lookahead is not None
        yield from lookahead.futures(actions[:-1])
