"""Tests that you write next to a reward; `python -m rewards check` runs them.

    from rewards.testing import hit, miss, pays, prefers

    def test_hits():
        prefers(hit, miss)
        assert pays(miss) < 0

An event is imported by its name; `check` lists the events of a game. A test can also look at single
steps: `for before, action, after in hit: ...`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

Reward = Callable[[Any, Any, Any], float]
Transition = tuple[Any, Any, Any]


class Context:
    """The recorded steps and the reward that tests are about.

    This default is used while files are loaded and no test runs.
    """

    def __init__(self, events: Iterable[str] | None = None) -> None:
        """Set the names of the game's events. By default any name is accepted, outside `check`."""
        self.events = events

    def steps(self, event: str) -> list[Transition]:
        """Return the recorded (before, action, after) of an event."""
        raise RuntimeError("run these tests with `python -m rewards check`")

    def reward(self) -> Reward:
        """Return the reward that is checked."""
        raise RuntimeError("run these tests with `python -m rewards check`")


_context: ContextVar[Context] = ContextVar("context")
_NOWHERE = Context()


@contextmanager
def using(context: Context) -> Iterator[None]:
    """Give the tests that are loaded or run inside this block their steps and their reward."""
    token = _context.set(context)
    try:
        yield
    finally:
        _context.reset(token)


class EventSteps:
    """The recorded steps of an event."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __iter__(self) -> Iterator[Transition]:
        return iter(_context.get(_NOWHERE).steps(self.name))

    def __repr__(self) -> str:
        return self.name


def pays(event: EventSteps, reward: Reward | None = None) -> float:
    """Return what the reward pays at an event, on average.

    Args:
        event: imported from this module.
        reward: a function of (before, action, after); by default the reward that is checked.
    """
    function = _context.get(_NOWHERE).reward() if reward is None else reward
    paid = [float(function(*step)) for step in event]
    return sum(paid) / len(paid)


def prefers(better: EventSteps, worse: EventSteps, reward: Reward | None = None) -> None:
    """Check that the reward pays more at one event than at another.

    Raises:
        AssertionError: if it does not.
    """
    high, low = pays(better, reward), pays(worse, reward)
    if not high > low:
        raise AssertionError(f"{better} pays {high:.4g}, not more than {worse}, {low:.4g}")


def __getattr__(name: str) -> EventSteps:
    # each game has its own events, so their names are known only when a test imports them
    if name.startswith("_"):
        raise AttributeError(name)
    known = _context.get(_NOWHERE).events
    if known is not None and name not in known:
        from envs.names import suggest

        raise ImportError(f"this game has no event `{name}`; {suggest(name, known)}")
    return EventSteps(name)
