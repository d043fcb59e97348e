"""The first Ctrl-C or other termination signal lets the training loop finish its step and save.

SIGHUP comes when the terminal is closed, SIGQUIT from Ctrl-\\, SIGTERM from `kill` and at shutdown.
On Windows, SIGBREAK comes from Ctrl-Break and when the console is closed.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGBREAK")


def signals_to_end() -> list[signal.Signals]:
    """Return those of `SIGNALS` that this system has."""
    return [getattr(signal, name) for name in SIGNALS if hasattr(signal, name)]


@contextmanager
def interruptible(announced: bool = True) -> Iterator[threading.Event]:
    """Yield an event that the first of `SIGNALS` sets; the second one interrupts as usual.

    With `announced`, a line on standard error says that it has been received.
    A signal that is ignored, as SIGHUP is under `nohup`, stays ignored.
    """
    event = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield event  # only the main thread can receive signals
        return
    before: dict[int, Any] = {number: signal.getsignal(number) for number in signals_to_end()}
    signals = [number for number in before if before[number] != signal.SIG_IGN]

    def ask(number: int, frame: FrameType | None) -> None:
        event.set()
        if number == getattr(signal, "SIGHUP", None):
            _silence()
        if announced:
            print("\nStopping and saving. Press Ctrl-C again to quit at once.", file=sys.stderr)
        signal.signal(number, before[number])

    for number in signals:
        signal.signal(number, ask)
    try:
        yield event
    finally:
        for number in signals:
            signal.signal(number, before[number])


def _silence() -> None:
    """Discard all output to the terminal: it is closed, and writing to it would fail."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for descriptor in (1, 2):
        if os.isatty(descriptor) or not _is_open(descriptor):
            os.dup2(nowhere, descriptor)
    os.close(nowhere)


def _is_open(descriptor: int) -> bool:
    try:
        os.write(descriptor, b"")
    except OSError:
        return False
    return True


def end_with_parent() -> None:
    """Let a thread end this process, a worker of `multiprocessing`, as soon as its parent ends."""
    threading.Thread(target=_wait_and_end, daemon=True).start()


def _wait_and_end() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
