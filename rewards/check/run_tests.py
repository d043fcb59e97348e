"""Runs the tests that a student wrote next to a reward."""

from __future__ import annotations

import ast
import inspect
import linecache
import sys
import traceback
from collections.abc import Callable, Iterable
from types import FrameType
from typing import Any

import numpy as np

from rewards import testing
from rewards.check.recorded_games import Recording, Transitions
from rewards.errors import describe
from rewards.guard import is_interruption
from rewards.kernel import exact_actions
from rewards.terms import Term

Test = Callable[[], None]


class RecordedContext(testing.Context):
    """Gives tests the steps that the reward was tried on."""

    def __init__(
        self, recording: Recording, transitions: Transitions, reward: testing.Reward | None
    ) -> None:
        super().__init__(recording.events.by_name())
        self._recording = recording
        self._transitions = transitions
        self._rows = recording.tried()
        self._reward = reward

    def steps(self, event: str) -> list[testing.Transition]:
        before, actions, after = self._transitions
        actions = exact_actions(actions)
        chosen = np.flatnonzero(self._recording.rows(event)[self._rows])
        if not chosen.size:
            raise LookupError(f"{event} does not happen in the recorded games")
        return [(before[k], actions[k], after[k]) for k in chosen]

    def reward(self) -> testing.Reward:
        if self._reward is None:
            raise LookupError("there are several rewards; name one, as in pays(event, reward)")
        return self._reward


def tests_of(terms: Iterable[Term]) -> dict[str, Test]:
    """Return the functions called `test_...` in the files of the user's terms."""
    modules = dict.fromkeys(term.module for term in terms if term.from_user)
    return {
        name: value
        for module in modules
        for name, value in vars(sys.modules[module]).items()
        if name.startswith("test_") and inspect.isfunction(value)
    }


def weighted_sum(weights: list[float], terms: list[Term]) -> testing.Reward:
    """Return the weighted sum of terms as one function."""

    def reward(before: Any, action: Any, after: Any) -> float:
        pairs = zip(weights, terms, strict=True)
        return sum(weight * term.function(before, action, after) for weight, term in pairs)

    return reward


def run_test(name: str, test: Test) -> str | None:
    """Run a test; return its failure with file and line, None if it passes."""
    try:
        test()
    except BaseException as error:
        if is_interruption(error):
            raise
        file = inspect.getfile(test)
        frames = [
            (frame, line)
            for frame, line in traceback.walk_tb(error.__traceback__)
            if frame.f_code.co_filename == file
        ]
        frame, line = frames[-1] if frames else (None, test.__code__.co_firstlineno)
        problem = describe(error)
        if isinstance(error, AssertionError):
            problem = str(error) or _assertion(file, line, frame)
        return f"{file}:{line}: {name} fails: {' '.join(problem.split())}"
    return None


def _assertion(file: str, line: int, frame: FrameType | None) -> str:
    """Return the text of a bare `assert` with the numbers that it compared, computed again."""
    text = linecache.getline(file, line).strip()
    try:
        (statement,) = ast.parse(text).body
        if frame is None or not isinstance(statement, ast.Assert):
            return text
        compared = statement.test
        if not isinstance(compared, ast.Compare):
            return text
        parts = [compared.left, *compared.comparators]
        numbers = [
            f"{(code := ast.unparse(part))} is {eval(code, frame.f_globals, frame.f_locals):.4g}"
            for part in parts
            if not isinstance(part, ast.Constant)
        ]
    except Exception:  # the line alone still helps
        return text
    return f"{text}, but {' and '.join(numbers)}"
