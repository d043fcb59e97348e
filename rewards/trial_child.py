"""The process in which a reward is tried: `rewards.trial_process` starts it and reads its answer.

It reads one line of JSON from standard input and writes lines of JSON to standard output: `stage`
before each piece of a user's code, `say` for what people should see at once, and at last `verdict`
or `error`.
"""

from __future__ import annotations

import gc
import inspect
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

from rewards.confinement import Confinement, end_with, limit_memory, separate_streams
from rewards.expression import RewardError

LOADING = 4  # times the seconds of a trial that loading a file may take, for what it imports
COMPILING = 10  # times that compiling may take: no user's code runs then


def main() -> None:
    """Serve one request, and end without any clearing up that a user's code asked for."""
    request_line, report, noise = separate_streams()
    request = json.loads(request_line.readline())
    end_with(request_line)
    gc.disable()  # for the imports, which make much and drop little
    try:
        answer = {"verdict": Trial(request, report, Confinement(noise)).verdict()}
    except (ValueError, ImportError) as error:
        answer = {"error": str(error)}
    print(json.dumps(answer), file=report, flush=True)
    os._exit(0)


class Trial:
    """All that is done with one reward."""

    def __init__(self, request: dict[str, Any], report: TextIO, confinement: Confinement) -> None:
        self.request = request
        self._report = report
        self._confinement = confinement

    def verdict(self) -> dict[str, Any]:
        """Load, try and compile.

        Raises:
            RewardError: at the first thing that is wrong.
            ValueError: if there is no such environment.
        """
        from envs.game import load_game
        from rewards.expression import parse
        from rewards.loading import load_term
        from rewards.trial import choose_kernel, recorded_transitions, try_term

        place, rewards = self._places()
        game, options = load_game(place, self.request["options"])
        sys.stderr = _Said(self._report)
        transitions = recorded_transitions(game, options)
        gc.enable()
        limit_memory()
        warnings, compiled = [], []
        for part in parse(self.request["expression"]):
            file = part.term.rpartition(":")[0] or part.term
            with self._user_code(f"loading {part.term}", file, file, LOADING):
                term = load_term(part.term, rewards)
            if not term.own:
                compiled.append(True)
                continue
            code = inspect.unwrap(term.function).__code__
            where = code.co_filename, f"{code.co_filename}:{code.co_firstlineno}"
            with self._user_code(f"`{term.name}`", *where):
                warnings += try_term(term, game, transitions, self.request["seconds"] / 2)
            with self._user_code(f"`{term.name}`, compiled,", *where, COMPILING):
                _, reason = choose_kernel(term, game, transitions)
            compiled.append(reason is None)
            warnings += [] if reason is None else [reason]
        if (printed := self._confinement.printed) is not None:
            warnings.append(
                f"reward prints {printed.text!r} at {printed.file}:{printed.line}; in training it "
                "would at every step, take it out"
            )
        return {"warnings": warnings, "compiled": compiled}

    def _places(self) -> tuple[str, str]:
        """The game and its module of rewards."""
        if self.request["places"]:
            return tuple(self.request["places"])
        import gymnasium

        from envs.registration import SHORT_NAMES

        name = self.request["env"]
        env_id = SHORT_NAMES.get(name, name)
        if env_id not in SHORT_NAMES.values():
            raise ValueError(f"there is no game {name}; there are {', '.join(SHORT_NAMES)}")
        arguments = gymnasium.spec(env_id).kwargs
        return arguments["game"], arguments["rewards"]

    @contextmanager
    def _user_code(self, stage: str, file: str, place: str, patience: float = 1.0) -> Iterator[None]:
        """Run a user's code under all limits."""
        seconds = self.request["seconds"] * patience
        event = {"stage": stage, "file": file, "place": place, "seconds": seconds}
        print(json.dumps(event), file=self._report, flush=True)
        try:
            with self._confinement.watched(seconds):
                yield
        finally:
            if self._confinement.deeds:
                deed = self._confinement.deeds[0]
                raise RewardError(
                    f"{deed.file}:{deed.line}: it {deed.text}; a reward only looks and computes"
                ) from None


class _Said:
    """In place of standard error, for what the project itself has to say."""

    def __init__(self, report: TextIO) -> None:
        self._report = report

    def write(self, text: str) -> int:
        if text.strip():
            print(json.dumps({"say": text.rstrip()}), file=self._report, flush=True)
        return len(text)

    def flush(self) -> None:
        """Nothing waits."""


if __name__ == "__main__":
    main()
