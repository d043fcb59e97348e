"""A lock on a run folder: two processes that train into the same folder would spoil it.

The operating system releases the lock when its process ends, in whatever way.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from training.run_folder import RunError

LOCK = ".lock"
FAR = 2**30  # Windows locks bytes: one that nobody reads
MAX_HOLDER = 200  # characters


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the lock of a run folder.

    Raises:
        RunError: if another process holds it, or something else has its name.
    """
    path = folder / LOCK
    if os.path.lexists(path) and (path.is_symlink() or not path.is_file()):
        raise RunError(f"{path} is not a regular file; remove it")  # it would be written to
    with path.open("a+", encoding="utf-8", errors="replace") as file:
        try:
            _lock(file)
        except (BlockingIOError, PermissionError):
            file.seek(0)
            holder = " ".join(file.read(MAX_HOLDER).split()) or "another process"
            raise RunError(f"{folder} is being trained by {holder}; end it first") from None
        except OSError:  # a file system without locks
            pass
        file.seek(0)
        file.truncate()
        file.write(f"process {os.getpid()} on {socket.gethostname()}\n")
        file.flush()
        yield


def _lock(file: IO[str]) -> None:
    if sys.platform == "win32":
        import msvcrt

        file.seek(FAR)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
