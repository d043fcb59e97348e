"""The functions that a function can call, and a hash of everything that they compute with."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import version
from types import BuiltinFunctionType, CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np


def reached(kernel: Callable[..., Any]) -> Iterator[FunctionType]:
    """Yield `kernel`, then all plain Python functions that it can call, each once."""
    seen: set[FunctionType] = set()
    waiting: list[Any] = [kernel]
    while waiting:
        function = waiting.pop()
        if _is_plain(function) and function not in seen:
            seen.add(function)
            yield function
            waiting.extend(values_used(function).values())


def _is_plain(value: Any) -> bool:
    """Return whether `value` is a Python function of ours, not of a library that Numba supports."""
    return isinstance(value, FunctionType) and not _is_known(value.__module__)


def _is_known(module: str | None) -> bool:
    return (module or "").partition(".")[0] in ("numba", "numpy", *sys.stdlib_module_names)


def values_used(function: FunctionType) -> dict[str, Any]:
    """Return the values of the names in `function`: closure, globals and attributes of modules."""
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
    """Yield `code` and the code of the functions and comprehensions defined in it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from nested(constant)


def fingerprint(functions: list[FunctionType], purpose: str) -> str:
    """Return a hash of `purpose` and of everything that decides what compiled functions compute.

    It is taken from memory, because a file may have been edited since it was imported.
    """
    versions = f"{version('numba')} {np.__version__} {sys.version} {purpose}"
    digest = hashlib.sha256(versions.encode())
    for function in functions:
        for code in nested(function.__code__):
            digest.update(code.co_code)
            constants = [value for value in code.co_consts if not isinstance(value, CodeType)]
            names = (code.co_names, code.co_varnames, code.co_freevars)
            digest.update(f"{function.__name__} {names} {constants}".encode())
        digest.update(f"{function.__defaults__}".encode())
        for name, value in sorted(values_used(function).items()):
            if isinstance(value, np.ndarray):
                digest.update(f"{name}={value.dtype}{value.shape}".encode() + value.tobytes())
            elif isinstance(value, (bool, int, float, str, tuple, np.generic)):
                digest.update(f"{name}={value!r}".encode())
    return digest.hexdigest()[:16]


def covers_everything(functions: list[FunctionType]) -> bool:
    """Return whether the fingerprint covers all that the functions use; it cannot cover objects."""
    return all(_is_covered(value) for f in functions for value in values_used(f).values())


def _is_covered(value: Any) -> bool:
    if isinstance(value, tuple):
        return all(map(_is_covered, value))
    if isinstance(value, np.ndarray):
        return not value.dtype.hasobject
    if isinstance(value, ModuleType):
        return _is_known(value.__name__)
    if isinstance(value, (type, BuiltinFunctionType)):
        return _is_known(value.__module__)
    return value is None or isinstance(
        value, (bool, int, float, str, np.generic, np.ufunc, FunctionType)
    )
