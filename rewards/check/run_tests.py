"""Runs the tests that a student wrote beside a reward."""

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
from rewards.check.recorded_games import Recording
from rewards.sandbox.trial import Transitions
from rewards.terms import Term, describe

Test = Callable[[], None]


class RecordedStage(testing.Stage):
    """Tests see the steps that the reward was tried on."""

    def __init__(
        self, recording: Recording, transitions: Transitions, reward: testing.Reward | None
    ) -> None:
        self._recording = recording
        self._transitions = transitions
        self._rows = recording.tried()
        self._reward = reward

    def moments(self) -> Iterable[str]:
        return self._recording.moments.by_name()

    def steps(self, moment: str) -> list[testing.Transition]:
        before, actions, after = self._transitions
        chosen = np.flatnonzero(self._recording.rows(moment)[self._rows])
        if not chosen.size:
            raise LookupError(f"{moment} does not happen in the games that were recorded")
        return [(before[k], actions[k], after[k]) for k in chosen]

    def reward(self) -> testing.Reward:
        if self._reward is None:
            raise LookupError("there are several rewards; say which, as in pays(moment, reward)")
        return self._reward


def tests_beside(terms: Iterable[Term]) -> dict[str, Test]:
    """The functions called `test_...` in the files of the user's terms."""
    modules = dict.fromkeys(term.function.__module__ for term in terms if term.own)
    return {
        name: value
        for module in modules
        for name, value in vars(sys.modules[module]).items()
        if name.startswith("test_") and inspect.isfunction(value)
    }


def weighted(weights: list[float], terms: list[Term]) -> testing.Reward:
    """The reward that a weighted sum of terms is."""

    def reward(before: Any, action: Any, after: Any) -> float:
        pairs = zip(weights, terms, strict=True)
        return sum(weight * term.function(before, action, after) for weight, term in pairs)

    return reward


def run_test(name: str, test: Test) -> str | None:
    """What is wrong, with file and line; None if nothing is."""
    try:
        test()
    except (Exception, SystemExit) as error:
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
    """A bare `assert` with the numbers that it compared, found by computing them again."""
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
            f"{ast.unparse(part)} is {_compute(part, frame):.4g}"
            for part in parts
            if not isinstance(part, ast.Constant)
        ]
    except Exception:  # whatever it is, the line itself says most
        return text
    return f"{text}, but {' and '.join(numbers)}"


def _compute(part: ast.expr, frame: FrameType) -> Any:
    code = compile(ast.Expression(part), "<assert>", "eval")
    return eval(code, frame.f_globals, frame.f_locals)
