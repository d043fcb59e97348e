"""Plain functions compiled by Numba, with a disk cache that notices every edit.

Numba's own cache looks at one file only: a changed helper in another file would go unseen, and a
student who edits a game's physics would go on running the old one. Here every kernel is cached in a
folder named after the code of all the functions that it reaches, and the constants they use.
"""

from __future__ import annotations

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
"""Of the functions that a kernel reaches: left to itself, LLVM stops where they get long."""

config: Any = numba.config  # its attributes are made at run time
_callable_from_compiled_code: WeakSet[FunctionType] = WeakSet()


def compiled(kernel: Callable[..., Any], cache: bool = True) -> Callable[..., Any]:
    """Compile `kernel` and every plain function that it reaches.

    With `NUMBA_DISABLE_JIT=1` the kernel is returned interpreted, for debugging.

    Args:
        kernel: may use functions from its closure and globals, and functions those call.
        cache: keep the machine code on disk for the next process.
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
    """The machine code of `kernel` for arguments of exactly these types.

    Calling it skips Numba's look at the arguments, some two microseconds, which is most of the
    time that a single game takes. The caller must keep to the types.
    """
    if config.DISABLE_JIT:
        return kernel
    dispatcher: Any = kernel
    signature = tuple(numba.typeof(argument) for argument in arguments)  # type: ignore[no-untyped-call]
    dispatcher.compile(signature)
    return dispatcher.overloads[signature].entry_point


def is_cached(kernel: Callable[..., Any]) -> bool:
    """Has this machine compiled `kernel`, as it is written now, before?"""
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
    """The folder for one kernel, made if need be; None where the disk cannot be written."""
    folder = _cache_root() / _folder_name(kernel_name, fingerprint)
    try:
        if not folder.is_dir():
            folder.mkdir(parents=True, exist_ok=True)
            drop_oldest(folder.parent, CACHES_KEPT)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError:
        return None
