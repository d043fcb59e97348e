"""Starts a separate process that tries a reward, so that an endless loop blocks only that process.

The process is `rewards.sandbox.child`. It reads one line of JSON, its request, reports in lines of
JSON, and ends when the pipe to it closes, so that it never outlives this process.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from rewards.child_process import environment_for_child, how_it_ended
from rewards.errors import line_in
from rewards.expression import RewardError, WeightedTerm, parse
from rewards.sandbox.confinement import ASLEEP
from rewards.sandbox.digests import add_digests
from rewards.sandbox.protection import VARIABLE, confined, exit_code
from rewards.sandbox.reports import Found, Report, Running, Verdict, next_report

SECONDS = 3.0  # of processor time for one piece of a user's code
PATIENCE = 5.0  # seconds past its limit before a process is killed
STDERR_KEPT = 65_536  # bytes of a broken process's output


class OtherFunctionError(RewardError):
    """A function of the file that is not its reward cannot be used."""

    def __init__(self, text: str, reward: str) -> None:
        super().__init__(text)
        self.reward = reward
        """Name of the reward of the file."""


class TrialProcess:
    """One trial of a reward; it starts at once.

    `verdict` is its result, once `poll` or `wait` has returned warnings. What the reward pays for
    is ready earlier; see `wait_for_findings`.
    """

    def __init__(
        self,
        expression: str,
        env_id: str,
        env_options: Mapping[str, Any] | None = None,
        *,
        parsed: Sequence[WeightedTerm] | None = None,
        places: tuple[str, str] | None = None,
        diagnose: str = "",
        seconds: float = SECONDS,
    ) -> None:
        """Start the process.

        Args:
            expression: the reward, as `rewards.expression.parse` reads it.
            env_id: a Gymnasium id, `PaddleBall-v0`, or a short name.
            env_options: of the environment; those of the game itself matter to the trial.
            parsed: the reward, parsed; by default `expression` is parsed here.
            places: the game and its module of rewards, in place of `env_id`.
            diagnose: also find out what the reward pays for, as `python -m rewards check` shows it,
                with warnings in this language, `en` or `ko`.
            seconds: processor time for one piece of a user's code; loading a file may take longer,
                as it imports.

        Raises:
            RewardError: if `expression` cannot be parsed.
        """
        parsed = parse(expression) if parsed is None else parsed
        self.expression = expression
        self.env_id = env_id
        self.env_options = dict(env_options or {})
        self.verdict: Verdict
        self.running = Running()
        """What the process runs, or has run last."""
        self._began = time.monotonic()
        self._found: Found | None = None
        self._verdict: Verdict | None = None
        self._problem = ""
        self._stderr = b""
        self._digests_folder = Path()
        self._has_found = threading.Event()
        request = {
            "expression": expression,
            "terms": parsed,
            "env": env_id,
            "places": places,
            "options": self.env_options,
            "diagnose": diagnose,
            "seconds": seconds,
        }
        self._request = (json.dumps(request, default=float) + "\n").encode()
        self._folder = tempfile.TemporaryDirectory(
            prefix="training-wheels-", ignore_cleanup_errors=True
        )
        command, variables = confined(_python("rewards.sandbox.child"), [Path(self._folder.name)])
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment_for_child() | variables | {"TMPDIR": self._folder.name},
            start_new_session=VARIABLE not in os.environ,  # a sandbox allows no new one
        )
        pipes = self._process.stdout, self._process.stderr
        self._readers = [
            threading.Thread(target=read, args=(pipe,), daemon=True)
            for pipe, read in zip(pipes, (self._read_reports, self._read_stderr), strict=True)
        ]
        for reader in self._readers:
            reader.start()
        self._send(self._request)

    def __enter__(self) -> TrialProcess:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def poll(self) -> list[str] | None:
        """Return the warnings of a trial that has succeeded, None while it is running.

        Raises:
            RewardError: with one line that says why, if the reward cannot be used.
        """
        if any(reader.is_alive() for reader in self._readers):
            late = time.monotonic() - self._began
            running = self.running.running and not self.running.done
            if not running or late < ASLEEP * self.running.seconds + PATIENCE:
                return None
            self.stop()
            raise self._error(self._too_long(self.running.place))
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(1.0)
        self.stop()
        if self._problem or self._verdict is None:
            raise self._error(self._problem or self._reason())
        self.verdict = self._verdict
        add_digests(self._digests_folder, self.verdict["digests"])
        return list(self.verdict["warnings"])

    def wait_for_findings(self) -> Found:
        """Return what the reward pays for, before it is compiled. Raises as `poll` does."""
        while self._found is None and self.poll() is None:
            self._has_found.wait(0.05)
        if self._found is None:
            raise self._error(self._forged())
        return self._found

    def wait(self) -> list[str]:
        """Wait for the trial and return its warnings. Raises as `poll` does."""
        try:
            while (warnings := self.poll()) is None:
                self._readers[0].join(0.05)
        finally:
            self.stop()
        return warnings

    def stop(self) -> None:
        """End the process and what it has started, if it is still running."""
        self._kill()
        self._process.wait()
        for reader in self._readers:
            reader.join(1.0)
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe is not None:
                pipe.close()
        self._folder.cleanup()

    def _kill(self) -> None:
        """Kill the session of the process.

        A sandbox that is still being set up does not yet end with its parent, and would hold the
        pipes open.
        """
        has_session = VARIABLE not in os.environ and hasattr(os, "killpg")
        if has_session and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
        self._process.kill()

    def _send(self, line: bytes) -> None:
        pipe: Any = self._process.stdin
        with contextlib.suppress(OSError, ValueError):  # it has ended, and `poll` reports why
            pipe.write(line)
            pipe.flush()

    def _read_reports(self, pipe: IO[bytes]) -> None:
        """Read the reports of the process until it ends."""
        try:
            while (report := next_report(pipe)) is not None:
                self._take(report)
        except ValueError:  # also if `stop` has closed the pipe
            self._problem = self._problem or self._forged()
            self._process.kill()
        self._has_found.set()

    def _take(self, report: Report) -> None:
        if report.running:
            self.running, self._began = report, time.monotonic()
        elif report.say:
            print(report.say, file=sys.stderr)
        elif report.digests_folder and not self.running.running:
            self._digests_folder = Path(report.digests_folder)
        elif report.needs:
            self._prepare()
        elif report.found is not None:
            self._found = report.found
            self._has_found.set()
        else:
            self._verdict, self._problem = report.verdict, report.error

    def _prepare(self) -> None:
        """Record the games that the trial needs, because it cannot save files in its sandbox."""
        if VARIABLE not in os.environ:  # else this process is in a sandbox, too
            command = _python("rewards.sandbox.prepare")
            subprocess.run(command, input=self._request, env=environment_for_child(), check=False)
        self._send(b"\n")

    def _read_stderr(self, pipe: IO[bytes]) -> None:
        """Keep the end of the standard error: a traceback, or a message of the system."""
        while piece := pipe.read1(STDERR_KEPT):  # type: ignore[attr-defined]
            self._stderr = (self._stderr + piece)[-STDERR_KEPT:]

    def _error(self, text: str) -> RewardError:
        reward = self.running.reward
        return OtherFunctionError(text, reward) if reward else RewardError(text)

    def _forged(self) -> str:
        """Return that the process has sent something else than reports."""
        place = self.running.place or f"the trial of {self.expression!r}"
        return (
            f"{place}: it writes to the program that tries it; a reward may only read and compute"
        )

    def _reason(self) -> str:
        """Return why there is no verdict."""
        stderr = self._stderr.decode("utf-8", "replace")
        if not self.running.place:
            last = stderr.strip().splitlines()[-1:] or [f"exit code {self._process.returncode}"]
            return f"the trial of {self.expression!r} could not run: {last[0]}"
        place = line_in(stderr, self.running.file) or self.running.place
        code = exit_code(self._process.returncode)
        if "Timeout (" in stderr or code == -getattr(signal, "SIGPROF", math.inf):
            return self._too_long(place)
        how = how_it_ended(code)
        return f"{place}: {self.running.running} ended the whole program ({how})"

    def _too_long(self, place: str) -> str:
        return (
            f"{place}: {self.running.running} did not end within "
            f"{self.running.seconds:g} s; does it have an endless loop?"
        )


def _python(module: str) -> list[str]:
    return [sys.executable, "-P", "-m", module]
