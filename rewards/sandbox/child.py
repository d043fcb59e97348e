"""The process in which a reward is tried; `rewards.sandbox.parent` starts it.

It reads one line of JSON from standard input and writes lines of JSON to standard output: `running`
before each piece of a user's code, `say` for a message to show at once, `found` for what the reward
pays for, and finally `verdict` or `error`. Slow imports come late, so that most mistakes are
reported before them.
"""

from __future__ import annotations

import functools
import gc
import inspect
import json
import os
import queue
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, redirect_stderr
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TextIO

from rewards import testing
from rewards.child_process import end_with, separate_streams
from rewards.errors import describe, message_of, place_of
from rewards.expression import RewardError, WeightedTerm, file_named
from rewards.guard import is_interruption
from rewards.sandbox.confinement import MEMORY, Confinement
from rewards.sandbox.digests import digests_folder
from rewards.sandbox.protection import VARIABLE, enter
from rewards.terms import Term, distinct_names, load_term, load_terms

if TYPE_CHECKING:
    from envs.engine.game import Game
    from rewards.check.recorded_games import Recording, Transitions
    from rewards.sandbox.trial import Outcome

# limits of time, as multiples of the seconds that the request allows
LOADING = 4.0  # for loading a file with its imports
DIAGNOSING = 4.0  # for calling a term on the steps that `check` shows
COMPILING = 10.0  # for compiling, which runs no user's code
TRYING = 0.5  # for all calls of a trial together; a single call is stopped after the full time


class WeightedFunction(NamedTuple):
    """`weight * term`, with the term loaded."""

    weight: float
    term: Term


def main() -> None:
    """Serve one request, and exit without running what a user's code registered for the exit."""
    enter()
    requests, report, stderr = separate_streams()
    request = json.loads(requests.readline())
    answers = queue.SimpleQueue[str]()
    end_with(requests, answers.put)
    gc.disable()  # imports allocate much and free little
    sys.stderr = stderr
    answer: dict[str, Any]
    try:
        with redirect_stderr(MessageStream(report)):
            answer = {"verdict": Trial(request, report, answers.get, Confinement(stderr)).verdict()}
    except (ValueError, ImportError) as error:
        answer = {"error": message_of(error)}
    print(json.dumps(answer), file=report, flush=True)
    os._exit(0)


