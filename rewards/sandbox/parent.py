"""The trial of a reward in a process of its own: an endless loop there stops nothing here.

The process is `rewards.sandbox.child`. It is told what to try in one line of JSON, answers in lines
of JSON, and ends by itself when the pipe to it closes: however this process ends, nothing is left.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from typing import IO, Any

from rewards.expression import RewardError
from rewards.sandbox.confinement import ASLEEP

SECONDS = 3.0
"""Of processor time that one piece of a user's code may take; loading its file may take longer, for
what it imports."""
PATIENCE = 5.0  # seconds more before a process is killed that should have ended by itself
NOISE_KEPT = 65_536  # bytes of what a broken process says


class TrialProcess:
    """One trial, under way as soon as this is made.

    `verdict` is what came of it, once `poll` or `wait` has returned warnings; `found`, what it pays
    for, is there some time before, once `wait_for_findings` has returned it.
    """

    def __init__(
        self,
        expression: str,
        env_id: str,
        env_options: Mapping[str, Any] | None = None,
        *,
        places: tuple[str, str] | None = None,
        examine: bool = False,
    ) -> None:
        """Start the process.

        Args:
            expression: the reward, as `rewards.expression.parse` reads it.
            env_id: a Gymnasium id, `PaddleBall-v0`, or a short name.
            env_options: of the environment; those of the game itself matter to the trial.
            places: the game and its module of rewards, for who has no `env_id`.
            examine: also find out what the reward pays for, as `python -m rewards check` shows it.
        """
        self.expression = expression
        self.env_id = env_id
        self.env_options = dict(env_options or {})
        self.found: dict[str, Any] = {}
        self.verdict: dict[str, Any] = {}
        self._told: dict[str, Any] = {}
        self._stage: dict[str, Any] = {}
        self._stage_began = time.monotonic()
        self._noise = b""
        self._news = threading.Event()
        request = {
            "expression": expression,
            "env": env_id,
            "places": places,
            "options": self.env_options,
            "examine": examine,
            "seconds": SECONDS,
        }
        line = json.dumps(request, default=float) + "\n"
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "rewards.sandbox.child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment_for_child(),
        )
        readers = ((self._process.stdout, self._listen), (self._process.stderr, self._overhear))
        self._readers = [
            threading.Thread(target=read, args=(pipe,), daemon=True) for pipe, read in readers
        ]
        for reader in self._readers:
            reader.start()
        pipe: Any = self._process.stdin
        with contextlib.suppress(OSError):  # it is gone already, which `poll` tells
            pipe.write(line.encode())
            pipe.flush()

    def __enter__(self) -> TrialProcess:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def poll(self) -> list[str] | None:
        """The warnings once the trial has gone well, None while it is under way.

        Raises:
            RewardError: the one clear line, if the reward cannot be used.
        """
        if any(reader.is_alive() for reader in self._readers):
            limit = self._stage.get("seconds")
            late = time.monotonic() - self._stage_began
            if limit is None or late < ASLEEP * limit + PATIENCE:
                return None
            self.stop()
            raise RewardError(self._too_long(self._stage["place"]))
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(1.0)
        self.stop()
        if "error" in self._told:
            raise RewardError(self._told["error"])
        if "verdict" not in self._told:
            raise RewardError(self._obituary())
        self.verdict = self._told["verdict"]
        return list(self.verdict["warnings"])

    def wait_for_findings(self) -> dict[str, Any]:
        """What the reward pays for, which is known before it is known whether it compiles.

        Raises:
            RewardError: the one clear line, if the reward cannot be used.
        """
        while not self.found and self.poll() is None:
            self._news.wait(0.05)
        return self.found

    def wait(self) -> list[str]:
        """The warnings, when the trial has gone well.

        Raises:
            RewardError: the one clear line, if the reward cannot be used.
        """
        try:
            while (warnings := self.poll()) is None:
                self._readers[0].join(0.05)
        finally:
            self.stop()
        return warnings

    def stop(self) -> None:
        """End the process, if it has not ended."""
        self._process.kill()
        self._process.wait()
        for reader in self._readers:
            reader.join(1.0)
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe is not None:
                pipe.close()

    def _listen(self, pipe: IO[bytes]) -> None:
        """Take in what the process reports, until it ends."""
        for line in pipe:
            event = json.loads(line)
            if "stage" in event:
                self._stage, self._stage_began = event, time.monotonic()
            elif "say" in event:
                print(event["say"], file=sys.stderr)
            elif "found" in event:
                self.found = event["found"]
                self._news.set()
            else:
                self._told = event
        self._news.set()

    def _overhear(self, pipe: IO[bytes]) -> None:
        """Keep the end of what else it says: Python's and the system's last words."""
        while piece := pipe.read1(NOISE_KEPT):  # type: ignore[attr-defined]
            self._noise = (self._noise + piece)[-NOISE_KEPT:]

    def _obituary(self) -> str:
        """Why there is no verdict."""
        noise = self._noise.decode("utf-8", "replace")
        if not self._stage.get("place"):
            last = noise.strip().splitlines()[-1:] or [f"exit code {self._process.returncode}"]
            return f"the trial of {self.expression!r} could not be made: {last[0]}"
        place = _line_in(noise, self._stage["file"]) or self._stage["place"]
        code = self._process.returncode
        if "Timeout (" in noise or code == -getattr(signal, "SIGPROF", math.inf):
            return self._too_long(place)
        how = f"signal {-code}, {signal.strsignal(-code)}" if code < 0 else f"exit code {code}"
        return f"{place}: {self._stage['stage']} ended the whole program ({how})"

    def _too_long(self, place: str) -> str:
        return (
            f"{place}: {self._stage['stage']} did not come to an end within "
            f"{self._stage['seconds']:g} s; is there a loop that never ends?"
        )


def environment_for_child() -> dict[str, str]:
    """Of a process that finds the same modules, on one thread."""
    path = os.pathsep.join(folder or os.getcwd() for folder in sys.path)  # noqa: PTH109
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    return os.environ | threads | {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}


def _line_in(noise: str, file: str) -> str | None:
    """`file:line` of the innermost line in `file` that a traceback of faulthandler shows."""
    written = re.escape(file.encode("ascii", "backslashreplace").decode())
    found = re.search(rf'File "{written}", line (\d+)', noise)
    return f"{file}:{found[1]}" if found else None
