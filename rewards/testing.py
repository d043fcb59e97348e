"""Tests that a student writes beside a reward, run by `python -m rewards check`.

    from rewards.testing import hit, miss, pays, prefers

    def test_hits():
        prefers(hit, miss)
        assert pays(miss) < 0

A moment is imported by its name; `check` shows which there are. Single steps can be looked at too:
`for before, action, after in hit: ...`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

Reward = Callable[[Any, Any, Any], float]
Transition = tuple[Any, Any, Any]


class Stage:
    """What tests are about: recorded steps, and the reward that is checked.

    Outside of `check` a file with tests is loaded too, but its tests are not run: any name will do
    for a moment then.
    """

    def moments(self) -> Iterable[str] | None:
        """Which there are in this game; None if it does not matter."""
        return None

    def steps(self, moment: str) -> list[Transition]:
        """Recorded (before, action, after) of a moment."""
        raise RuntimeError("tests beside a reward are run by `python -m rewards check`")

    def reward(self) -> Reward:
        """The reward that is checked."""
        raise RuntimeError("tests beside a reward are run by `python -m rewards check`")


stage = Stage()
"""Set by who runs the tests."""


class MomentSteps:
    """The recorded steps of a moment."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __iter__(self) -> Iterator[Transition]:
        return iter(stage.steps(self.name))

    def __repr__(self) -> str:
        return self.name


def pays(moment: MomentSteps, reward: Reward | None = None) -> float:
    """What the reward pays at a moment, on average.

    Args:
        moment: imported from this module.
        reward: a function of (before, action, after); by default the one that is checked.
    """
    function = stage.reward() if reward is None else reward
    paid = [float(function(*step)) for step in moment]
    return sum(paid) / len(paid)


def prefers(better: MomentSteps, worse: MomentSteps, reward: Reward | None = None) -> None:
    """Does the reward pay more at one moment than at another?

    Raises:
        AssertionError: if not.
    """
    high, low = pays(better, reward), pays(worse, reward)
    if not high > low:
        raise AssertionError(f"{better} pays {high:.4g}, not more than {worse}, {low:.4g}")


def __getattr__(name: str) -> MomentSteps:
    if name.startswith("_"):
        raise AttributeError(name)
    known = stage.moments()
    if known is not None and name not in known:
        from envs.names import suggest

        raise ImportError(f"this game has no moment `{name}`; {suggest(name, known)}")
    return MomentSteps(name)
