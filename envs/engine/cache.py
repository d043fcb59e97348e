"""Where this project keeps what took time to make: machine code, recorded games."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path


def cache_root(configured: str | None) -> Path:
    """The folder of compiled code; other things have theirs beside it.

    Args:
        configured: Numba's `NUMBA_CACHE_DIR`, which is obeyed.
    """
    if configured:
        return Path(configured) / "training-wheels"
    if sys.platform == "win32" and "LOCALAPPDATA" in os.environ:
        return Path(os.environ["LOCALAPPDATA"]) / "training-wheels" / "compiled"
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "training-wheels" / "compiled"


def drop_oldest(root: Path, kept: int) -> None:
    """Every edit of a game leaves something behind; the newest is enough."""
    entries = sorted(root.iterdir(), key=lambda entry: entry.stat().st_mtime)
    for entry in entries[:-kept]:
        if entry.is_dir():
            shutil.rmtree(entry, ignore_errors=True)
        else:
            entry.unlink(missing_ok=True)
