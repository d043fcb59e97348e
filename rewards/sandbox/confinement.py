"""What a process does to itself before it runs a user's code: little can be done from inside."""

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

MEMORY = 512 * 2**20  # bytes that a user's code may take
ASLEEP = 4.0  # times its seconds of processor time that a user's code may take by the clock
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
FORBIDDEN = {
    "builtins.input": "asks for input",
    "os.system": "starts a program",
    "os.exec": "starts a program",
    "os.posix_spawn": "starts a program",
    "os.spawn": "starts a program",
    "os.startfile": "starts a program",
    "subprocess.Popen": "starts a program",
    "os.fork": "starts a process",
    "os.forkpty": "starts a process",
    "_thread.start_new_thread": "starts a thread",
    "_thread.start_joinable_thread": "starts a thread",
    "atexit.register": "wants something done at the program's end",
    "os.chdir": "changes the working folder",
    "os.kill": "sends a signal",
    "os.mkdir": "makes a folder",
    "os.rmdir": "removes a folder",
    "os.remove": "removes a file",
    "os.rename": "renames a file",
    "os.truncate": "writes a file",
    "os.link": "makes a link",
    "os.symlink": "makes a link",
    "os.chmod": "changes a file's permissions",
    "os.chown": "changes a file's owner",
    "socket.__new__": "opens a network connection",
    "socket.getaddrinfo": "opens a network connection",
}
"""Python's audit events that have no business in a reward, and what they are in words."""

_PATHS = sysconfig.get_paths()
_LIBRARIES = tuple(
    f"{Path(folder).resolve()}{os.sep}"
    for folder in (
        *(_PATHS[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")),
        str(Path(__file__).parents[1]),
        str(Path(__file__).parents[2] / "envs"),
    )
)


class ForbiddenError(BaseException):
    """A user's code did what a reward must not do; `except Exception` does not stop it."""


class Deed(NamedTuple):
    """Something that a user's code did, and where."""

    file: str
    line: int
    text: str


class Confinement:
    """What a user's code does while `watched`: forbidden deeds, and what it prints."""

    def __init__(self, noise: TextIO) -> None:
        """Take precautions for the rest of this process.

        Args:
            noise: where Python shall write if it crashes or a time limit ends it.
        """
        self.deeds: list[Deed] = []
        self.printed: Deed | None = None
        self._noise = noise
        self._watching = False
        faulthandler.enable(noise)
        if hasattr(signal, "SIGPROF"):  # not on Windows
            faulthandler.register(signal.SIGPROF, noise, chain=True)  # which then ends the process
        _announce("_thread.start_new_thread", threading.Thread, "start")
        _announce("_thread.start_new_thread", _thread, "start_new_thread")
        _announce("atexit.register", atexit, "register")
        sys.addaudithook(self._audit)

    @contextlib.contextmanager
    def watched(self, seconds: float) -> Iterator[None]:
        """Run a user's code: the process ends with a traceback after `seconds`.

        They are those of a processor, which a busy machine does not shorten, and `ASLEEP` times as
        many by the clock; where the system counts no such seconds, those of the clock.
        """
        out, err = sys.stdout, sys.stderr
        sys.stdout = sys.stderr = _Printed(self)
        by_processor = hasattr(signal, "SIGPROF")
        if by_processor:
            signal.setitimer(signal.ITIMER_PROF, seconds)
        clock = ASLEEP * seconds if by_processor else seconds
        faulthandler.dump_traceback_later(clock, exit=True, file=self._noise)
        self._watching = True
        try:
            with warnings.catch_warnings(), _limited_memory():
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
        frame = None if text is None else user_frame(sys._getframe(1))
        if frame is None:
            return
        self.deeds.append(Deed(frame.f_code.co_filename, frame.f_lineno, str(text)))
        raise ForbiddenError(text)


def _announce(event: str, owner: Any, name: str) -> None:
    """Raise an audit event for what Python raises none for, or only from 3.12 on."""
    function: Callable[..., Any] = getattr(owner, name)

    @functools.wraps(function)
    def announced(*arguments: Any, **named: Any) -> Any:
        sys.audit(event)
        return function(*arguments, **named)

    setattr(owner, name, announced)


class _Printed:
    """In place of standard output and standard error: keeps the first words."""

    def __init__(self, confinement: Confinement) -> None:
        self._confinement = confinement

    def write(self, text: str) -> int:
        frame = user_frame(sys._getframe(1))
        if self._confinement.printed is None and frame is not None and text.strip():
            deed = Deed(frame.f_code.co_filename, frame.f_lineno, " ".join(text.split())[:40])
            self._confinement.printed = deed
        return len(text)

    def flush(self) -> None:
        """Nothing waits."""


def _writes(mode: Any, flags: Any) -> bool:
    return bool(set("wax+") & set(mode or "")) or bool(isinstance(flags, int) and flags & WRITING)


def user_frame(frame: FrameType | None) -> FrameType | None:
    """The user's code on whose behalf `frame` runs; None if it is an import's or our own."""
    while frame is not None:
        file = frame.f_code.co_filename
        if file.startswith("<frozen importlib"):
            return None
        if not file.startswith(("<", *_LIBRARIES)):
            return frame
        frame = frame.f_back
    return None


@contextlib.contextmanager
def _limited_memory() -> Iterator[None]:
    """Let this process take no more than `MEMORY` beyond what it has, where the system can."""
    try:
        import resource
    except ImportError:  # Windows
        yield
        return
    before = resource.getrlimit(resource.RLIMIT_AS)
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
    except OSError:  # of other systems than Linux
        yield
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a crash shall leave no file behind
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + MEMORY, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def separate_streams() -> tuple[TextIO, TextIO, TextIO]:
    """Keep the pipes to who started this process from a user's code.

    Returns:
        What it says, where to report, and where Python may complain.
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


def end_with(pipe: TextIO) -> None:
    """End this process, whatever it does, once nobody holds the other end of `pipe`."""

    def wait() -> None:
        pipe.read()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()
