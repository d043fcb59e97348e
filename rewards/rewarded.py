"""Environments made of a game and a reward: what `gymnasium.make` and `make_vec` call."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from envs.game import Game
from envs.single import GameEnv
from envs.vector import GameVectorEnv
from rewards.expression import WeightedTerm, parse
from rewards.loading import from_function, load_term
from rewards.trial import choose_kernel, recorded_transitions, try_term
from rewards.weighted_sum import WeightedSum, compiled_kernel

RewardLike = str | Callable[..., float] | WeightedSum | None


def make_single(game: str, rewards: str, reward: RewardLike = None, **options: Any) -> GameEnv:
    """One game; arguments as for `load_reward` and `envs.single.GameEnv`."""
    definition = load_game(game)
    return GameEnv(definition, load_reward(definition, rewards, reward, options), **options)


def make_vector(
    game: str, rewards: str, reward: RewardLike = None, **options: Any
) -> GameVectorEnv:
    """Many games; arguments as for `load_reward` and `envs.vector.GameVectorEnv`."""
    definition = load_game(game)
    return GameVectorEnv(definition, load_reward(definition, rewards, reward, options), **options)


def load_game(place: str) -> Game:
    """The game at `module:attribute`."""
    module, attribute = place.split(":")
    game = getattr(importlib.import_module(module), attribute)
    assert isinstance(game, Game)
    return game


def load_reward(
    game: Game,
    rewards: str,
    reward: RewardLike = None,
    options: dict[str, Any] | None = None,
) -> WeightedSum:
    """Make a reward ready for use.

    Args:
        game: the game to be rewarded.
        rewards: the game's module of reward terms.
        reward: a weighted sum as `rewards.expression.parse` reads it, one function of
            (before, action, after), what this function returned before, or None for the module's
            default.
        options: of the environment; those of the game itself matter to the trial of a user's term.

    Raises:
        RewardError: if a term cannot be found, loaded or used.
    """
    if isinstance(reward, WeightedSum):
        return reward
    if reward is None:
        reward = str(importlib.import_module(rewards).DEFAULT)
    if isinstance(reward, str):
        parsed = parse(reward)
        terms = [load_term(part.term, rewards) for part in parsed]
    else:
        terms = [from_function(reward)]
        parsed = [WeightedTerm(1.0, terms[0].name)]
    expression = reward if isinstance(reward, str) else terms[0].name
    transitions = None
    kernels = []
    for term in terms:
        if term.own:
            transitions = transitions or recorded_transitions(game, options or {})
            try_term(term, transitions)
            kernels.append(choose_kernel(term, game, transitions))
        else:
            kernels.append(compiled_kernel(term, game))
    return WeightedSum(expression, [part.weight for part in parsed], terms, kernels)
