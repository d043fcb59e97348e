"""Writes the starter file of `python -m rewards new`."""

from __future__ import annotations

import importlib
import inspect
import json
import re
import textwrap
from pathlib import Path
from typing import Any

from envs.engine.game import Game, load_game
from envs.names import suggest
from envs.registry import GAMES
from rewards.check.events import GameEvents, events_of
from rewards.check.next_commands import check, train
from rewards.expression import parse
from rewards.terms import load_term

WIDTH = 100  # characters in a line

TEMPLATE = '''\
"""My reward for {game}: how good is one step?

A reward is a function of the state before a step, the action, and the state after it. It returns a
number: the larger, the better. Change it, save it, and see what the agent learns:

{commands}

The fields of the state (`before` has the same ones as `after`):

{fields}

{action}

The events that you can use in tests:

{events}
"""

{imports}ENV = "{env}"  # the game that `python -m rewards check` uses for this file
ENV_OPTIONS = {options}  # its options


def {name}(before, action, after):
    """Return a sum of terms; the weights say how much each term matters."""
    return (
        {total}
    )


{terms}{test}'''

TEST = """


def test_{better}_is_better():
    prefers({better}, {worse}, {name})
"""


def starter(file: Path, env: str, options: dict[str, Any]) -> tuple[str, list[str]]:
    """Return the text of a new file of rewards, and the commands to run next.

    Raises:
        ValueError: if there is no such game, or the game has no such options.
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
        train(env, options, reward, window=True),
    ]
    events = events_of(game, rewards)
    meanings = {
        key: str(inspect.getdoc(event)).partition("\n")[0]
        for key, event in events.by_name().items()
    }
    imports, test = _example_test(events, name)
    text = TEMPLATE.format(
        game=game.name,
        commands="\n".join(f"    {command}" for command in commands),
        fields=_aligned({f"after.{field.name}": field.meaning for field in game.fields}),
        action=textwrap.fill(f"T{game.describe_actions()[1:]}.", WIDTH),
        events=_aligned(meanings),
        imports=imports,
        env=env,
        options=_literal(options),
        name=name,
        total=_total(weights),
        terms="\n\n".join(_plain_source(term, rewards) for term in weights).rstrip(),
        test=test,
    )
    return text, commands


PLAIN = '''\
# {intro}


def reward(before, action, after):
    """{about}"""
    return (
        {total}
    )


{terms}
'''


def starter_source(env: str, options: dict[str, Any], intro: str, about: str) -> str:
    """Return a first reward as one plain file: without imports, tests and names of the game.

    Args:
        env: name of the game in `envs.registry.GAMES`.
        options: of the game.
        intro: a comment at the top of the file.
        about: the docstring of the reward.
    """
    entry = GAMES[env]
    weights = _examples(load_game(entry.target, options)[0], entry.rewards)
    return PLAIN.format(
        intro=intro,
        about=about,
        total=_total(weights),
        terms="\n\n".join(_plain_source(term, entry.rewards) for term in weights).rstrip(),
    )


def _total(weights: dict[str, float]) -> str:
    """Return the weighted sum of terms, in lines of a function's body."""
    return "\n        ".join(_product(weight, term) for term, weight in weights.items())[2:]


def _examples(game: Game, rewards: str) -> dict[str, float]:
    """Return the terms and weights of the game's example, or of its default reward."""
    module: Any = importlib.import_module(rewards)
    default = {part.term: part.weight for part in parse(module.DEFAULT[game.name])}
    found: dict[str, float] = getattr(module, "EXAMPLES", {}).get(game.name, default)
    return found


def _example_test(events: GameEvents, name: str) -> tuple[str, str]:
    """Return an import and a test, if the game has a better and a worse event."""
    if not events.worse:
        return "", "\n"
    worse, better = next(iter(events.worse.items()))
    imports = f"from rewards.testing import {', '.join(sorted((better, worse, 'prefers')))}\n\n"
    return imports, TEST.format(better=better, worse=worse, name=name)


def _literal(options: dict[str, Any]) -> str:
    """Return options as Python code, with double quotes."""
    values = {k: json.dumps(v) if isinstance(v, str) else repr(v) for k, v in options.items()}
    return f"{{{', '.join(f'{json.dumps(key)}: {value}' for key, value in values.items())}}}"


def _aligned(meanings: dict[str, str]) -> str:
    width = max(map(len, meanings))
    return "\n".join(f"    {name:{width}}  {meaning}" for name, meaning in meanings.items())


def _product(weight: float, term: str) -> str:
    factor = "" if abs(weight) == 1.0 else f"{abs(weight):g} * "
    return f"{'-' if weight < 0 else '+'} {factor}{term}(before, action, after)"


def _plain_source(term: str, rewards: str) -> str:
    """Return the source of a built-in term without type hints."""
    source = inspect.getsource(load_term(term, rewards).function)
    return re.sub(r": Any|(?<=\)) -> float", "", source)
