"""The path of every reward, from `--reward` or a student's file to compiled kernels.

`gymnasium.make` and `gymnasium.make_vec` call `make_single` and `make_vector`, which call
`make_reward`. Its steps, in order:

1. `rewards/expression.py` parses the text into weights and terms.
2. If a term is a user's, `rewards/sandbox/parent.py` starts `rewards/sandbox/child.py`, a process
   with the limits of `rewards/sandbox/confinement.py`. The child loads the file, calls the term on
   recorded steps (`rewards/check/recorded_games.py`) and compiles it (`rewards/sandbox/trial.py`).
3. `rewards/terms.py` loads each term: a function of `rewards/paddle.py`, or the user's.
4. `rewards/kernel.py` makes a loop over each term, compiled if the trial could compile it, and
   adds up the terms (`WeightedSum`).
"""

from __future__ import annotations

import contextlib
import importlib
import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import gymnasium

from envs.engine.capabilities import game_batch_of
from envs.engine.game import Game, load_game
from envs.engine.single import GameEnv
from envs.engine.vector import GameVectorEnv
from envs.registry import GAMES, GameEntry, look_up
from rewards.check.recorded_games import recorded_transitions
from rewards.expression import WeightedTerm, is_code, parse, written
from rewards.kernel import Kernel, WeightedSum, builtin_kernel, checked_kernel, measuring_kernel
from rewards.sandbox.parent import TrialProcess
from rewards.sandbox.trial import choose_kernel, try_term
from rewards.terms import Term, from_function, load_term, load_terms

MOST_PARTS = 8
"""Terms of a file that are measured together; each one is compiled."""
RewardLike = str | Callable[..., float] | WeightedSum | None


def make_single(game: str, reward: RewardLike = None, **options: Any) -> GameEnv:
    """Make one game by its name in `envs.registry.GAMES`.

    Other arguments are those of `make_reward` and `envs.engine.single.GameEnv`.
    """
    entry = look_up(GAMES, "game", game)
    definition, rest = load_game(entry.target, options)
    env = GameEnv(definition, make_reward(definition, entry, reward, options), **rest)
    env.maker = partial(make_single, game, **options)
    return env


make_single.metadata = GameEnv.metadata  # type: ignore[attr-defined] # Gymnasium reads it here


def make_vector(
    game: str,
    reward: RewardLike = None,
    max_episode_steps: int | None = None,
    **options: Any,
) -> GameVectorEnv:
    """Make many games by their name in `envs.registry.GAMES`.

    `max_episode_steps` is Gymnasium's name for the option `max_steps` of the game. Other arguments
    are those of `make_reward` and `envs.engine.vector.GameVectorEnv`.
    """
    if max_episode_steps is not None:
        options["max_steps"] = max_episode_steps
    entry = look_up(GAMES, "game", game)
    definition, rest = load_game(entry.target, options)
    env = GameVectorEnv(definition, make_reward(definition, entry, reward, options), **rest)
    env.maker = partial(make_vector, game, **options)
    return env


def make_reward(
    definition: Game, entry: GameEntry, reward: RewardLike, options: dict[str, Any]
) -> WeightedSum:
    """Make a reward ready for use.

    Args:
        definition: the game to be rewarded.
        entry: its entry in `envs.registry.GAMES`.
        reward: a weighted sum as `rewards.expression.parse` reads it, one function of
            (before, action, after), an earlier result of this function, or None for the game's
            default.
        options: of the environment; the game's own options matter to the trial of a user's term.

    Raises:
        RewardError: if a term cannot be found, loaded or used.
    """
    if isinstance(reward, WeightedSum):
        return reward
    rewards = entry.rewards
    if reward is None:
        reward = str(importlib.import_module(rewards).DEFAULT[definition.name])
    if not isinstance(reward, str):
        term = from_function(reward)
        kernel = _kernel_tried_here(term, definition, rewards, options)
        made = WeightedSum(term.name, [1.0], [term], [kernel])
        made.origin = _make_again, (entry, reward, options)
        return made
    parsed = parse(reward)
    compiled = None
    if any(is_code(part.term) for part in parsed):
        with TrialProcess(
            reward, "", options, parsed=parsed, places=(entry.target, rewards)
        ) as trial:
            for text in trial.wait():
                warnings.warn(text, stacklevel=4)
            compiled = trial.verdict["compiled"]
    made = _load(definition, rewards, reward, parsed, compiled)
    made.origin = _make_again, (entry, reward, options)
    return made


