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
    """One reward term: a function of (before, action, after)."""

    name: str
    function: TermFunction
    own: bool
    """Written by the user, so to be tried before it is trusted."""
    warning: str = ""
    """What the user should know about this term, in one line."""

    @property
    def source_file(self) -> Path:
        """Where the function is written."""
        return Path(inspect.getfile(self.function))


def distinct_names(terms: list[Term]) -> tuple[str, ...]:
    """The terms' names; where two are alike, with the file's name before them."""
    names = [term.name for term in terms]
    return tuple(
        name if names.count(name) == 1 else f"{term.source_file.stem}.{name}"
        for name, term in zip(names, terms, strict=True)
    )


def load_term(name: str, game_rewards: str) -> Term:
    """Find a term.

    Args:
        name: a name in the game's module of rewards, `file.py:function`, `file.py` (its only
            function, or the one called as the file is) or `module:function`.
        game_rewards: the game's module of rewards.

    Raises:
        RewardError: if there is none, or its file cannot be loaded.
    """
    place, colon, function_name = name.rpartition(":")
    if name.endswith(".py"):
        place, function_name = name, ""
    elif not colon:
        return _builtin_term(name, importlib.import_module(game_rewards))
    module = _load_file(place) if place.endswith(".py") else _import(place)
    if not function_name:
        names, own_name = list(_functions(module)), Path(place).stem
        if len(names) != 1 and own_name not in names:
            raise RewardError(
                f"{place} has {len(names)} functions; say which, as in "
                f"{place}:{(names or ['f'])[0]}"
            )
        function_name = own_name if own_name in names else names[0]
    return Term(function_name, _function(module, function_name, f"{place} has no function"), True)


def _builtin_term(name: str, module: ModuleType) -> Term:
    """A term of the game's own module, perhaps by its former name, which runs of that time have."""
    problem = f"{module.__name__} has no reward term"
    if name not in (renamed := getattr(module, "RENAMED", {})):
        return Term(name, _function(module, name, problem), own=False)
    function = _function(module, renamed[name], problem)
    text = (
        f"reward term `{name}` is now called `{renamed[name]}`; `{name}` names the game's own score"
    )
    return Term(name, function, own=False, warning=text)


def load_terms(file: str) -> list[Term]:
    """All terms of a file.

    Raises:
        RewardError: if there is none, or the file cannot be loaded.
    """
    functions = _functions(_load_file(file))
    if not functions:
        raise RewardError(
            f"{file} has no reward: write a function, def my_reward(before, action, after)"
        )
    return [Term(name, function, own=True) for name, function in functions.items()]


def from_function(function: Any) -> Term:
    """A function that was handed over as it is."""
    if not inspect.isfunction(function):
        raise RewardError(f"a reward is a text or a function, not {function!r}")
    return Term(function.__name__, function, own=True)


def _functions(module: ModuleType) -> dict[str, TermFunction]:
    """The public functions that are defined in `module` itself, tests excepted."""
    return {
        name: value
        for name, value in vars(module).items()
        if inspect.isfunction(value)
        and value.__module__ == module.__name__
        and not name.startswith(("_", "test_"))
    }


def _function(module: ModuleType, name: str, problem: str) -> TermFunction:
    functions = _functions(module)
    if name not in functions and callable(value := getattr(module, name, None)):
        kind = "a test" if name.startswith("test_") else f"a {type(value).__name__}"
        if inspect.isclass(value):
            kind = "a class"
        raise RewardError(
            f"{problem} `{name}` that could be a reward: it is {kind}; write a function, "
            f"def {name}(before, action, after)"
        )
    if name not in functions:
        raise RewardError(f"{problem} `{name}`; {suggest(name, functions)}")
    return functions[name]


def _load_file(place: str) -> ModuleType:
    """Execute a file as a module of its own, without touching `sys.path`."""
    path = Path(place).expanduser().resolve()
    if path.is_dir():
        raise RewardError(f"{place} is a folder; name a file of Python in it")
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
        # not by an import: Python's cache would miss an edit within the second
        exec(compile(source, path, "exec"), vars(module))
    except SyntaxError as error:
        raise RewardError(f"{error.filename or path}:{error.lineno or 1}: {error.msg}") from None
    except (Exception, SystemExit) as error:
        raise RewardError(f"{where(error, str(path))}: {describe(error)}") from None
    return module


def _check_text(path: Path, source: bytes) -> None:
    """Say what is wrong with bytes that are no text; Python's own words for it have no line."""
    at = source.find(b"\0")
    problem = "a NUL byte, which no text has"
    if at < 0 and b"coding" not in b"".join(source.splitlines()[:2]):
        try:
            source.decode("utf-8")
        except UnicodeDecodeError as error:
            at, problem = error.start, "bytes that are not UTF-8"
    if at >= 0:
        line = source.count(b"\n", 0, at) + 1
        raise RewardError(f"{path}:{line}: has {problem}; save the file as text in UTF-8")


def _import(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise RewardError(f"reward module {name} cannot be imported: {error}") from None


def where(error: BaseException, file: str) -> str:
    """`file:line` of the last line in `file` that took part in `error`."""
    lines = [
        frame.lineno
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename == file
    ]
    return f"{file}:{lines[-1]}" if lines else file


def describe(error: BaseException) -> str:
    """An exception in one line."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def place_of(function: Callable[..., Any]) -> str:
    """`file:line` at which a function begins, what decorates it left aside."""
    code = inspect.unwrap(function).__code__
    return f"{code.co_filename}:{code.co_firstlineno}"
