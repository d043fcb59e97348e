"""From the name of a reward term to its function."""

from __future__ import annotations

import ast
import importlib.util
import inspect
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from envs.names import suggest
from rewards.errors import describe, place_of, where
from rewards.expression import LEARNED, RewardError, is_learned
from rewards.reward_file import load_file, loaded_files, package_of

TermFunction = Callable[[Any, Any, Any], float]
USUAL_NAME = "reward"
"""A function with this name, or with the name of its file, is the reward of the file."""
PARAMETERS = 3  # before, action, after


class Term(NamedTuple):
    """A reward term: a function of (before, action, after) that returns a number."""

    name: str
    function: TermFunction
    from_user: bool
    """Whether the user wrote it, so that it is tried before it is used."""
    module: str
    """Module in which the term was found."""
    warning: str = ""
    """One line that the user should read, if any."""
    kind: str = "function"
    """What the user wrote if `function` only calls it, such as `partial` or a class."""
    folder: Path | None = None
    """Folder of a learned reward; None for a term that is code."""

    @property
    def place(self) -> str:
        """`file:line` at which the user's code of the term begins."""
        return place_of(self.function)

    @property
    def written(self) -> str:
        """The name of a term that is not the user's, as `rewards.expression.parse` reads it."""
        return self.name if self.folder is None else f"{LEARNED}/{self.name}"

    @property
    def source_file(self) -> Path:
        """File that the term was found in."""
        file = getattr(sys.modules.get(self.module), "__file__", None)
        return Path(file or inspect.getfile(inspect.unwrap(self.function)))

    @property
    def source_files(self) -> dict[str, Path]:
        """That file and the helpers that it has imported, by their paths in the file's folder."""
        if self.folder is not None:
            from rewards.learned import FILE

            return {f"{LEARNED}/{self.name}/{FILE}": self.folder / FILE}
        return loaded_files(self.module) or {self.source_file.name: self.source_file}

    @property
    def user_files(self) -> list[str]:
        """Files whose lines are named in errors, the term's own first."""
        own = inspect.getfile(inspect.unwrap(self.function))
        return [own, *map(str, self.source_files.values())]


def distinct_names(terms: Sequence[Term]) -> tuple[str, ...]:
    """Return the terms' names; equal ones get the names of their files and folders in front.

    The names stay the same when all files move to another folder.
    """
    names = [term.name for term in terms]
    for depth in (1, None):
        repeated = {name for name in names if names.count(name) > 1}
        for k, (term, file) in enumerate(zip(terms, relative_files(terms), strict=True)):
            if names[k] in repeated:
                parts = file.with_suffix("").parts
                names[k] = ".".join((*(parts[-depth:] if depth else parts), term.name))
    return tuple(
        name if name not in names[:k] else f"{name}.{names[:k].count(name) + 1}"
        for k, name in enumerate(names)
    )


def relative_files(terms: Sequence[Term]) -> list[Path]:
    """Return the file of each term, relative to the folder that holds all files of the user.

    Raises:
        RewardError: if there is no such folder, as Windows has several drives.
    """
    own = [str(term.source_file.parent) for term in terms if term.from_user]
    try:
        root = os.path.commonpath(own) if own else ""
    except ValueError:
        text = f"the files of a reward must be on one drive, got {' and '.join(own)}"
        raise RewardError(text) from None
    return [
        term.source_file.relative_to(root) if term.from_user else Path(term.source_file.name)
        for term in terms
    ]


def load_term(name: str, game_rewards: str) -> Term:
    """Return the term of a name.

    Args:
        name: a built-in term of the game, `file.py:function`, `file.py` (see `reward_of_file`),
            `module:function` or `preferences/NAME`.
        game_rewards: the game's module of reward terms.

    Raises:
        RewardError: if there is no such term, or its file cannot be loaded.
    """
    if is_learned(name):
        return _learned_term(Path(name))
    place, colon, function_name = name.rpartition(":")
    if name.endswith(".py"):
        place, function_name = name, ""
    elif not colon:
        return _builtin_term(name, importlib.import_module(game_rewards))
    module = load_file(place) if place.endswith(".py") else _import(place)
    return _own_term(module, function_name or reward_of_file(module, place), place)


def load_terms(file: str) -> tuple[list[Term], str]:
    """Return all functions of a file that can be terms, and the name of the file's reward.

    Raises:
        RewardError: if it has no reward, or several and no way to choose one, or cannot be loaded.
    """
    module = load_file(file)
    reward = reward_of_file(module, file)
    found = _own_callables(module)
    names = [name for name in found if name == reward or _looks_like_a_term(found[name])]
    return [_own_term(module, name, file) for name in names], reward


def reward_of_file(module: ModuleType, file: str) -> str:
    """Return the name of the function that a file stands for.

    It is the function with the name of the file, or the one called `reward`, or the only one that
    takes three arguments, or the only one.

    Raises:
        RewardError: if there is no such function.
    """
    found = _own_callables(module)
    alike = [name for name, value in found.items() if _looks_like_a_term(value)]
    for name in (Path(file).stem, USUAL_NAME):
        if name in found:
            return name
    for names in (alike, list(found)):
        if len(names) == 1:
            return names[0]
    if found:
        example = (alike or list(found))[-1]
        raise RewardError(
            f"{file} has {len(found)} functions; name the reward, as in {file}:{example}, and "
            "begin the names of helpers with _"
        )
    raise RewardError(
        f"{file} has no reward; write a function, def my_reward(before, action, after)"
    )