class Trial:
    """All steps of the trial of one reward."""

    def __init__(
        self,
        request: dict[str, Any],
        report: TextIO,
        wait_for_answer: Callable[[], str],
        confinement: Confinement,
    ) -> None:
        self.request = request
        self.warnings: list[str] = []
        self.digests: list[str] = []
        """Digests of the terms that compile, for `rewards.sandbox.digests`."""
        self._reward = ""
        """Which function of a file that is diagnosed as a whole is its reward."""
        self._report = report
        self._wait_for_answer = wait_for_answer
        self._confinement = confinement

    def verdict(self) -> dict[str, Any]:
        """Load, try, diagnose and compile the reward.

        Raises:
            RewardError: at the first mistake.
            ValueError: if there is no such environment.
        """
        game, rewards = self._game  # first: a wrong option is not reported as a wrong file
        self._tell({"digests_folder": str(digests_folder())})  # before a user's code can say so
        from rewards.check.events import events_of

        with testing.using(testing.Context(events_of(game, rewards).by_name())):
            parts = self._load()
        from rewards.check.recorded_games import is_recorded, recorded

        if VARIABLE in os.environ and not is_recorded(game, rewards, self.request["options"]):
            self._tell({"needs": "recording"})  # a sandbox cannot write it
            self._wait_for_answer()
        recording = recorded(game, rewards, self.request["options"])
        transitions = recording.transitions(recording.tried())
        parts, outcomes = self._try_all(parts, game, transitions)
        if (printed := self._confinement.printed) is not None:
            self.warnings.append(
                f"reward prints {printed.text!r} at {printed.file}:{printed.line}; in training it "
                "would print at every step, remove it"
            )
        found: dict[str, Any] = {"tests": 0, "failures": []}
        if self.request["diagnose"]:
            found = self._diagnose(parts, recording)
            found |= self._run_tests(parts, recording, transitions)
            self._tell({"found": found | {"warnings": self.warnings}})
        compiled = [
            self._compiles(part.term, transitions, outcome)
            for part, outcome in zip(parts, outcomes, strict=True)
        ]
        return found | {"compiled": compiled, "warnings": self.warnings, "digests": self.digests}

    def _tell(self, event: dict[str, Any]) -> None:
        print(json.dumps(event), file=self._report, flush=True)

    @functools.cached_property
    def _game(self) -> tuple[Game, str]:
        """The definition of the game, and its module of rewards."""
        from envs.engine.game import OBSERVATION_OPTIONS, load_game

        game, rewards = game_of(self.request)
        if self.request["diagnose"]:
            _, rest = load_game(_places(self.request)[0], self.request["options"])
            game.make_options({k: v for k, v in rest.items() if k not in OBSERVATION_OPTIONS})
        return game, rewards

    @functools.cached_property
    def _terms(self) -> list[WeightedTerm]:
        """The terms as written."""
        return [WeightedTerm(*each) for each in self.request["terms"]]

    @property
    def _separate(self) -> bool:
        """Whether to diagnose a whole file, each of its functions separately."""
        (weight, term), *others = self._terms
        alone = weight == 1.0 and not others and term.endswith(".py")
        return bool(self.request["diagnose"]) and alone

    def _load(self) -> list[WeightedFunction]:
        """Return the terms with their weights."""
        if self._separate:
            file = self._terms[0].term
            with self._user_code(f"loading {file}", *_file(file), LOADING):
                terms, self._reward = load_terms(file)
                return [WeightedFunction(1.0, term) for term in terms]
        parts = []
        for weight, name in self._terms:
            with self._user_code(f"loading {name}", *_file(name), LOADING):
                term = load_term(name, self._game[1])
            if term.folder is not None:
                learned: Any = term.function
                learned.check_game(self._game[0])
            self.warnings += [term.warning] if term.warning else []
            if self.request["diagnose"]:  # the table shows a term by its present name
                term = term._replace(name=term.function.__name__)
            parts.append(WeightedFunction(weight, term))
        return parts

    def _try_all(
        self, parts: list[WeightedFunction], game: Game, transitions: Transitions
    ) -> tuple[list[WeightedFunction], list[Outcome | None]]:
        """Return the terms that can be used, and their outcomes.

        Raises:
            RewardError: if one of them cannot be used. Functions next to the reward of a file may
                be helpers; they are left out, with a warning.
        """
        usable, outcomes = [], []
        for part in parts:
            try:
                outcomes.append(self._try(part.term, game, transitions))
                usable.append(part)
            except RewardError as error:
                if not self._separate or part.term.name == self._reward:
                    raise
                self._confinement.violations.clear()
                self.warnings.append(
                    f"`{part.term.name}` is not shown, as it is no reward: {error}. Begin the "
                    "names of helpers with _"
                )
        if len(parts) > 1 and not self._separate:
            self._check_sum(usable, outcomes, transitions)
        return usable, outcomes

    def _check_sum(
        self,
        parts: list[WeightedFunction],
        outcomes: list[Outcome | None],
        transitions: Transitions,
    ) -> None:
        """Check that the weighted sum stays finite.

        Raises:
            RewardError: if it does not.
        """
        import numpy as np

        from rewards.kernel import LARGEST

        tried = [
            part.weight
            * (self._values(part.term, transitions) if outcome is None else outcome.values)
            for part, outcome in zip(parts, outcomes, strict=True)
        ]
        largest = np.abs(np.sum(tried, axis=0)).max()
        if not largest <= LARGEST:
            raise RewardError(
                f"reward {self.request['expression']!r}: the sum reaches {largest:.3g}; rewards "
                f"must be finite and at most {LARGEST:.0e}, so choose smaller weights"
            )

    def _try(self, term: Term, game: Game, transitions: Transitions) -> Outcome | None:
        """Return the outcome for a user's term; None for a built-in one."""
        from rewards.sandbox.trial import try_term

        if not term.from_user:
            return None
        seconds = TRYING * self.request["seconds"]
        with self._calls_of(term):
            outcome = try_term(term, game, transitions, seconds)
        self.warnings += outcome.warnings
        return outcome

    def _compiles(self, term: Term, transitions: Transitions, outcome: Outcome | None) -> bool:
        """Return whether a term can be compiled; if it cannot, add a warning that says why."""
        from rewards.sandbox.trial import choose_kernel, digest_of, was_compiled

        game, rewards = self._game
        if outcome is None:
            return True
        if not outcome.repeatable:
            return False
        if was_compiled(term, game):
            return True
        with _without_scipy(), self._calls_of(term, ", compiled,", COMPILING):
            _, reasons = choose_kernel(term, game, rewards, transitions, outcome)
        if not reasons:
            self.digests.append(digest_of(term, game))
        self.warnings += reasons
        return not reasons

    def _diagnose(self, parts: list[WeightedFunction], recording: Recording) -> dict[str, Any]:
        """Return what the reward pays for, and add warnings about it."""
        import numpy as np

        from rewards.check.diagnostics import Paid, diagnosed, warnings_about_terms
        from rewards.check.texts import FOLDER
        from rewards.texts import load_texts

        texts = load_texts(FOLDER, self.request["diagnose"])
        rows = recording.diagnosed()
        transitions = recording.transitions(rows)
        paid = {}
        labels = distinct_names([part.term for part in parts])
        for label, (weight, term) in zip(labels, parts, strict=True):
            name = label if weight == 1.0 else f"{weight:g}*{label}"
            paid[name] = weight * self._values(term, transitions)
        judged = list(paid) if self._separate else [next(iter(paid))]
        if len(paid) > 1 and not self._separate:
            whole = recording.whole()[rows]  # events are as frequent there as in real games
            of_games = {name: values[whole] for name, values in paid.items()}
            self.warnings += warnings_about_terms(of_games, texts)
            paid["sum"] = np.sum(list(paid.values()), axis=0)
            judged = ["sum"]
        found, warnings = diagnosed(Paid(recording, rows, paid), judged, texts)
        self.warnings += warnings
        return found | {"game": self._game[0].name}

    def _values(self, term: Term, transitions: Transitions) -> Any:
        """Return what a term pays. It is interpreted, which is faster here than to compile it."""
        from rewards.kernel import checked_kernel, missing_field, plain_kernel, values

        game = self._game[0]
        if term.from_user:
            with self._calls_of(term, factor=DIAGNOSING):
                return values(checked_kernel(term, game, compile_it=False), *transitions)
        try:
            return values(plain_kernel(term), *transitions)
        except AttributeError as error:
            raise missing_field(term, game, str(error.name)) from None

    def _run_tests(
        self, parts: list[WeightedFunction], recording: Recording, transitions: Transitions
    ) -> dict[str, Any]:
        """Run the tests in the user's files, and return their number and the failures."""
        from rewards.check.run_tests import RecordedContext, run_test, tests_of, weighted_sum

        weights, terms = [part.weight for part in parts], [part.term for part in parts]
        reward = None if self._separate and len(parts) > 1 else weighted_sum(weights, terms)
        tests, failures = tests_of(terms), []
        with testing.using(RecordedContext(recording, transitions, reward)):
            for name, test in tests.items():
                with self._user_code(f"`{name}`", *_place(test)):
                    failures.append(run_test(name, test))
        return {"tests": len(tests), "failures": [text for text in failures if text is not None]}

    def _calls_of(
        self, term: Term, how: str = "", factor: float = 1.0
    ) -> AbstractContextManager[None]:
        """Call a term under all limits. The reward of a file can be tried without the others."""
        is_other = self._separate and term.name != self._reward
        file, place = _place(term.function)
        reward = self._reward if is_other else ""
        return self._user_code(f"`{term.name}`{how}", file, place, factor, reward)

    @contextmanager
    def _user_code(
        self, what: str, file: str, place: str, factor: float = 1.0, reward: str = ""
    ) -> Iterator[None]:
        """Run a user's code under all limits.

        `what` names the code in errors. `reward` is the reward of its file, if the code is another
        function of that file.
        """
        seconds, memory = self.request["seconds"] * factor, int(MEMORY * max(factor, 1.0))
        event = {"running": what, "file": file, "place": place, "seconds": seconds}
        event |= {"reward": reward}
        self._tell(event)
        gc.enable()
        try:
            with self._confinement.watched(seconds, memory):
                yield
        except RewardError as error:
            if isinstance(error.__context__, MemoryError):
                raise RewardError(
                    f"{error}: {what} needs more than {memory / 2**20:,.0f} MB"
                ) from None
            raise
        except BaseException as error:  # even `repr` and `__eq__` of a user's object may raise
            if is_interruption(error):
                raise
            raise RewardError(f"{place}: {what}: {describe(error)}") from None
        finally:
            gc.disable()
            self._tell(event | {"done": True})  # games may be recorded next, at any length
            if self._confinement.violations:
                file, line, text = self._confinement.violations[0]
                raise RewardError(
                    f"{file}:{line}: it {text}; a reward may only read and compute"
                ) from None


