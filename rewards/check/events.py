"""Events: kinds of steps in a game, such as a hit, a fall, or the end of time.

An event is a plain function of steps and the game's options that says in which steps it happens;
its docstring says what it is. A game's module of rewards has a table `EVENTS` by the game's name;
the events of this module belong to every game.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from envs.engine.game import Game


class Steps(NamedTuple):
    """n steps of games."""

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


Event = Callable[[Steps, Any], Any]
"""event(steps, options): (n,) bool."""


def start(steps: Steps, options: Any) -> Any:
    """The first step of an episode."""
    return steps.before.t == 0


def time_out(steps: Steps, options: Any) -> Any:
    """The last step before time is up."""
    return steps.truncated


def usual_starts(options: Any) -> list[dict[str, float]]:
    """Add no special starts: in most games every event happens soon enough."""
    return []


class GameEvents(NamedTuple):
    """The events of one game."""

    kinds: tuple[Event, ...] = ()
    worse: Mapping[str, str] = {}
    """Pairs of a worse event and a better one, which every sensible reward prefers."""
    starts: Callable[[Any], list[dict[str, float]]] = usual_starts
    """starts(options): fields of states that lead to rare events soon."""

    def by_name(self) -> dict[str, Event]:
        """Return all events, with those of every game."""
        return {event.__name__: event for event in (start, *self.kinds, time_out)}


def events_of(game: Game, rewards: str) -> GameEvents:
    """Return the events of a game; without a module of rewards, those of every game."""
    if not rewards:
        return GameEvents()
    tables = getattr(importlib.import_module(rewards), "EVENTS", {})
    found: GameEvents = tables.get(game.name, GameEvents())
    return found