def make_with_parts(
    file: str, definition: Game, entry: GameEntry, options: dict[str, Any]
) -> WeightedSum:
    """Make the reward of a file that was checked before, without another process.

    The other functions of the file that can be terms are measured: they are terms of weight 0. One
    that cannot be compiled is left out, and where one fails, it counts as 0.

    Args:
        file: as `rewards.terms.load_terms` takes it.
        definition: the game to be rewarded.
        entry: its entry in `envs.registry.GAMES`.
        options: of the environment.

    Raises:
        RewardError: if the reward cannot be loaded or used.
    """
    terms, name = load_terms(file)
    used = [next(term for term in terms if term.name == name)]
    kernels = [_kernel_tried_here(used[0], definition, entry.rewards, options)]
    for term in terms:
        if term.name != name and len(used) < MOST_PARTS:
            with contextlib.suppress(Exception):  # Numba lets others than its own through
                kernels.append(measuring_kernel(checked_kernel(term, definition, True)))
                used.append(term)
    weights = [1.0, *(0.0 for _ in used[1:])]
    named = [WeightedTerm(w, f"{file}:{t.name}") for w, t in zip(weights, used, strict=True)]
    return WeightedSum(written(named), weights, used, kernels)


def _make_again(entry: GameEntry, reward: RewardLike, options: dict[str, Any]) -> WeightedSum:
    """Make a reward from a pickle."""
    return make_reward(load_game(entry.target, options)[0], entry, reward, options)


def load_tried_reward(
    expression: str, env_id: str, env_options: Mapping[str, Any], compiled: Sequence[bool]
) -> WeightedSum:
    """Load a reward that a `TrialProcess` has tried; the result can be used as `make(reward=...)`.

    Args:
        expression: the reward, as `rewards.expression.parse` reads it.
        env_id: a Gymnasium id.
        env_options: of the environment; some choose the variant of the game.
        compiled: `TrialProcess.verdict["compiled"]`.

    Raises:
        RewardError: if the file has changed since the trial and does not load any more.
    """
    arguments: Any = gymnasium.spec(env_id).kwargs
    entry = GAMES[arguments["game"]]
    definition, _ = load_game(entry.target, dict(env_options))
    made = _load(definition, entry.rewards, expression, parse(expression), compiled)
    made.origin = _make_again, (entry, expression, dict(env_options))
    return made


def reward_of(environment: Any) -> WeightedSum | None:
    """Return the reward of one of our games, single or vector; None for other environments."""
    batch = game_batch_of(environment)
    return batch.reward if batch is not None and isinstance(batch.reward, WeightedSum) else None


def _load(
    definition: Game,
    rewards: str,
    expression: str,
    parsed: Sequence[WeightedTerm],
    compiled: Sequence[bool] | None,
) -> WeightedSum:
    """Load the terms of a reward and make their kernels.

    The sandbox has executed and compiled a user's file already. Both happen again here: functions
    and machine code cannot be passed from one process to another. `compiled` says which terms the
    sandbox could compile; it is None if all terms are built-in ones, which need no trial.
    """
    terms = [load_term(part.term, rewards) for part in parsed]
    kernels = []
    for k, term in enumerate(terms):
        if compiled is None and term.warning:  # a trial has passed it on already
            warnings.warn(term.warning, stacklevel=5)
        if compiled is not None and term.from_user:
            kernels.append(checked_kernel(term, definition, compiled[k]))
        else:
            kernels.append(builtin_kernel(term, definition))
    return WeightedSum(expression, [part.weight for part in parsed], terms, kernels)


def _kernel_tried_here(
    term: Term, definition: Game, rewards: str, options: dict[str, Any]
) -> Kernel:
    """Return the loop over a function from this process, after a trial without a sandbox."""
    transitions = recorded_transitions(definition, options, rewards)
    outcome = try_term(term, definition, transitions, math.inf)
    kernel, reasons = choose_kernel(term, definition, rewards, transitions, outcome)
    for text in (*outcome.warnings, *reasons):
        warnings.warn(text, stacklevel=5)
    return kernel
