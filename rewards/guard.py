"""Watches the calls of a user's reward while an agent trains or plays.

A trial meets some thousand steps; training meets millions. A call that raises anything, or that
allocates without end, becomes an error with its file and line. A call that never ends, or that ends
the whole process, can only be seen from outside. Therefore each call is marked in memory that
`training.supervisor` shares with this process.
"""

from __future__ import annotations

import contextlib
import dis
import functools
import itertools
import json
import mmap
import os
import threading
from collections.abc import Iterator
from pathlib import Path

with contextlib.suppress(ImportError):  # Windows
    import resource

CALL, TERM, STEP, FINISHED = range(4)
"""The marks, which are int64: number of the call in progress or 0, its term, the step of training,
and whether the process has reached its end."""
LOADING = -1
"""Number that stands for the loading of a file in place of the call."""
WORD = 8
MARKS_FILE, TERMS_FILE = "marks", "terms"
MEMORY = 4 * 2**30
"""Bytes that the calls of an interpreted reward may allocate and keep."""
DATA = 5  # column of /proc/self/statm: pages of data and stack


class Marks:
    """Four numbers that another process can read at any time, and the terms that they refer to."""

    def __init__(self) -> None:
        self.words = memoryview(bytearray(4 * WORD)).cast("q")
        self._terms = itertools.count(1)
        self._folder: Path | None = None

    def share(self, folder: Path) -> None:
        """Keep the marks in `folder` from now on; call it before any reward is made."""
        with (folder / MARKS_FILE).open("r+b") as file:
            self.words = memoryview(mmap.mmap(file.fileno(), 4 * WORD)).cast("q")
        self._folder = folder

    def add_term(self, name: str, place: str, files: list[str]) -> int:
        """Return the number of a term, whose function is at `place`, as in `file.py:3`."""
        if self._folder is not None:
            with (self._folder / TERMS_FILE).open("a", encoding="utf-8") as file:
                file.write(json.dumps({"name": name, "place": place, "files": files}) + "\n")
        return next(self._terms)


MARKS = Marks()
_one_at_a_time = threading.RLock()  # a limit holds for all threads of the process


class Call:
    """A context manager around each call of one term: it marks the call."""

    def __init__(self, name: str, place: str, files: list[str]) -> None:
        self._words = MARKS.words
        self._term = MARKS.add_term(name, place, files)
        self._calls = itertools.count(1)

    def __enter__(self) -> None:
        self._words[TERM] = self._term
        self._words[CALL] = next(self._calls)

    def __exit__(self, *exception: object) -> None:
        self._words[CALL] = 0


@contextlib.contextmanager
def loading(file: str) -> Iterator[None]:
    """Mark that a user's file is executed, unless another one imports it."""
    if MARKS.words[CALL]:
        yield
        return
    MARKS.words[TERM] = MARKS.add_term(Path(file).name, file, [file])
    MARKS.words[CALL] = LOADING
    try:
        yield
    finally:
        MARKS.words[CALL] = 0


class LimitedCall(Call):
    """Also limits what the calls allocate and keep, where the system supports it.

    It is for interpreted code; compiled code keeps nothing between two calls. A call that goes
    beyond `MEMORY` gets a MemoryError.
    """

    def __init__(self, name: str, place: str, files: list[str]) -> None:
        super().__init__(name, place, files)
        self._kept = self._before = 0
        self._limits = 0, 0

    def __enter__(self) -> None:
        _one_at_a_time.acquire()
        if _statm() >= 0:
            self._limits = soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
            self._before = data_size()
            most = self._before + max(0, MEMORY - self._kept)
            most = most if soft == resource.RLIM_INFINITY else min(most, soft)
            resource.setrlimit(resource.RLIMIT_DATA, (most, hard))
        super().__enter__()

    def __exit__(self, *exception: object) -> None:
        super().__exit__()
        if _statm() >= 0:
            resource.setrlimit(resource.RLIMIT_DATA, self._limits)
            self._kept += data_size() - self._before
        _one_at_a_time.release()


def data_size() -> int:
    """Return how many bytes of data and stack this process has; -1 if the system does not say."""
    if _statm() < 0:
        return -1
    return int(os.pread(_statm(), 128, 0).split()[DATA]) * mmap.PAGESIZE


@functools.cache
def _statm() -> int:
    """Return a descriptor from which the size of this process is read; -1 if it is not Linux."""
    try:
        return os.open("/proc/self/statm", os.O_RDONLY)
    except OSError:
        return -1


def is_interruption(error: BaseException) -> bool:
    """Return whether Ctrl-C raised a KeyboardInterrupt; a user's code could raise it, too."""
    if not isinstance(error, KeyboardInterrupt):
        return False
    traceback = error.__traceback__
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    if traceback is None:
        return True
    code = traceback.tb_frame.f_code.co_code
    return code[traceback.tb_lasti] != dis.opmap["RAISE_VARARGS"]
