"""Environments made of a game and a reward: what `gymnasium.make` and `make_vec` call."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from typing import Any

from envs.game import Game
from envs.single import GameEnv
from envs.vector import GameVectorEnv
from rewards.expression import RewardError, WeightedTerm, parse
from rewards.loading import Term, from_function, load_term
from rewards.trial import choose_kernel, recorded_transitions, try_term
from rewards.weighted_sum import WeightedSum, compiled_kernel

RewardLike = str | Callable[..., float] | WeightedSum | None


def make_single(game: str, rewards: str, reward: RewardLike = None, **options: Any) -> GameEnv:
    """One game; arguments as for `load_reward` and `envs.single.GameEnv`."""
    definition, options = load_game(game, options)
    return GameEnv(definition, load_reward(definition, rewards, reward, options), **options)


def make_vector(
    game: str, rewards: str, reward: RewardLike = None, **options: Any
) -> GameVectorEnv:
    """Many games; arguments as for `load_reward` and `envs.vector.GameVectorEnv`."""
    definition, options = load_game(game, options)
    return GameVectorEnv(definition, load_reward(definition, rewards, reward, options), **options)


def _own_kernel(term: Term, game: Game) -> Callable[..., None]:
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


def load_game(place: str, options: dict[str, Any]) -> tuple[Game, dict[str, Any]]:
    """The game at `module:attribute`, and the options that are left for the environment.

    Where the attribute is a function, it returns the game and takes some of the options.

    Raises:
        ValueError: if there is no such variant of the game.
    """
    module, attribute = place.split(":")
    found = getattr(importlib.import_module(module), attribute)
    if isinstance(found, Game):
        return found, options
    choices = inspect.signature(found).parameters
    chosen = {name: value for name, value in options.items() if name in choices}
    for name, value in chosen.items():
        if not isinstance(value, str):
            raise ValueError(f"option `{name}` must be a text, not {value!r}")
    return found(**chosen), {name: v for name, v in options.items() if name not in choices}


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
        reward = importlib.import_module(rewards).DEFAULT[game.name]
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
            kernels.append(_own_kernel(term, game))
    return WeightedSum(expression, [part.weight for part in parsed], terms, kernels)
