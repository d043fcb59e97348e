"""The process in which a reward is tried: `rewards.sandbox.parent` starts it and reads its answer.

It reads one line of JSON from standard input and writes lines of JSON to standard output: `stage`
before each piece of a user's code, `say` for what people should see at once, and at last `verdict`
or `error`. What takes long to import is imported as late as can be: most mistakes are found before.
"""

from __future__ import annotations

import functools
import gc
import inspect
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, redirect_stderr
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TextIO

from rewards import testing
from rewards.expression import RewardError, file_named, is_code, parse
from rewards.sandbox.confinement import Confinement, end_with, separate_streams
from rewards.terms import Term, distinct_names, load_term, load_terms, place_of

if TYPE_CHECKING:
    from envs.engine.game import Game
    from rewards.check.recorded_games import Recording
    from rewards.sandbox.trial import Outcome, Transitions

LOADING = 4.0  # times the seconds of a trial that loading a file may take, for what it imports
EXAMINING = 4.0  # times that looking at what a term pays may take, with more steps to look at
COMPILING = 10.0  # times that compiling may take: no user's code runs then
TRYING = 0.5  # of these seconds a term may take for all steps; one call alone may take them all


class Part(NamedTuple):
    """One term of what is tried."""

    weight: float
    term: Term


def main() -> None:
    """Serve one request, and end without any clearing up that a user's code asked for."""
    request_line, report, noise = separate_streams()
    request = json.loads(request_line.readline())
    end_with(request_line)
    gc.disable()  # for the imports, which make much and drop little
    sys.stderr = noise
    answer: dict[str, Any]
    try:
        with redirect_stderr(Said(report)):
            answer = {"verdict": Trial(request, report, Confinement(noise)).verdict()}
    except (ValueError, ImportError) as error:
        answer = {"error": str(error)}
    print(json.dumps(answer), file=report, flush=True)
    os._exit(0)


