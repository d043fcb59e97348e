"""Kinds of moments in a game: a hit, a fall, the time running out. Rewards are looked at by them.

A moment is a plain function of steps and the game's options that says in which steps it happens;
its docstring says what it is. A game's module of rewards has a table, `MOMENTS`, by the game's
name; those of this module are every game's.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from envs.engine.game import Game


class Steps(NamedTuple):
    """Steps of games, n of them."""

    before: Any
    """(n,) states as a record array: `before.t`."""
    actions: Any
    """(n, ...)."""
    after: Any
    """(n,) states as a record array."""
    terminated: Any
    """(n,) bool."""
    truncated: Any
    """(n,) bool."""


Moment = Callable[[Steps, Any], Any]
"""moment(steps, options): (n,) bool."""


def start(steps: Steps, options: Any) -> Any:
    """The first step of an episode."""
    return steps.before.t == 0


def time_out(steps: Steps, options: Any) -> Any:
    """The last step before time is up."""
    return steps.truncated


def begin_anywhere(options: Any) -> list[dict[str, float]]:
    """Of most games the usual starts are enough."""
    return []


class Moments(NamedTuple):
    """The moments of one game."""

    kinds: tuple[Moment, ...] = ()
    worse: Mapping[str, str] = {}
    """Of two moments, the one that no sensible reward prefers, and the other."""
    starts: Callable[[Any], list[dict[str, float]]] = begin_anywhere
    """starts(options): fields of states from which what is rare happens soon."""

    def by_name(self) -> dict[str, Moment]:
        """The moments, those of every game included."""
        return {moment.__name__: moment for moment in (start, *self.kinds, time_out)}


def moments_of(game: Game, rewards: str) -> Moments:
    """The moments of a game with this module of rewards; only those of every game without."""
    if not rewards:
        return Moments()
    tables = getattr(importlib.import_module(rewards), "MOMENTS", {})
    found: Moments = tables.get(game.name, Moments())
    return found
