"""Writes the file that a student's first reward begins with."""

from __future__ import annotations

import importlib
import inspect
import json
import re
import textwrap
from pathlib import Path
from typing import Any

from gymnasium import spaces

from envs.engine.game import Game, load_game
from envs.names import suggest
from envs.registry import GAMES
from rewards.check.events import Moments, moments_of
from rewards.check.next_commands import check, train, watch
from rewards.expression import parse
from rewards.terms import load_term

WIDTH = 100  # of a line

TEMPLATE = '''\
"""My reward for {game}: what counts as good in one step.

A reward is a function of the state before a step, the action, and the state after it. It returns a
number: the larger, the better. Change it, save it, and see what becomes of the agent:

{commands}

The fields of the state, `before` as well as `after`:

{fields}

{action}

The moments that tests can be about:

{moments}
"""

{imports}ENV = "{env}"  # the game that `python -m rewards check` takes for this file,
ENV_OPTIONS = {options}  # and its options


def {name}(before, action, after):
    """A sum of terms; the weights say how much each of them matters."""
    return (
        {total}
    )


{terms}{test}'''

TEST = """


def test_{better}_is_better():
    prefers({better}, {worse}, {name})
"""


def starter(file: Path, env: str, options: dict[str, Any]) -> tuple[str, list[str]]:
    """The text of a new file of rewards, and the commands that come next.

    Raises:
        ValueError: if there is no such game, or it has no such options.
    """
    if env not in GAMES:
        raise ValueError(f"there is no game `{env}`; {suggest(env, GAMES)}")
    entry = GAMES[env]
    game, rest = load_game(entry.target, options)
    game.make_options(rest)
    rewards = entry.rewards
    weights = _examples(game, rewards)
    name = file.stem if file.stem.isidentifier() and file.stem not in weights else "my_reward"
    reward = str(file) if name == file.stem else f"{file}:{name}"
    commands = [
        check(str(file)),
        train(env, options, reward),
        watch(env, options, reward),
    ]
    moments = moments_of(game, rewards)
    meanings = {key: _first_line(function) for key, function in moments.by_name().items()}
    text = TEMPLATE.format(
        game=game.name,
        commands="\n".join(f"    {command}" for command in commands),
        fields=_aligned({f"after.{field.name}": field.meaning for field in game.fields}),
        action=_about_actions(game),
        moments=_aligned(meanings),
        imports=_imports(moments),
        env=env,
        options=_literal(options),
        name=name,
        total="\n        ".join(_product(weight, term) for term, weight in weights.items())[2:],
        terms="\n\n".join(_plain_source(term, rewards) for term in weights).rstrip(),
        test=_test(moments, name),
    )
    return text, commands


def _examples(game: Game, rewards: str) -> dict[str, float]:
    """Terms and weights to begin with; the game's default, where nothing is said of them."""
    module: Any = importlib.import_module(rewards)
    default = {part.term: part.weight for part in parse(module.DEFAULT[game.name])}
    found: dict[str, float] = getattr(module, "EXAMPLES", {}).get(game.name, default)
    return found


def _imports(moments: Moments) -> str:
    """What the test needs."""
    if not moments.worse:
        return ""
    worse, better = next(iter(moments.worse.items()))
    return f"from rewards.testing import {', '.join(sorted((better, worse, 'prefers')))}\n\n"


def _test(moments: Moments, name: str) -> str:
    """A test, if the game says of two moments which one is better."""
    if not moments.worse:
        return "\n"
    worse, better = next(iter(moments.worse.items()))
    return TEST.format(better=better, worse=worse, name=name)


def _literal(options: dict[str, Any]) -> str:
    """Options as Python, with the quotes that the rest of the file has."""
    values = {k: json.dumps(v) if isinstance(v, str) else repr(v) for k, v in options.items()}
    return f"{{{', '.join(f'{json.dumps(key)}: {value}' for key, value in values.items())}}}"


def _aligned(meanings: dict[str, str]) -> str:
    width = max(map(len, meanings))
    return "\n".join(f"    {name:{width}}  {meaning}" for name, meaning in meanings.items())


def _first_line(function: Any) -> str:
    return str(inspect.getdoc(function)).partition("\n")[0]


def _about_actions(game: Game) -> str:
    """What `action` is."""
    if isinstance(game.action_space, spaces.Discrete):
        names = (f"{k} {name}" for k, name in enumerate(game.action_names))
        return textwrap.fill(f"The action is a number: {', '.join(names)}.", WIDTH)
    box: Any = game.action_space
    limits = zip(game.action_names, box.low.flat, box.high.flat, strict=True)
    parts = (f"action[{k}] {name}, {low:g}..{high:g}" for k, (name, low, high) in enumerate(limits))
    return textwrap.fill(f"The action is an array: {'; '.join(parts)}.", WIDTH)


def _product(weight: float, term: str) -> str:
    factor = "" if abs(weight) == 1.0 else f"{abs(weight):g} * "
    return f"{'-' if weight < 0 else '+'} {factor}{term}(before, action, after)"


def _plain_source(term: str, rewards: str) -> str:
    """One of the game's own terms, without the type hints."""
    source = inspect.getsource(load_term(term, rewards).function)
    return re.sub(r": Any|(?<=\)) -> float", "", source)
