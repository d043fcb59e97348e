"""Environments made of a game and a reward: what `gymnasium.make` and `make_vec` call."""

from __future__ import annotations

import importlib
import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import gymnasium

from envs.engine.game import Game, load_game
from envs.engine.single import GameEnv
from envs.engine.vector import GameVectorEnv
from rewards.expression import WeightedTerm, is_code, parse
from rewards.guards import plain_checked
from rewards.kernel import choose_kernel, compiled_checked, own_kernel
from rewards.sandbox.parent import TrialProcess
from rewards.sandbox.trial import recorded_transitions, try_term
from rewards.terms import Term, from_function, load_term
from rewards.weighted_sum import WeightedSum

RewardLike = str | Callable[..., float] | WeightedSum | None


def make_single(game: str, rewards: str, reward: RewardLike = None, **options: Any) -> GameEnv:
    """One game; arguments as for `load_reward` and `envs.engine.single.GameEnv`."""
    definition, rest = load_game(game, options)
    return GameEnv(definition, _tried(definition, game, rewards, reward, options), **rest)


def make_vector(
    game: str, rewards: str, reward: RewardLike = None, **options: Any
) -> GameVectorEnv:
    """Many games; arguments as for `load_reward` and `envs.engine.vector.GameVectorEnv`."""
    definition, rest = load_game(game, options)
    return GameVectorEnv(definition, _tried(definition, game, rewards, reward, options), **rest)


def _tried(
    definition: Game, game: str, rewards: str, reward: RewardLike, options: dict[str, Any]
) -> WeightedSum:
    """A reward ready for use; what is written in files is tried in a process of its own before."""
    compiled = None
    if isinstance(reward, str) and any(is_code(part.term) for part in parse(reward)):
        with TrialProcess(reward, "", options, places=(game, rewards)) as trial:
            for text in trial.wait():
                warnings.warn(text, stacklevel=4)
            compiled = trial.verdict["compiled"]
    return load_reward(definition, rewards, reward, options, compiled)


def load_tried_reward(
    expression: str, env_id: str, env_options: Mapping[str, Any], compiled: Sequence[bool]
) -> WeightedSum:
    """A reward that was tried in another process, loaded in this one; for `make(reward=...)`.

    Args:
        expression: the reward, as `rewards.expression.parse` reads it.
        env_id: a Gymnasium id.
        env_options: of the environment; some choose the variant of the game.
        compiled: `TrialProcess.verdict["compiled"]`.

    Raises:
        RewardError: if its file has become another one meanwhile, and does not load.
    """
    arguments: Any = gymnasium.spec(env_id).kwargs
    definition, _ = load_game(arguments["game"], dict(env_options))
    return load_reward(definition, arguments["rewards"], expression, None, compiled)


def load_reward(
    game: Game,
    rewards: str,
    reward: RewardLike = None,
    options: dict[str, Any] | None = None,
    compiled: Sequence[bool] | None = None,
) -> WeightedSum:
    """Make a reward ready for use.

    Args:
        game: the game to be rewarded.
        rewards: the game's module of reward terms.
        reward: a weighted sum as `rewards.expression.parse` reads it, one function of
            (before, action, after), what this function returned before, or None for the module's
            default.
        options: of the environment; those of the game itself matter to the trial of a user's term.
        compiled: for each term, whether a trial made elsewhere found that it can be compiled; by
            default a user's terms are tried here, where nothing stops an endless loop.

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
    kernels = []
    for k, term in enumerate(terms):
        if term.warning and compiled is None:  # else the trial has said it
            warnings.warn(term.warning, stacklevel=5)
        if not term.own:
            kernels.append(own_kernel(term, game))
        elif compiled is None:
            kernels.append(_tried_here(term, game, rewards, options or {}))
        else:
            kernels.append(compiled_checked(term, game) if compiled[k] else plain_checked(term))
    return WeightedSum(expression, [part.weight for part in parsed], terms, kernels)


def _tried_here(
    term: Term, game: Game, rewards: str, options: dict[str, Any]
) -> Callable[..., None]:
    """The loop over one of the user's terms, after a trial in this process."""
    transitions = recorded_transitions(game, options, rewards)
    outcome = try_term(term, game, transitions, math.inf)
    kernel, reasons = choose_kernel(term, game, rewards, transitions, outcome)
    for text in (*outcome.warnings, *reasons):
        warnings.warn(text, stacklevel=5)
    return kernel
