"""Machine code on disk: damage and full disks cost only the time to compile again."""

from __future__ import annotations

import hashlib
import os
import pickle
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

from numba.core.caching import NullCache
from numba.core.compiler import CompileResult
from numba.core.serialize import dumps

from envs.engine.cache import drop_oldest, whole_file

FOLDERS_KEPT = 256
SUFFIX = ".nbc"
LARGEST = 1 << 28
"""Maximum size of a file that is read, in bytes; machine code takes a few hundred thousand."""


class KernelCache(NullCache):
    """Compiled versions of one function, as Numba's dispatcher loads and saves them.

    Each version is a file in `folder`: a SHA-256 digest, then what Numba pickles. Numba's own cache
    has no digest. It fails at damaged files, or runs damaged machine code.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def cache_path(self) -> str:
        return str(self._folder)

    def load_overload(self, signature: Any, target_context: Any) -> Any:
        """Return the version for a signature, or None if it must be compiled."""
        target_context.refresh()
        file = self._file(signature, target_context.codegen())
        code = intact(file)
        if code is None:
            _throw_away(file)
            return None
        with suppress(OSError):
            os.utime(self._folder)  # the folders used last are kept
        try:
            return CompileResult._rebuild(target_context, *pickle.loads(code))  # type: ignore[no-untyped-call]
        except Exception:  # Numba may raise anything for a file of another version
            _throw_away(file)
            return None

    def save_overload(self, signature: Any, result: Any) -> None:
        """Save a version, unless the disk cannot be written or the code has addresses in it."""
        if result.lifted or result.library.has_dynamic_globals:
            return
        code: bytes = dumps(result._reduce())  # type: ignore[no-untyped-call]
        with suppress(OSError):
            if not self._folder.is_dir():
                self._folder.unlink(missing_ok=True)
            self._folder.mkdir(parents=True, exist_ok=True)
            with whole_file(self._file(signature, result.codegen)) as file:
                file.write(hashlib.sha256(code).digest() + code)
            drop_oldest(self._folder.parent, FOLDERS_KEPT)

    def _file(self, signature: Any, codegen: Any) -> Path:
        """Return the file of a signature on this kind of processor."""
        key = f"{signature} {codegen.magic_tuple()}"
        return self._folder / f"{hashlib.sha256(key.encode()).hexdigest()[:16]}{SUFFIX}"


def has_code(folder: Path) -> bool:
    """Return whether a folder holds a compiled version that is not damaged."""
    try:
        return any(intact(file) is not None for file in folder.glob(f"*{SUFFIX}"))
    except OSError:
        return False


def intact(file: Path) -> bytes | None:
    """Return what was saved in a file; None if it is missing or damaged."""
    try:
        if not file.is_file() or file.stat().st_size > LARGEST:  # a pipe would wait for ever
            return None
        content = file.read_bytes()
    except OSError:
        return None
    digest, code = content[: hashlib.sha256().digest_size], content[hashlib.sha256().digest_size :]
    return code if hashlib.sha256(code).digest() == digest else None


def _throw_away(path: Path) -> None:
    """Delete whatever is at `path`, if that is possible."""
    with suppress(OSError):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
