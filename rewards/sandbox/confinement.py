"""The limits under which a process runs a user's code: time, memory, and forbidden operations.

They give an honest mistake a clear message. They do not stop an attack, because code can get around
them; `rewards.sandbox.protection` does.
"""

from __future__ import annotations

import _thread
import atexit
import contextlib
import faulthandler
import functools
import os
import signal
import sys
import sysconfig
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple, TextIO

from rewards.guard import data_size

MEMORY = 512 * 2**20  # bytes that a user's code may allocate; more while it is loaded
ASLEEP = 4.0  # limit of wall-clock time, as a multiple of the limit of processor time
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
FORBIDDEN = {
    "builtins.input": "asks for input",
    "os.system": "starts a program",
    "os.exec": "starts a program",
    "os.posix_spawn": "starts a program",
    "os.spawn": "starts a program",
    "os._exit": "ends the whole program",
    "os.startfile": "starts a program",
    "subprocess.Popen": "starts a program",
    "os.fork": "starts a process",
    "os.forkpty": "starts a process",
    "_thread.start_new_thread": "starts a thread",
    "_thread.start_joinable_thread": "starts a thread",
    "atexit.register": "registers a function for the program's end",
    "os.chdir": "changes the working folder",
    "os.kill": "sends a signal",
    "os.mkdir": "creates a folder",
    "os.rmdir": "removes a folder",
    "os.remove": "removes a file",
    "os.rename": "renames a file",
    "os.truncate": "writes a file",
    "os.link": "creates a link",
    "os.symlink": "creates a link",
    "os.chmod": "changes a file's permissions",
    "os.chown": "changes a file's owner",
    "socket.__new__": "opens a network connection",
    "socket.getaddrinfo": "opens a network connection",
}
"""Audit events of Python that no reward needs, and how an error describes them."""

_PATHS = sysconfig.get_paths()
_LIBRARIES = tuple(
    f"{Path(folder).resolve()}{os.sep}"
    for folder in (
        *(_PATHS[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")),
        # a virtual environment may use the packages of another one
        *(folder for folder in sys.path if folder.endswith(("site-packages", "dist-packages"))),
        str(Path(__file__).parents[1]),
        str(Path(__file__).parents[2] / "envs"),
    )
)


class ForbiddenError(BaseException):
    """A user's code did something forbidden; `except Exception` does not catch this."""


class Operation(NamedTuple):
    """An operation of a user's code, with its place."""

    file: str
    line: int
    text: str


class Confinement:
    """Limits a user's code while `watched`, and records forbidden operations and printed text."""

    def __init__(self, stderr: TextIO) -> None:
        """Set up what lasts until this process ends.

        Args:
            stderr: where Python writes a traceback if it crashes or a time limit ends it.
        """
        self.violations: list[Operation] = []
        self.printed: Operation | None = None
        # here, because a process that only starts trials imports this module without Gymnasium
        from envs.engine.cache import cache_root

        self._cache = cache_root(os.environ.get("NUMBA_CACHE_DIR")).parent
        self._stderr = stderr
        self._watching = False
        faulthandler.enable(stderr)
        if hasattr(signal, "SIGPROF"):  # not on Windows
            # chained, because Python's own handler ends the process
            faulthandler.register(signal.SIGPROF, stderr, chain=True)
        # Python raises no audit event for `atexit`, nor before 3.12 for threads; the functions
        # themselves have to be replaced, as there is no hook for either
        _announce("_thread.start_new_thread", threading.Thread, "start")
        _announce("_thread.start_new_thread", _thread, "start_new_thread")
        _announce("atexit.register", atexit, "register")
        _announce("os._exit", os, "_exit")
        sys.addaudithook(self._audit)

    @contextlib.contextmanager
    def watched(self, seconds: float, memory: int = MEMORY) -> Iterator[None]:
        """Run a user's code: the process ends with a traceback after `seconds`.

        It may allocate `memory` bytes.

        These are seconds of processor time, so that a busy machine does not shorten the limit, and
        `ASLEEP` times as many by the clock. Windows has only the clock.
        """
        out, err = sys.stdout, sys.stderr
        sys.stdout = sys.stderr = _Printed(self)
        by_processor = hasattr(signal, "SIGPROF")
        if by_processor:
            signal.setitimer(signal.ITIMER_PROF, seconds)
        clock = ASLEEP * seconds if by_processor else seconds
        faulthandler.dump_traceback_later(clock, exit=True, file=self._stderr)
        self._watching = True
        try:
            with warnings.catch_warnings(), _limited_memory(memory):
                warnings.simplefilter("ignore")
                yield
        finally:
            self._watching = False
            faulthandler.cancel_dump_traceback_later()
            if by_processor:
                signal.setitimer(signal.ITIMER_PROF, 0)
            sys.stdout, sys.stderr = out, err

    def _audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self._watching:
            return
        text = FORBIDDEN.get(event)
        if event == "open" and _writes(*arguments[1:3]):
            text = f"writes the file {arguments[0]}"
        if text is None or _is_in(self._cache, arguments):  # a game is compiled
            return
        frame = user_frame(sys._getframe(1))
        if frame is None:
            return
        self.violations.append(Operation(frame.f_code.co_filename, frame.f_lineno, text))
        raise ForbiddenError(text)


def _announce(event: str, owner: Any, name: str) -> None:
    """Replace a function by one that raises an audit event first."""
    function: Callable[..., Any] = getattr(owner, name)

    @functools.wraps(function)
    def announced(*arguments: Any, **named: Any) -> Any:
        sys.audit(event)
        return function(*arguments, **named)

    setattr(owner, name, announced)


class _Printed:
    """Replaces standard output and standard error, and keeps the first text."""

    def __init__(self, confinement: Confinement) -> None:
        self._confinement = confinement

    def write(self, text: str) -> int:
        frame = user_frame(sys._getframe(1))
        if self._confinement.printed is None and frame is not None and text.strip():
            printed = " ".join(text.split())[:40]
            self._confinement.printed = Operation(frame.f_code.co_filename, frame.f_lineno, printed)
        return len(text)

    def flush(self) -> None:
        """Do nothing: there is no buffer."""


def _writes(mode: Any, flags: Any) -> bool:
    return bool(set("wax+") & set(mode or "")) or bool(isinstance(flags, int) and flags & WRITING)


def _is_in(folder: Path, arguments: tuple[Any, ...]) -> bool:
    """Return whether the first argument of an operation is a path in `folder`."""
    path = arguments[0] if arguments else None
    return isinstance(path, str | os.PathLike) and Path(path).is_relative_to(folder)


def user_frame(frame: FrameType | None) -> FrameType | None:
    """Return the frame of the user's code that led to `frame`.

    It is None if an import or this project did.
    """
    while frame is not None:
        file = frame.f_code.co_filename
        if file.startswith("<frozen importlib"):
            return None
        if not file.startswith(("<", *_LIBRARIES)):
            return frame
        frame = frame.f_back
    return None


@contextlib.contextmanager
def _limited_memory(most: int) -> Iterator[None]:
    """Let this process allocate `most` bytes more than it has, where the system supports that.

    The limit is on data. Address space would count libraries that are only mapped, and what
    threads reserve, which differs from one start to the next.
    """
    try:
        import resource
    except ImportError:  # Windows
        yield
        return
    data, before = data_size(), resource.getrlimit(resource.RLIMIT_DATA)
    if data < 0:  # not Linux
        yield
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a crash leaves no file behind
    resource.setrlimit(resource.RLIMIT_DATA, (data + most, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, before)
