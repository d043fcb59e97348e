"""The folder in which compiled code and recorded games are cached."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


def cache_root(configured: str | None) -> Path:
    """Return the folder of compiled code; other caches are next to it.

    `configured` is the value of Numba's `NUMBA_CACHE_DIR`, which takes precedence.
    """
    if configured:
        return Path(configured) / "training-wheels"
    if sys.platform == "win32" and "LOCALAPPDATA" in os.environ:
        return Path(os.environ["LOCALAPPDATA"]) / "training-wheels" / "compiled"
    configured = os.environ.get("XDG_CACHE_HOME")
    try:
        home = Path(configured) if configured else Path.home() / ".cache"
    except RuntimeError:  # a user without a home, as in some containers
        home = Path(tempfile.gettempdir())
    return home / "training-wheels" / "compiled"


def drop_oldest(root: Path, kept: int) -> None:
    """Delete all but the `kept` newest entries, as every edit of a game adds one."""
    entries = sorted(root.iterdir(), key=lambda entry: entry.stat().st_mtime)
    for entry in entries[:-kept]:
        if entry.is_dir():
            shutil.rmtree(entry, ignore_errors=True)
        else:
            entry.unlink(missing_ok=True)


@contextmanager
def whole_file(path: Path) -> Iterator[IO[bytes]]:
    """Open a file for writing; other processes see the whole file or none of it."""
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as temporary:
        try:
            yield temporary
            temporary.close()  # Windows cannot rename an open file
            Path(temporary.name).replace(path)
        except BaseException:
            Path(temporary.name).unlink(missing_ok=True)
            raise
