"""Plain functions compiled by Numba, with a disk cache that notices every edit.

Numba's own cache looks at one file only: a changed helper in another file would go unseen, and a
student who edits a game's physics would go on running the old one. Here every kernel is cached in a
folder named after the content of all the source files that it reaches.
"""

from __future__ import annotations

import functools
import hashlib
import inspect
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FunctionType
from typing import Any
from weakref import WeakSet

import numba
import numpy as np
from numba.extending import register_jitable

CACHES_KEPT = 64

_callable_from_compiled_code: WeakSet[FunctionType] = WeakSet()


def compiled(kernel: Callable[..., Any], cache: bool = True) -> Callable[..., Any]:
    """Compile `kernel` and every plain function that it reaches.

    With `NUMBA_DISABLE_JIT=1` the kernel is returned interpreted, for debugging.

    Args:
        kernel: may use functions from its closure and globals, and functions those call.
        cache: keep the machine code on disk for the next process.
    """
    if numba.config.DISABLE_JIT:
        return np.errstate(over="ignore")(kernel)  # the generator's arithmetic wraps around
    functions = list(reached(kernel))
    for function in functions[1:]:
        if function not in _callable_from_compiled_code:
            register_jitable(function)
            _callable_from_compiled_code.add(function)
    options = {"error_model": "numpy", "nogil": True}
    folder = _cache_folder(kernel.__name__, _fingerprint(functions)) if cache else None
    if folder is None:
        return numba.njit(**options)(kernel)
    before, numba.config.CACHE_DIR = numba.config.CACHE_DIR, str(folder)
    try:
        return numba.njit(cache=True, **options)(kernel)
    finally:
        numba.config.CACHE_DIR = before


def direct(kernel: Callable[..., Any], *arguments: Any) -> Callable[..., Any]:
    """The machine code of `kernel` for arguments of exactly these types.

    Calling it skips Numba's look at the arguments, some two microseconds, which is most of the
    time that a single game takes. The caller must keep to the types.
    """
    if numba.config.DISABLE_JIT:
        return kernel
    signature = tuple(numba.typeof(argument) for argument in arguments)
    kernel.compile(signature)  # type: ignore[attr-defined]
    entry: Callable[..., Any] = kernel.overloads[signature].entry_point  # type: ignore[attr-defined]
    return entry


def is_cached(kernel: Callable[..., Any]) -> bool:
    """Has this machine compiled `kernel`, as it is written now, before?"""
    if numba.config.DISABLE_JIT:
        return True
    folder = _cache_root() / _folder_name(kernel.__name__, _fingerprint(list(reached(kernel))))
    return any(folder.glob("*/*.nbi"))


def reached(kernel: Callable[..., Any]) -> Iterator[FunctionType]:
    """`kernel` and all plain Python functions that it can call, each once, `kernel` first."""
    seen: set[FunctionType] = set()
    waiting = [kernel]
    while waiting:
        function = waiting.pop()
        if isinstance(function, FunctionType) and function not in seen:
            seen.add(function)
            yield function
            waiting.extend(_names_used(function).values())


def _names_used(function: FunctionType) -> dict[str, Any]:
    used = inspect.getclosurevars(function)
    return {**used.globals, **used.nonlocals}


def _fingerprint(functions: list[FunctionType]) -> str:
    """A hash of all source files and constants that decide what the functions compute."""
    files = sorted({inspect.getfile(function) for function in functions})
    digest = hashlib.sha256()
    for file in [__file__, *files]:
        digest.update(_read(file))
    for function in functions:
        for name, value in sorted(_names_used(function).items()):
            if isinstance(value, np.ndarray):
                digest.update(f"{name}={value.dtype}{value.shape}".encode() + value.tobytes())
            elif isinstance(value, (bool, int, float, str, tuple, np.generic)):
                digest.update(f"{name}={value!r}".encode())
    digest.update(f"{numba.__version__} {np.__version__} {sys.version}".encode())
    return digest.hexdigest()[:16]


@functools.cache
def _read(file: str) -> bytes:
    return Path(file).read_bytes()


def _folder_name(kernel_name: str, fingerprint: str) -> str:
    return f"{kernel_name}-{fingerprint}"


def _cache_root() -> Path:
    if numba.config.CACHE_DIR:
        return Path(numba.config.CACHE_DIR)
    if sys.platform == "win32" and "LOCALAPPDATA" in os.environ:
        return Path(os.environ["LOCALAPPDATA"]) / "training-wheels" / "compiled"
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "training-wheels" / "compiled"


def _cache_folder(kernel_name: str, fingerprint: str) -> Path | None:
    """The folder for one kernel, made if need be; None where the disk cannot be written."""
    folder = _cache_root() / _folder_name(kernel_name, fingerprint)
    try:
        if not folder.is_dir():
            folder.mkdir(parents=True, exist_ok=True)
            _drop_oldest(folder.parent)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError:
        return None


def _drop_oldest(root: Path) -> None:
    """Every edit of a game leaves a folder behind; the newest ones are enough."""
    folders = sorted(root.iterdir(), key=lambda folder: folder.stat().st_mtime)
    for folder in folders[:-CACHES_KEPT]:
        shutil.rmtree(folder, ignore_errors=True)
