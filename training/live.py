"""The process that trains while `python play.py --train` shows the agent in a window.

The window starts it through `training.trainer_process` and sends lines of JSON on standard input;
progress and weights go back on standard output (`training.ipc`). The first line is
`{"config": ..., "run_dir": ...}`: the settings as in config.json, and the folder of the run
folders. Each later line requests another run: `{"compiled": [true]}` continues with the newly saved
reward, which the window has tested; `{}` starts again with new weights. When its input ends, the
process saves and ends.

Each reward gets its own run folder, as in `train.py`. A bad reward therefore spoils nothing: the
previous run is still there, and continues if the new one fails.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import sys
import threading
import time
import warnings
from collections import deque
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import IO, Any

import torch

from rewards.child_process import separate_streams
from rewards.expression import RewardError
from rewards.make import load_tried_reward
from training.config import RunConfig
from training.ipc import send
from training.lock import locked
from training.logger import TensorBoardLogger
from training.loop import Run, train
from training.reward_snapshot import keep_reward, kept_sources
from training.session import describe_run, prepare
from training.vector_runner import make_environments

SEND_SECONDS = 1.0
NICENESS = 5  # the window has priority
FOREVER = 10**12  # steps
GRACE_SECONDS = 20.0  # to save; a reward that never returns is then killed


class Requests:
    """Requests of the window; `waiting` is set while there are any, and interrupts `train`."""

    def __init__(self, pipe: IO[str], grace_seconds: float = GRACE_SECONDS) -> None:
        """Read requests from `pipe`.

        When `pipe` ends, this process gets `grace_seconds` to save and end, and is then killed.
        """
        self.waiting = Event()
        self.ended = False
        self._pipe = pipe
        self._grace_seconds = grace_seconds
        self._requests: deque[dict[str, Any]] = deque()
        threading.Thread(target=self._listen, daemon=True).start()

    def take(self) -> list[dict[str, Any]]:
        """Return all requests since the last call."""
        self.waiting.clear()
        taken = []
        while self._requests:
            taken.append(self._requests.popleft())
        return taken

    def _listen(self) -> None:
        for line in self._pipe:
            self._requests.append(json.loads(line))
            self.waiting.set()
        self.ended = True
        self.waiting.set()
        if self._grace_seconds < math.inf:
            time.sleep(self._grace_seconds)
            os._exit(1)


class Reports:
    """A `training.display.Display` that sends progress and weights to the window."""

    def __init__(self, pipe: IO[bytes]) -> None:
        self.run: Run | None = None
        self._pipe = pipe
        self._last = 0.0

    def __enter__(self) -> Reports:
        self._last = 0.0
        self.update(0, {})
        return self

    def __exit__(self, *exception: object) -> None:
        return None

    def update(self, step: int, numbers: dict[str, float]) -> None:
        """Send the newest numbers and weights, at most once a second."""
        if self.run is None or time.monotonic() - self._last < SEND_SECONDS:
            return
        self._last = time.monotonic()
        progress = self.run.progress
        content = {
            "run": str(self.run.folder),
            "steps": progress.steps,
            "episodes": progress.episodes,
            "score": numbers.get("score"),
            "speed": numbers.get("steps/s"),
        }
        self._send(content, self.run.agent.policy_tensors())

    def problem(self, text: str) -> None:
        """Send an error message."""
        self._send({"problem": text})

    def _send(self, content: dict[str, Any], tensors: dict[str, Any] | None = None) -> None:
        with contextlib.suppress(OSError):  # the window is closed: the requests have ended too
            send(self._pipe, content, tensors)


class LiveTrainer:
    """Trains one run after another, as the window requests."""

    def __init__(
        self, config: RunConfig, run_dir: Path, command: str, requests: Requests, reports: Reports
    ) -> None:
        self._config = config
        self._run_dir = run_dir
        self._command = command
        self._requests = requests
        self._reports = reports
        self.run: Run | None = None
        self.before: Run | None = None
        """Run to return to if the present one fails."""

    def work(self) -> None:
        """Train until the window is closed.

        Raises:
            ValueError: if the first run cannot start.
            OSError: if a run folder cannot be written.
        """
        self.begin(self._config.make_options)
        while not self._requests.ended:
            self.train()
            for request in self._requests.take():
                self.serve(request)

    def train(self) -> None:
        """Train until a request arrives; if the run fails, return to the previous one."""
        run = self._reports.run = self.run
        if run is None:
            self._requests.waiting.wait()
            return
        try:
            with (
                locked(run.folder),
                closing(TensorBoardLogger(run.folder, run.progress.steps)) as logger,
                self._reports,
            ):
                train(run, logger, self._reports, self._requests.waiting)
        except (RewardError, FloatingPointError) as error:
            self.run, self.before = self.before, None
            self._reports.problem(str(error))

    def serve(self, request: dict[str, Any]) -> None:
        """Start another run; with a bad reward, keep the present one."""
        config = self._config
        try:
            if "compiled" in request:
                assert config.reward is not None, "only a reward with a file can change"
                reward = load_tried_reward(
                    config.reward, config.env, config.env_options, request["compiled"]
                )
                self.begin(config.make_options | {"reward": reward}, self.run)
            elif self.run is None:
                self.begin(config.make_options)
            else:
                kept = kept_sources(self.run.folder)  # the file may be changing right now
                self.begin(self.run.make_options)
                keep_reward(self.run.folder, kept)
        except RewardError as error:
            self._reports.problem(str(error))

    def begin(self, make_options: dict[str, Any], parent: Run | None = None) -> None:
        """Start a new run, whose agent starts with what the agent of `parent` has learned."""
        config = self._config
        environments = make_environments(config.env, config.num_envs, make_options)
        run, sources = prepare(config, environments, self._run_dir, None, self._command)
        if parent is not None:
            run.agent.warm_start(parent.agent.tensors())
        with closing(TensorBoardLogger(run.folder, 0)) as logger:
            describe_run(logger, run.config, self._command, sources)
        self.run, self.before = run, self.run


def main() -> int:
    """Train as the first line of standard input says, until standard input ends."""
    warnings.simplefilter("ignore")  # the window has shown them
    commands, answers, complaints = separate_streams()
    sys.stderr = complaints
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    torch.set_num_threads(1)
    reports = Reports(answers.buffer)
    try:
        start = json.loads(commands.readline())
        config = RunConfig.from_json(start["config"])
        config = replace(config, steps=FOREVER, eval_every=FOREVER, solved_score=None)
        run_dir, command = Path(start["run_dir"]), start["config"]["command"]
        LiveTrainer(config, run_dir, command, Requests(commands), reports).work()
    except Exception as error:
        reports.problem(f"{error}")
        return 1
    return 0
