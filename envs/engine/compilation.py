"""Functions compiled by Numba, with a disk cache that notices every edit.

Numba's own cache checks one file only. It would miss an edit to a helper in another file, and a
student who edits a game's physics would run the old code. Here every kernel is cached in a folder
named after a hash of all functions that it calls and the constants that they use. Damage in the
folder costs only time (see `envs.engine.kernel_cache`).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import FunctionType
from typing import Any
from weakref import WeakSet

import numba
import numpy as np
from numba.extending import register_jitable

from envs.engine.cache import cache_root
from envs.engine.fingerprint import fingerprint, reached
from envs.engine.kernel_cache import KernelCache, has_code

OPTIONS: dict[str, Any] = {"error_model": "numpy", "nogil": True}
INLINED: dict[str, Any] = {"forceinline": True}
"""Options of the functions that a kernel calls: LLVM does not inline long ones by itself."""

config: Any = numba.config  # its attributes exist at run time only
_callable_from_compiled_code: WeakSet[FunctionType] = WeakSet()


def compiled(kernel: Callable[..., Any], cache: bool = True) -> Callable[..., Any]:
    """Compile `kernel` and every plain function that it calls; other kernels are linked to it.

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
    dispatcher = numba.njit(**OPTIONS)(kernel)
    if cache:
        digest = fingerprint(functions, f"{OPTIONS} {INLINED}")
        folder = cache_root(config.CACHE_DIR) / f"{kernel.__name__}-{digest}"
        dispatcher._cache = KernelCache(folder)
    return dispatcher


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
    """Return whether the machine code of a `compiled` kernel is in the cache of this machine."""
    if config.DISABLE_JIT:
        return True
    dispatcher: Any = kernel
    return has_code(Path(dispatcher._cache.cache_path))
