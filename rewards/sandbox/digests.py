"""Digests of the terms that earlier trials have compiled: empty files with a hash as the name."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterable
from pathlib import Path

KEPT = 1000


def digests_folder() -> Path:
    """Return the folder of the digests; it is next to that of compiled code."""
    from envs.engine.cache import cache_root  # here, as the parent of a sandbox imports no games

    return cache_root(os.environ.get("NUMBA_CACHE_DIR")).with_name("known")


def add_digests(folder: Path, digests: Iterable[str]) -> None:
    """Add digests, if the disk can be written, and drop the oldest.

    They come from a process that has run a user's code, so anything but a hash is left out.
    """
    hashes = [str(digest) for digest in digests if re.fullmatch("[0-9a-f]{8,64}", str(digest))]
    if not hashes:
        return
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        for name in hashes:
            (folder / name).touch()
        for old in sorted(folder.iterdir(), key=lambda file: file.stat().st_mtime)[:-KEPT]:
            old.unlink(missing_ok=True)
