"""From the name of a reward term to its function."""

from __future__ import annotations

import hashlib
import importlib
import inspect
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from envs.names import suggest
from rewards.expression import RewardError

TermFunction = Callable[[Any, Any, Any], float]


class Term(NamedTuple):
    """A reward term: a function of (before, action, after) that returns a number."""

    name: str
    function: TermFunction
    from_user: bool
    """Whether the user wrote it, so that it is tried before it is used."""
    warning: str = ""
    """One line that the user should read, if any."""

    @property
    def source_file(self) -> Path:
        """File that the function is written in."""
        return Path(inspect.getfile(self.function))


def distinct_names(terms: list[Term]) -> tuple[str, ...]:
    """Return the terms' names; equal ones get the name of their file in front."""
    names = [term.name for term in terms]
    return tuple(
        name if names.count(name) == 1 else f"{term.source_file.stem}.{name}"
        for name, term in zip(names, terms, strict=True)
    )


def load_term(name: str, game_rewards: str) -> Term:
    """Return the term of a name.

    Args:
        name: a built-in term of the game, `file.py:function`, `file.py` (its only function, or the
            one with the name of the file) or `module:function`.
        game_rewards: the game's module of reward terms.

    Raises:
        RewardError: if there is no such term, or its file cannot be loaded.
    """
    place, colon, function_name = name.rpartition(":")
    if name.endswith(".py"):
        place, function_name = name, ""
    elif not colon:
        return _builtin_term(name, importlib.import_module(game_rewards))
    module = _load_file(place) if place.endswith(".py") else _import(place)
    if not function_name:
        function_name = _reward_name(_some_functions(module, place), place)
    return Term(function_name, _function(module, function_name, f"{place} has no function"), True)


def _builtin_term(name: str, module: ModuleType) -> Term:
    """Return a built-in term; its former name works too, as old runs have it in their config."""
    problem = f"{module.__name__.rpartition('.')[2]} has no reward term"
    if name not in (renamed := getattr(module, "RENAMED", {})):
        return Term(name, _function(module, name, problem), from_user=False)
    function = _function(module, renamed[name], problem)
    text = (
        f"reward term `{name}` is now called `{renamed[name]}`; `{name}` names the game's own score"
    )
    return Term(name, function, from_user=False, warning=text)


def load_terms(file: str) -> list[Term]:
    """Return all terms of a file that can be used as a reward.

    Raises:
        RewardError: if it has no term, or several and no way to choose one, or cannot be loaded.
    """
    functions = _some_functions(_load_file(file), file)
    _reward_name(functions, file)
    return [Term(name, function, from_user=True) for name, function in functions.items()]


def from_function(function: Any) -> Term:
    """Return the term of a function."""
    if not inspect.isfunction(function):
        raise RewardError(f"a reward must be a string or a function, got {function!r}")
    return Term(function.__name__, function, from_user=True)


def _functions(module: ModuleType) -> dict[str, TermFunction]:
    """Return the public functions that `module` itself defines, without its tests."""
    return {
        name: value
        for name, value in vars(module).items()
        if inspect.isfunction(value)
        and value.__module__ == module.__name__
        and not name.startswith(("_", "test_"))
    }


def _some_functions(module: ModuleType, file: str) -> dict[str, TermFunction]:
    """Return the functions of a file, as `_functions` does, if it has any."""
    functions = _functions(module)
    if not functions:
        raise RewardError(
            f"{file} has no reward; write a function, def my_reward(before, action, after)"
        )
    return functions


def _reward_name(functions: dict[str, TermFunction], file: str) -> str:
    """Return which function `file.py` stands for: its only one, or the one named like the file."""
    names, file_name = list(functions), Path(file).stem
    if len(names) != 1 and file_name not in names:
        raise RewardError(
            f"{file} has {len(names)} functions; name one of them, as in {file}:{names[0]}"
        )
    return file_name if file_name in names else names[0]


def _function(module: ModuleType, name: str, problem: str) -> TermFunction:
    functions = _functions(module)
    if name not in functions and callable(value := getattr(module, name, None)):
        kind = "a test" if name.startswith("test_") else f"a {type(value).__name__}"
        if inspect.isclass(value):
            kind = "a class"
        raise RewardError(
            f"{problem} `{name}`: it is {kind}; write a function, def {name}(before, action, after)"
        )
    if name not in functions:
        raise RewardError(f"{problem} `{name}`; {suggest(name, functions)}")
    return functions[name]


def _load_file(place: str) -> ModuleType:
    """Execute a file as a module without changing `sys.path`."""
    path = Path(place).expanduser().resolve()
    if path.is_dir():
        raise RewardError(f"{place} is a folder; name a Python file in it")
    if not path.is_file():
        raise RewardError(f"reward file {place} does not exist (looked for {path})")
    name = f"reward_file_{hashlib.sha256(str(path).encode()).hexdigest()[:12]}"
    module = sys.modules[name] = ModuleType(name)
    module.__file__ = str(path)
    try:
        source = path.read_bytes()
    except OSError as error:
        raise RewardError(f"{path}: cannot be read ({error.strerror})") from None
    _check_text(path, source)
    try:
        # an import would miss an edit within the same second, as it compares times of files
        exec(compile(source, path, "exec"), vars(module))
    except SyntaxError as error:
        raise RewardError(f"{error.filename or path}:{error.lineno or 1}: {error.msg}") from None
    except (Exception, SystemExit) as error:
        raise RewardError(f"{where(error, str(path))}: {describe(error)}") from None
    return module


def _check_text(path: Path, source: bytes) -> None:
    """Check that a file is text.

    Python checks this as well, but its message has no line.

    Raises:
        RewardError: if it is not.
    """
    at = source.find(b"\0")
    problem = "a NUL byte, which no text file has"
    if at < 0 and b"coding" not in b"".join(source.splitlines()[:2]):
        try:
            source.decode("utf-8")
        except UnicodeDecodeError as error:
            at, problem = error.start, "bytes that are not UTF-8"
    if at >= 0:
        line = source.count(b"\n", 0, at) + 1
        raise RewardError(f"{path}:{line}: has {problem}; save the file as UTF-8 text")


def _import(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise RewardError(f"reward module {name} cannot be imported: {error}") from None


def where(error: BaseException, file: str) -> str:
    """Return `file:line` of the innermost line in `file` in the traceback of `error`."""
    lines = [
        frame.lineno
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename == file
    ]
    return f"{file}:{lines[-1]}" if lines else file


def describe(error: BaseException) -> str:
    """Return an exception in one line."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def place_of(function: Callable[..., Any]) -> str:
    """Return `file:line` at which a function begins, without its decorators."""
    code = inspect.unwrap(function).__code__
    return f"{code.co_filename}:{code.co_firstlineno}"