def from_function(function: Any) -> Term:
    """Return the term of a function or of another object that can be called."""
    if not callable(function) or inspect.isclass(function) or inspect.isbuiltin(function):
        raise RewardError(f"a reward must be a string or a function, got {function!r}")
    name = getattr(function, "__name__", type(function).__name__)
    return _term(name, function, getattr(function, "__module__", None) or __name__)


def _builtin_term(name: str, module: ModuleType) -> Term:
    """Return a built-in term; its former name works too, as old runs have it in their config."""
    renamed = getattr(module, "RENAMED", {}).get(name, name)
    functions = {
        key: value
        for key, value in _public(module).items()
        if inspect.isfunction(value) and value.__module__ == module.__name__
    }
    if renamed not in functions:
        game = module.__name__.rpartition(".")[2]
        raise RewardError(f"{game} has no reward term `{name}`; {suggest(name, functions)}")
    text = (
        ""
        if renamed == name
        else (
            f"reward term `{name}` is now called `{renamed}`; `{name}` names the game's own score"
        )
    )
    return Term(name, functions[renamed], False, module.__name__, text)


def _learned_term(folder: Path) -> Term:
    """Return the term of a learned reward."""
    from rewards.learned import load_learned  # late: it imports Numba

    learned = load_learned(folder)
    return Term(folder.name, learned, False, type(learned).__module__, folder=folder)


def _own_term(module: ModuleType, name: str, place: str) -> Term:
    """Return a term that the user wrote.

    Raises:
        RewardError: if there is none of this name, or it is no function of three arguments.
    """
    found = _own_callables(module)
    if name in found:
        return _term(name, found[name], module.__name__)
    if not callable(value := getattr(module, name, None)):
        raise RewardError(f"{place} has no function `{name}`; {suggest(name, found)}")
    kind = "a class" if inspect.isclass(value) else f"imported from {value.__module__}"
    if name.startswith("test_"):
        kind = "a test"
    raise RewardError(
        f"{place} has no function `{name}`: it is {kind}; write a function, "
        f"def {name}(before, action, after)"
    )


def _term(name: str, value: Any, module: str) -> Term:
    """Return the term that calls `value`, as a plain function, which may be compiled.

    Raises:
        RewardError: with file and line, if it does not take three arguments.
    """
    kind, inner = "function", value
    if not inspect.isfunction(value):  # lru_cache, Numba's njit, and others wrap one
        inner = getattr(value, "py_func", getattr(value, "__wrapped__", None))
    if not inspect.isfunction(inner):
        kind, inner = type(value).__name__, _calling(value, module)
    if not _takes_three(value):
        raise RewardError(
            f"{place_of(inner)}: `{name}` must take three arguments, (before, action, after); "
            "start the name of a helper function with _"
        )
    return Term(name, inner, True, module, kind=kind)


def _calling(value: Any, module: str) -> TermFunction:
    """Return a function that calls an object, and refers to the user's code for its place."""

    def called(before: Any, action: Any, after: Any) -> float:
        return value(before, action, after)

    code = getattr(value, "func", type(value).__call__)
    if inspect.isfunction(code):
        called.__wrapped__ = code  # type: ignore[attr-defined]
    called.__module__ = module
    return called


def _public(module: ModuleType) -> dict[str, Any]:
    """Return what a module holds under public names, without tests."""
    return {k: v for k, v in vars(module).items() if not k.startswith(("_", "test_"))}


def _own_callables(module: ModuleType) -> dict[str, Any]:
    """Return the public functions, and other objects that can be called, that a module defines."""
    package = package_of(module.__name__)
    imported = _imported_names(module) if package else {"*"}

    def is_own(name: str, value: Any) -> bool:
        if not callable(value) or inspect.isclass(value) or name in imported:
            return False
        home = getattr(value, "__module__", None) or ""
        if "*" in imported:
            return home == module.__name__
        # a helper's decorator may have made it, but `clip = np.clip` is no term
        return not hasattr(value, "__name__") or package_of(home) == package

    return {name: value for name, value in _public(module).items() if is_own(name, value)}


def _imported_names(module: ModuleType) -> set[str]:
    """Return the names that the import statements of a module bind; `*` if they bind all."""
    tree = ast.parse(Path(str(module.__file__)).read_bytes())
    statements = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    return {alias.asname or alias.name for node in statements for alias in node.names}


def _takes_three(value: Any) -> bool:
    """Return whether an object can be called with three arguments."""
    try:
        inspect.signature(value).bind(*range(PARAMETERS))
    except TypeError:
        return False
    except ValueError:  # it has no signature
        return True
    return True


def _looks_like_a_term(value: Any) -> bool:
    """Return whether an object must be called with three arguments, or takes any number."""
    try:
        parameters = inspect.signature(value).parameters.values()
    except (TypeError, ValueError):
        return False
    needed = [each for each in parameters if each.default is each.empty]
    any_number = any(each.kind is each.VAR_POSITIONAL for each in needed)
    return _takes_three(value) and (len(needed) == PARAMETERS or any_number)


def _import(name: str) -> ModuleType:
    """Import a module by its name.

    Raises:
        RewardError: if that fails.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise RewardError(f"reward module {name} cannot be imported: {error}") from None
    except (Exception, SystemExit) as error:
        spec = importlib.util.find_spec(name)
        file = str(spec.origin) if spec is not None else name
        raise RewardError(f"{where(error, [file]) or file}: {describe(error)}") from None
