"""Plain functions compiled by Numba, with a disk cache that notices every edit.

Numba's own cache looks at one file only: a changed helper in another file would go unseen, and a
student who edits a game's physics would go on running the old one. Here every kernel is cached in a
folder named after the code of all the functions that it reaches, and the constants they use.
"""

from __future__ import annotations

import hashlib
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any
from weakref import WeakSet

import numba
import numpy as np
from numba.extending import register_jitable

from envs.cache import cache_root, drop_oldest

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


def reached(kernel: Callable[..., Any]) -> Iterator[FunctionType]:
    """`kernel` and all plain Python functions that it can call, each once, `kernel` first."""
    seen: set[FunctionType] = set()
    waiting: list[Any] = [kernel]
    while waiting:
        function = waiting.pop()
        if _is_plain(function) and function not in seen:
            seen.add(function)
            yield function
            waiting.extend(_values_used(function).values())


def _is_plain(value: Any) -> bool:
    """Is it Python code that Numba does not know? Of libraries it knows all that it can compile."""
    known = ("numba", "numpy", *sys.stdlib_module_names)
    return isinstance(value, FunctionType) and value.__module__.partition(".")[0] not in known


def _values_used(function: FunctionType) -> dict[str, Any]:
    """What the names in `function` stand for: closure, globals and attributes of modules."""
    codes = list(nested(function.__code__))
    names = sorted({name for code in codes for name in code.co_names})
    used = {name: function.__globals__[name] for name in names if name in function.__globals__}
    for module in [value for value in used.values() if isinstance(value, ModuleType)]:
        found = {f"{module.__name__}.{name}": getattr(module, name, None) for name in names}
        used.update(found)
    cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
    used.update({name: cell.cell_contents for name, cell in cells})
    return {name: getattr(value, "py_func", value) for name, value in used.items()}


def nested(code: CodeType) -> Iterator[CodeType]:
    """`code` and that of the functions and comprehensions defined in it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from nested(constant)


def _fingerprint(functions: list[FunctionType]) -> str:
    """A hash of everything that decides what the functions compute.

    Taken from what is in memory: a file may have been edited since it was imported.
    """
    versions = f"{numba.__version__} {np.__version__} {sys.version} {OPTIONS} {INLINED}"
    digest = hashlib.sha256(versions.encode())
    for function in functions:
        for code in nested(function.__code__):
            digest.update(code.co_code)
            constants = [value for value in code.co_consts if not isinstance(value, CodeType)]
            names = (code.co_names, code.co_varnames, code.co_freevars)
            digest.update(f"{function.__name__} {names} {constants}".encode())
        digest.update(f"{function.__defaults__}".encode())
        for name, value in sorted(_values_used(function).items()):
            if isinstance(value, np.ndarray):
                digest.update(f"{name}={value.dtype}{value.shape}".encode() + value.tobytes())
            elif isinstance(value, (bool, int, float, str, tuple, np.generic)):
                digest.update(f"{name}={value!r}".encode())
    return digest.hexdigest()[:16]


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