class Trial:
    """All that is done with one reward."""

    def __init__(self, request: dict[str, Any], report: TextIO, confinement: Confinement) -> None:
        self.request = request
        self.warnings: list[str] = []
        self._report = report
        self._confinement = confinement

    def verdict(self) -> dict[str, Any]:
        """Load, try, compile, and look at what is paid for.

        Raises:
            RewardError: at the first thing that is wrong.
            ValueError: if there is no such environment.
        """
        game, rewards = self._game  # first: an option that there is not is no mistake of the file
        parts = self._load()
        from rewards.check.recorded_games import recorded
        from rewards.sandbox.trial import tried_transitions

        recording = recorded(game, rewards, self.request["options"])
        transitions = tried_transitions(recording)
        outcomes = [self._try(part.term, game, transitions) for part in parts]
        if (printed := self._confinement.printed) is not None:
            self.warnings.append(
                f"reward prints {printed.text!r} at {printed.file}:{printed.line}; in training it "
                "would at every step, take it out"
            )
        found: dict[str, Any] = {}
        if self.request["examine"]:
            found = self._examine(parts, recording)
            found |= self._rehearse(parts, recording, transitions)
            self._tell({"found": found | {"warnings": self.warnings}})
        compiled = [
            self._compiles(part.term, transitions, outcome)
            for part, outcome in zip(parts, outcomes, strict=True)
        ]
        return found | {"compiled": compiled, "warnings": self.warnings}

    def _tell(self, event: dict[str, Any]) -> None:
        print(json.dumps(event), file=self._report, flush=True)

    @functools.cached_property
    def _places(self) -> tuple[str, str]:
        """The game and its module of rewards."""
        if self.request["places"]:
            game, rewards = self.request["places"]
            return game, rewards
        from envs.names import suggest
        from envs.registry import GAMES

        name = self.request["env"]
        for short_name, entry in GAMES.items():
            if name in (short_name, entry.env_id):
                return entry.target, entry.rewards
        raise ValueError(f"there is no game `{name}`; {suggest(name, GAMES)}")

    @functools.cached_property
    def _game(self) -> tuple[Game, str]:
        """The definition of the game, and its module of rewards."""
        from envs.engine.game import OF_OBSERVATIONS, load_game

        place, rewards = self._places
        game, rest = load_game(place, self.request["options"])
        if self.request["examine"]:
            game.make_options({k: v for k, v in rest.items() if k not in OF_OBSERVATIONS})
        return game, rewards

    @property
    def _separate(self) -> bool:
        """Is a whole file to be looked at, each of its functions by itself?"""
        return bool(self.request["examine"]) and Path(self.request["expression"]).suffix == ".py"

    def _load(self) -> list[Part]:
        """The terms; a mistake in a user's file is found before anything else is imported."""
        _, of_game = self._places
        testing.stage = Waiting(lambda: self._game)
        expression = self.request["expression"]
        if self._separate:
            with self._user_code(f"loading {expression}", *_file(expression), LOADING):
                return [Part(1.0, term) for term in load_terms(expression)]
        parts = []
        for weight, name in parse(expression):
            rewards = "" if is_code(name) else of_game
            with self._user_code(f"loading {name}", *_file(name), LOADING):
                term = load_term(name, rewards)
            self.warnings += [term.warning] if term.warning else []
            if self.request["examine"]:  # by its present name, which is no other column's
                term = term._replace(name=term.function.__name__)
            parts.append(Part(weight, term))
        return parts

    def _try(self, term: Term, game: Game, transitions: Transitions) -> Outcome | None:
        """What came of a user's term; None for the game's own."""
        from rewards.sandbox.trial import try_term

        if not term.own:
            return None
        seconds = TRYING * self.request["seconds"]
        with self._user_code(f"`{term.name}`", *_place(term.function)):
            outcome = try_term(term, game, transitions, seconds)
        self.warnings += outcome.warnings
        return outcome

    def _compiles(self, term: Term, transitions: Transitions, outcome: Outcome | None) -> bool:
        """Does it run compiled? If not, there is a warning that says why."""
        from rewards.known import is_known, remember

        game, rewards = self._game
        if outcome is None:
            return True
        if not outcome.repeatable:
            return False
        if is_known(term, game):
            return True
        from rewards.kernel import choose_kernel

        with (
            _no_scipy(),
            self._user_code(f"`{term.name}`, compiled,", *_place(term.function), COMPILING),
        ):
            _, reasons = choose_kernel(term, game, rewards, transitions, outcome)
        if not reasons:
            remember(term, game)
        self.warnings += reasons
        return not reasons

    def _examine(self, parts: list[Part], recording: Recording) -> dict[str, Any]:
        """What the reward pays for."""
        import numpy as np

        from rewards.check.diagnostics import Paid, warnings_about, warnings_about_terms
        from rewards.sandbox.trial import transitions_at

        rows = recording.looked_at()
        transitions = transitions_at(recording, rows)
        paid = {}
        labels = distinct_names([part.term for part in parts])
        for label, (weight, term) in zip(labels, parts, strict=True):
            name = label if weight == 1.0 else f"{weight:g}*{label}"
            paid[name] = weight * self._values(term, transitions)
        judged = list(paid) if self._separate else [next(iter(paid))]
        if len(paid) > 1 and not self._separate:
            whole = recording.whole()[rows]  # in which moments are as frequent as in games
            of_games = {name: values[whole] for name, values in paid.items()}
            self.warnings += warnings_about_terms("the sum", of_games)
            paid["sum"] = np.sum(list(paid.values()), axis=0)
            judged = ["sum"]
        found = Paid(recording, rows, paid)
        for name in judged:
            self.warnings += warnings_about(name, found)
        return {
            "game": self._game[0].name,
            "rewards": list(paid),
            "moments": found.moments,
            "players": found.players,
        }

    def _values(self, term: Term, transitions: Transitions) -> Any:
        """What a term pays: interpreted, which takes less time here than compiling it."""
        from rewards.guards import missing_field, plain_checked
        from rewards.weighted_sum import plain_kernel, values

        if term.own:
            with self._user_code(f"`{term.name}`", *_place(term.function), EXAMINING):
                return values(plain_checked(term), *transitions)
        try:
            return values(plain_kernel(term), *transitions)
        except AttributeError as error:
            raise missing_field(term, self._game[0], str(error.name)) from None

    def _rehearse(
        self, parts: list[Part], recording: Recording, transitions: Transitions
    ) -> dict[str, Any]:
        """Run the tests in the user's own files."""
        from rewards.check.run_tests import RecordedStage, run_test, tests_beside, weighted

        weights, terms = [part.weight for part in parts], [part.term for part in parts]
        reward = None if self._separate and len(parts) > 1 else weighted(weights, terms)
        testing.stage = RecordedStage(recording, transitions, reward)
        tests, failures = tests_beside(terms), []
        for name, test in tests.items():
            with self._user_code(f"`{name}`", *_place(test)):
                failures.append(run_test(name, test))
        return {"tests": len(tests), "failures": [text for text in failures if text is not None]}

    @contextmanager
    def _user_code(self, what: str, file: str, place: str, patience: float = 1.0) -> Iterator[None]:
        """Run a user's code under all limits."""
        seconds = self.request["seconds"] * patience
        self._tell({"stage": what, "file": file, "place": place, "seconds": seconds})
        gc.enable()
        try:
            with self._confinement.watched(seconds):
                yield
        finally:
            gc.disable()
            if self._confinement.deeds:
                deed = self._confinement.deeds[0]
                raise RewardError(
                    f"{deed.file}:{deed.line}: it {deed.text}; a reward only looks and computes"
                ) from None


@contextmanager
def _no_scipy() -> Iterator[None]:
    """Keep Numba from loading SciPy, for the linear algebra that no term needs, if it is there.

    It takes a tenth of a second, and rewards shall be judged alike with and without it.
    """
    if "scipy" in sys.modules:
        yield
        return
    sys.modules["scipy"] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules["scipy"]


class Waiting(testing.Stage):
    """Before the games were looked at, tests may already ask which moments there are."""

    def __init__(self, game: Callable[[], tuple[Game, str]]) -> None:
        self._game = game

    def moments(self) -> Iterable[str]:
        from rewards.check.events import moments_of

        return moments_of(*self._game()).by_name()


class Said:
    """In place of standard error, for what the project itself has to say."""

    def __init__(self, report: TextIO) -> None:
        self._report = report

    def write(self, text: str) -> int:
        if text.strip():
            print(json.dumps({"say": text.rstrip()}), file=self._report, flush=True)
        return len(text)

    def flush(self) -> None:
        """Nothing waits."""


def _file(term: str) -> tuple[str, str]:
    """The file of a term as it was written, where it has one; as a place, too."""
    named = file_named(term)
    file = str(Path(named).expanduser().resolve()) if named else term.rpartition(":")[0] or term
    return file, file


def _place(function: Callable[..., Any]) -> tuple[str, str]:
    """The file of a function, and `file:line` at which it begins."""
    return inspect.unwrap(function).__code__.co_filename, place_of(function)


if __name__ == "__main__":
    main()
