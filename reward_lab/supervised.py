"""Runs jobs that execute a user's rewards, in processes of their own (`reward_lab.process`).

Unlike those of `training.workers`, they are supervised, report while they work, and save what they
have when they are told to stop.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any

from rewards.child_process import environment_for_child, how_it_ended
from training.ipc import receive
from training.supervisor import VARIABLE
from training.trainer_process import supervision_flags

SAVE_SECONDS = 30.0  # that a process may take to save
LISTEN_SECONDS = 0.2  # between two chances for Ctrl-C, which cannot end a wait on Windows


@dataclass(frozen=True)
class Job:
    """One task for a process."""

    task: str
    """Name in `reward_lab.process.TASKS`."""
    request: dict[str, Any]
    """What it is asked to do, as JSON."""
    has_code: bool
    """Whether it executes a user's code, which is then supervised."""


def run_supervised(
    jobs: Sequence[Job],
    processes: int,
    on_report: Callable[[dict[str, Any]], None],
) -> list[Any]:
    """Run jobs, `processes` of them at a time, and return their results in order.

    `on_report` is called with each message of a job. If a job fails, or on Ctrl-C, the others are
    asked to save and end.

    Raises:
        ValueError: with one line, if a job fails.
    """
    messages: Messages = SimpleQueue()
    waiting, results = deque(range(len(jobs))), [None] * len(jobs)
    running: dict[int, _Process] = {}
    try:
        while waiting or running:
            while waiting and len(running) < processes:
                number = waiting.popleft()
                running[number] = _Process(jobs[number], number, messages)
            with contextlib.suppress(Empty):
                number, content = messages.get(timeout=LISTEN_SECONDS)
                if content is None:
                    running.pop(number).close()
                elif "error" in content or "end" in content:
                    raise ValueError(content.get("error") or content["end"])
                elif "result" in content:
                    results[number] = content["result"]
                    running[number].has_result = True
                else:
                    on_report(content)
    finally:
        for process in running.values():
            process.ask_to_end()
        for process in running.values():
            process.kill_if_late()
    return results


def run_alone(folder: str, job: Job) -> list[dict[str, Any]]:
    """Run one job in a worker of a cluster, and return its reports.

    `folder` is the working folder of the command, which all machines must share.

    Raises:
        ValueError: with one line, if the job fails.
    """
    reports: list[dict[str, Any]] = []
    with contextlib.chdir(folder):
        run_supervised([job], 1, reports.append)
    return reports


Messages = SimpleQueue[tuple[int, dict[str, Any] | None]]
"""Numbers of jobs with their messages; None when there are no more."""


class _Process:
    """The process of a job. It ends by itself when this process ends, in whatever way."""

    def __init__(self, job: Job, number: int, messages: Messages) -> None:
        variables = environment_for_child()
        variables.pop(VARIABLE, None)  # this process may have a supervisor, too
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "reward_lab.process", *supervision_flags(job.has_code)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=variables,
            process_group=0,  # Ctrl-C reaches only this process, which lets the others save
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),  # for Windows
        )
        self.has_result = False
        self._send({"task": job.task, "request": job.request})
        reader = threading.Thread(target=self._listen, args=(number, messages), daemon=True)
        reader.start()

    def close(self) -> None:
        """Wait for a process that sends no more messages.

        Raises:
            ValueError: if it ended without a result.
        """
        code = self._process.wait()
        if not self.has_result:
            raise ValueError(f"a process of the lab was ended from outside ({how_it_ended(code)})")
        self._close_input()

    def ask_to_end(self) -> None:
        """Ask the process to save and end."""
        self._send({})

    def kill_if_late(self) -> None:
        """Wait until the process has ended; kill it if that takes too long."""
        try:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(SAVE_SECONDS)
        finally:  # it hangs, or Ctrl-C was pressed again; its last checkpoint is complete
            self._process.kill()
            self._process.wait()
            self._close_input()

    def _send(self, content: dict[str, Any]) -> None:
        pipe: Any = self._process.stdin
        with contextlib.suppress(OSError):  # the process has ended
            pipe.write(json.dumps(content).encode() + b"\n")
            pipe.flush()

    def _close_input(self) -> None:
        pipe: Any = self._process.stdin
        with contextlib.suppress(OSError):
            pipe.close()

    def _listen(self, number: int, messages: Messages) -> None:
        pipe: Any = self._process.stdout
        with pipe:
            while (received := receive(pipe)) is not None:
                messages.put((number, received[0]))
        messages.put((number, None))
