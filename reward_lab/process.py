"""Executes rewards for the lab: python -m reward_lab.process [--supervised SECONDS]

It reads one line of JSON, `{"task": ..., "request": ...}`, and sends messages (`training.ipc`):
`{"warning": text}`, what the task reports, and at the end `{"result": ...}` or `{"error": text}`.
A second line asks it to save and end; when standard input ends, the process ends at once.
With `--supervised`, a light parent process says how this one ended, if a reward ended it. A call of
a reward may take SECONDS.
"""

from __future__ import annotations

import contextlib
import json
import sys
import warnings
from typing import Any

TASKS = {"train": "reward_lab.trainer:train_runs", "pay": "reward_lab.payment:pay_runs"}
"""Functions (request, report, stop) by name. A request and a result are JSON."""


def main() -> int:
    """Do one task."""
    from threading import Event

    from envs.names import load
    from rewards.child_process import end_with, separate_streams
    from rewards.errors import describe, message_of
    from training.ipc import send

    requests, answers, complaints = separate_streams()
    sys.stderr = complaints

    def report(content: dict[str, Any]) -> None:
        with contextlib.suppress(OSError):  # the parent has ended, and so will this process
            send(answers.buffer, content)

    warnings.showwarning = lambda message, *_, **__: report({"warning": str(message)})
    job, stop = json.loads(requests.readline()), Event()
    end_with(requests, lambda line: stop.set())
    try:
        report({"result": load(TASKS[job["task"]])(job["request"], report, stop)})
    except (ValueError, FloatingPointError, OSError, MemoryError) as error:
        report({"error": message_of(error) or type(error).__name__})
        return 1
    except Exception as error:  # a mistake of ours: the traceback helps
        report({"error": describe(error)})
        raise
    return 0


if __name__ == "__main__":
    from training.trainer_process import start

    sys.exit(start("reward_lab.process"))