@contextmanager
def _without_scipy() -> Iterator[None]:
    """Keep Numba from importing SciPy, which takes a tenth of a second.

    Numba imports it for linear algebra wherever it is installed, and has no option against that;
    None in `sys.modules` is Python's documented way to make an import fail.
    """
    if "scipy" in sys.modules:
        yield
        return
    sys.modules["scipy"] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules["scipy"]


class MessageStream:
    """Replaces standard error for messages of this project."""

    def __init__(self, report: TextIO) -> None:
        self._report = report

    def write(self, text: str) -> int:
        if text.strip():
            print(json.dumps({"say": text.rstrip()}), file=self._report, flush=True)
        return len(text)

    def flush(self) -> None:
        """Do nothing: every message is sent at once."""


def game_of(request: dict[str, Any]) -> tuple[Game, str]:
    """Return the definition of the game of a request, and its module of rewards."""
    from envs.engine.game import load_game

    place, rewards = _places(request)
    return load_game(place, request["options"])[0], rewards


def _places(request: dict[str, Any]) -> tuple[str, str]:
    """Return where a game and its reward terms are defined."""
    from envs.names import suggest
    from envs.registry import GAMES

    if request["places"]:
        place, rewards = request["places"]
        return place, rewards
    name = request["env"]
    for short_name, entry in GAMES.items():
        if name in (short_name, entry.env_id):
            return entry.target, entry.rewards
    raise ValueError(f"there is no game `{name}`; {suggest(name, GAMES)}")


def _file(term: str) -> tuple[str, str]:
    """Return the file or module of a term as written, twice: it is also the place of an error."""
    named = file_named(term)
    file = str(Path(named).expanduser().resolve()) if named else term.rpartition(":")[0] or term
    return file, file


def _place(function: Callable[..., Any]) -> tuple[str, str]:
    """Return the file of a function, and `file:line` at which it begins."""
    return inspect.unwrap(function).__code__.co_filename, place_of(function)


if __name__ == "__main__":
    main()
