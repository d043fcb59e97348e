"""Helpers for a child process and the parent that starts it.

They serve the sandbox and live training. This module imports little: the parent of a sandbox starts
it before it imports Gymnasium or NumPy.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from typing import TextIO


def environment_for_child() -> dict[str, str]:
    """Return environment variables for a child that finds the same modules and uses one thread."""
    path = os.pathsep.join(folder or os.getcwd() for folder in sys.path)  # noqa: PTH109
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    return os.environ | threads | {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}


def how_it_ended(code: int) -> str:
    """Describe the exit code of a process, which is negative if a signal ended it."""
    is_signal = 0 < -code < signal.NSIG
    return f"signal {-code}, {signal.strsignal(-code)}" if is_signal else f"exit code {code}"


def separate_streams() -> tuple[TextIO, TextIO, TextIO]:
    """Keep the pipes to the parent process away from the code that runs in this one.

    Returns:
        The stream of the parent's requests, the one for reports, and the one for Python's messages.
    """
    streams = (
        os.fdopen(os.dup(0), "r", encoding="utf-8"),
        os.fdopen(os.dup(1), "w", encoding="utf-8"),
        os.fdopen(os.dup(2), "w", encoding="utf-8"),
    )
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in range(3):
        os.dup2(nothing, descriptor)
    os.close(nothing)
    return streams


def end_with(pipe: TextIO, on_line: Callable[[str], None] = lambda line: None) -> None:
    """End this process, whatever it is doing, once the parent has closed its end of `pipe`.

    `on_line` is called with each line that the parent still sends.
    """

    def wait() -> None:
        for line in pipe:
            on_line(line)
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()
