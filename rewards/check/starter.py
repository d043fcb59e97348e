"""Writes the starter file of `python -m rewards new`."""

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
from rewards.check.events import GameEvents, events_of
from rewards.check.next_commands import check, train, watch
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
        watch(env, options, reward),
    ]
    events = events_of(game, rewards)
    meanings = {key: _first_line(function) for key, function in events.by_name().items()}
    text = TEMPLATE.format(
        game=game.name,
        commands="\n".join(f"    {command}" for command in commands),
        fields=_aligned({f"after.{field.name}": field.meaning for field in game.fields}),
        action=_about_actions(game),
        events=_aligned(meanings),
        imports=_imports(events),
        env=env,
        options=_literal(options),
        name=name,
        total="\n        ".join(_product(weight, term) for term, weight in weights.items())[2:],
        terms="\n\n".join(_plain_source(term, rewards) for term in weights).rstrip(),
        test=_test(events, name),
    )
    return text, commands


def _examples(game: Game, rewards: str) -> dict[str, float]:
    """Return the terms and weights of the game's example, or of its default reward."""
    module: Any = importlib.import_module(rewards)
    default = {part.term: part.weight for part in parse(module.DEFAULT[game.name])}
    found: dict[str, float] = getattr(module, "EXAMPLES", {}).get(game.name, default)
    return found


def _imports(events: GameEvents) -> str:
    """Return the import that the test needs."""
    if not events.worse:
        return ""
    worse, better = next(iter(events.worse.items()))
    return f"from rewards.testing import {', '.join(sorted((better, worse, 'prefers')))}\n\n"


def _test(events: GameEvents, name: str) -> str:
    """Return a test, if the game has two events of which one is better."""
    if not events.worse:
        return "\n"
    worse, better = next(iter(events.worse.items()))
    return TEST.format(better=better, worse=worse, name=name)


def _literal(options: dict[str, Any]) -> str:
    """Return options as Python code, with double quotes."""
    values = {k: json.dumps(v) if isinstance(v, str) else repr(v) for k, v in options.items()}
    return f"{{{', '.join(f'{json.dumps(key)}: {value}' for key, value in values.items())}}}"


def _aligned(meanings: dict[str, str]) -> str:
    width = max(map(len, meanings))
    return "\n".join(f"    {name:{width}}  {meaning}" for name, meaning in meanings.items())


def _first_line(function: Any) -> str:
    return str(inspect.getdoc(function)).partition("\n")[0]


def _about_actions(game: Game) -> str:
    """Describe `action`."""
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
    """Return the source of a built-in term without type hints."""
    source = inspect.getsource(load_term(term, rewards).function)
    return re.sub(r": Any|(?<=\)) -> float", "", source)
