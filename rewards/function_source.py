"""The source of a reward that Python was given as a function, such as one from a notebook's cell.

A run folder keeps it as a file of its own: the function, and everything that it uses. The cell or
the program around it is not kept, because it would train again when it is loaded.
"""

from __future__ import annotations

import ast
import dis
import importlib
import inspect
import linecache
import textwrap
from types import CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np

from envs.engine.fingerprint import nested
from rewards.errors import place_of
from rewards.expression import RewardError
from rewards.reward_file import other_module

FILE = "given_reward.py"
"""Name of the file."""


def source_of(reward: Any) -> str:
    """Return a Python file that defines `reward` and what it uses.

    Raises:
        RewardError: if it is no function written with `def`, or uses something that a file cannot
            define.
    """
    if not isinstance(reward, FunctionType) or hasattr(reward, "__wrapped__"):
        raise RewardError(
            f"the reward {reward!r:.80} must be a function written with `def`, without decorators"
        )
    parts = _Parts()
    parts.add_function(reward)
    return "\n".join(["from __future__ import annotations\n", *parts.lines, ""])


class _Parts:
    """The definitions of a file, each after those that it uses."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._known: dict[str, Any] = {}

    def add_function(self, function: FunctionType) -> None:
        """Add the definition of a function."""
        source, defaults = _definition(function)
        self._known[function.__name__] = function
        for name, value in _used(function, defaults).items():
            self._add(name, value, function)
        self.lines.append(f"\n{source}")

    def _add(self, name: str, value: Any, user: FunctionType) -> None:
        if name in self._known:
            if self._known[name] is not value:
                raise RewardError(
                    f"{place_of(user)}: `{name}` means two things in the functions of this reward; "
                    "rename one"
                )
            return
        if isinstance(value, FunctionType) and not _can_be_imported(value):
            self.add_function(value)
            if value.__name__ != name:
                self.lines.append(f"{name} = {value.__name__}")
            self._known[name] = value
            return
        self._known[name] = value
        self.lines.append(_binding(name, value, user))


def _definition(function: FunctionType) -> tuple[str, set[str]]:
    """Return the source of a function, and the names that its default values use.

    Raises:
        RewardError: if it has no source, or is not written with `def` without decorators.
    """
    linecache.checkcache(function.__code__.co_filename)
    try:
        source = textwrap.dedent(inspect.getsource(function))
        tree = ast.parse(source).body[0]
    except (OSError, TypeError, SyntaxError):  # a lambda within an expression is no statement
        tree = None
    if not isinstance(tree, ast.FunctionDef) or tree.decorator_list:
        raise RewardError(
            f"{place_of(function)}: the source of `{function.__name__}` cannot be kept; write it "
            "with `def`, without decorators, in a file or a notebook's cell"
        )
    defaults = [*tree.args.defaults, *filter(None, tree.args.kw_defaults)]
    names = {node.id for each in defaults for node in ast.walk(each) if isinstance(node, ast.Name)}
    return source, names


def _used(function: FunctionType, defaults: set[str]) -> dict[str, Any]:
    """Return what a function uses from outside, by name, in the order of its code."""
    names = dict.fromkeys(sorted(defaults))
    for code in nested(function.__code__):
        names |= dict.fromkeys(_globals_of(code))
    used = {name: function.__globals__[name] for name in names if name in function.__globals__}
    cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
    return used | {name: cell.cell_contents for name, cell in cells}


def _globals_of(code: CodeType) -> list[str]:
    instructions = dis.get_instructions(code)
    return [each.argval for each in instructions if each.opname in ("LOAD_GLOBAL", "LOAD_NAME")]


def _can_be_imported(value: Any) -> bool:
    """Return whether a module of Python, this project or an installed package has a value."""
    module, name = getattr(value, "__module__", None) or "", getattr(value, "__name__", "")
    if not other_module(module.partition(".")[0]):
        return False
    return getattr(importlib.import_module(module), name, None) is value


def _binding(name: str, value: Any, user: FunctionType) -> str:
    """Return the line that gives `name` its value.

    Raises:
        RewardError: if there is none.
    """
    if isinstance(value, ModuleType):
        return f"import {value.__name__}" + ("" if name == value.__name__ else f" as {name}")
    value = value.item() if isinstance(value, np.generic) else value
    if _can_be_imported(value):
        renamed = "" if name == value.__name__ else f" as {name}"
        return f"from {value.__module__} import {value.__name__}{renamed}"
    try:
        same = ast.literal_eval(repr(value)) == value
    except (ValueError, SyntaxError, TypeError):
        same = False
    if same is not True:
        raise RewardError(
            f"{place_of(user)}: `{user.__name__}` uses `{name}`, a {type(value).__name__}, which "
            "the run folder cannot keep; use numbers, text, tuples, functions and modules"
        )
    return f"{name} = {value!r}"
