"""Functions compiled by Numba, with a disk cache that notices every edit.

Numba's own cache checks one file only. It would miss an edit to a helper in another file, and a
student who edits a game's physics would run the old code. Here every kernel is cached in a folder
named after a hash of all functions that it calls and the constants that they use.
"""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import FunctionType
from typing import Any
from weakref import WeakSet

import numba
import numpy as np
from numba.extending import register_jitable

from envs.engine.cache import cache_root, drop_oldest
from envs.engine.fingerprint import fingerprint, reached

CACHES_KEPT = 256
OPTIONS: dict[str, Any] = {"error_model": "numpy", "nogil": True}
INLINED: dict[str, Any] = {"forceinline": True}
"""Options of the functions that a kernel calls: LLVM does not inline long ones by itself."""

config: Any = numba.config  # its attributes exist at run time only
_callable_from_compiled_code: WeakSet[FunctionType] = WeakSet()


def compiled(kernel: Callable[..., Any], cache: bool = True) -> Callable[..., Any]:
    """Compile `kernel` and every plain function that it calls.

    `cache` keeps the machine code on disk for the next process. With `NUMBA_DISABLE_JIT=1` the
    kernel is returned interpreted, for debugging.
    """
    if config.DISABLE_JIT:
        return np.errstate(over="ignore")(kernel)  # the generator's arithmetic wraps around
    functions = list(reached(kernel))
    for function in functions[1:]:
        if function not in _callable_from_compiled_code:
            register_jitable(**INLINED)(function)
            _callable_from_compiled_code.add(function)
    folder = _cache_folder(kernel.__name__, _fingerprint(functions)) if cache else None
    if folder is None:
        return numba.njit(**OPTIONS)(kernel)
    before, config.CACHE_DIR = config.CACHE_DIR, str(folder)
    try:
        return numba.njit(cache=True, **OPTIONS)(kernel)
    finally:
        config.CACHE_DIR = before


def direct(kernel: Callable[..., Any], *arguments: Any) -> Callable[..., Any]:
    """Return the machine code of `kernel` for arguments of exactly these types.

    Calling it skips Numba's check of the arguments. The check takes about two microseconds, which
    is most of the time of a step of a single game. The caller must keep to the types.
    """
    if config.DISABLE_JIT:
        return kernel
    dispatcher: Any = kernel
    signature = tuple(numba.typeof(argument) for argument in arguments)  # type: ignore[no-untyped-call]
    dispatcher.compile(signature)
    return dispatcher.overloads[signature].entry_point


def is_cached(kernel: Callable[..., Any]) -> bool:
    """Return whether the current version of `kernel` is in the cache of this machine."""
    if config.DISABLE_JIT:
        return True
    folder = _cache_root() / _folder_name(kernel.__name__, _fingerprint(list(reached(kernel))))
    return any(folder.glob("*/*.nbi"))


def _fingerprint(functions: list[FunctionType]) -> str:
    return fingerprint(functions, f"{OPTIONS} {INLINED}")


def _folder_name(kernel_name: str, fingerprint: str) -> str:
    return f"{kernel_name}-{fingerprint}"


def _cache_root() -> Path:
    return cache_root(config.CACHE_DIR)


def _cache_folder(kernel_name: str, fingerprint: str) -> Path | None:
    """Return the folder of one kernel, created if needed; None if nothing can be kept.

    Numba writes to it even to read. Of a cache that cannot be written, it gets a copy.
    """
    folder = _cache_root() / _folder_name(kernel_name, fingerprint)
    try:
        if not folder.is_dir():
            folder.mkdir(parents=True, exist_ok=True)
            drop_oldest(folder.parent, CACHES_KEPT)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError:
        return _copied(folder)


def _copied(folder: Path) -> Path | None:
    """Return a copy that lasts as long as this process; None if there is nothing to copy."""
    try:
        copy = Path(_copies().name) / folder.name
        for file in folder.glob("*/*"):
            (copy / file.parent.name).mkdir(parents=True, exist_ok=True)
            (copy / file.parent.name / file.name).write_bytes(file.read_bytes())
    except OSError:
        return None
    return copy if copy.is_dir() else None


@functools.cache
def _copies() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="training-wheels-", ignore_cleanup_errors=True)
