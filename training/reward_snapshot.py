"""The source files of a run's reward, kept in its folder; executed only if the user asks for it.

They are the files that the reward names and the helpers that these import. `reward.txt` among them
is the reward as an expression of the copies.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

from rewards.expression import (
    LEARNED,
    LONGEST,
    RewardError,
    WeightedTerm,
    has_code,
    has_learned,
    is_code,
    is_learned,
    parse,
    written,
)
from rewards.function_source import FILE, source_of
from rewards.kernel import WeightedSum
from rewards.terms import relative_files
from training.run_folder import RunError, atomic_path, open_file

FOLDER = "reward"
EXPRESSION = "reward.txt"


def reward_sources(reward: WeightedSum) -> dict[str, bytes]:
    """Return the files to keep, by their paths in the folder `reward/`.

    Raises:
        OSError: if a file has been removed.
        RewardError: if two learned rewards have the same name.
    """
    sources: dict[str, bytes] = {}
    terms = []
    for weight, term, file in zip(
        reward.weights, reward.terms, relative_files(reward.terms), strict=True
    ):
        for name, source in term.source_files.items():
            # a user's file goes before one of ours with the same name, which is kept to be read
            path = (file.parent / name).as_posix()
            if term.from_user or path not in sources:
                sources[path] = source.read_bytes()
            elif term.folder is not None and sources[path] != source.read_bytes():
                raise RewardError(f"two learned rewards are called {term.name}: rename one folder")
        place = f"{file.as_posix()}:{term.name}" if term.from_user else term.written
        terms.append(WeightedTerm(weight, place))
    return sources | {EXPRESSION: f"{written(terms)}\n".encode()}


def function_sources(reward: Any) -> dict[str, bytes]:
    """Return the files to keep of a reward that Python was given as a function.

    Raises:
        RewardError: if its source cannot be kept.
    """
    source = source_of(reward)
    return {FILE: source.encode(), EXPRESSION: f"{FILE}:{reward.__name__}\n".encode()}


def source_texts(sources: dict[str, bytes]) -> dict[str, str]:
    """Return the Python files among `sources` as text."""
    return {
        name: importlib.util.decode_source(source)
        for name, source in sources.items()
        if name.endswith(".py")
    }


def keep_reward(folder: Path, sources: dict[str, bytes]) -> None:
    """Copy the sources into the run folder."""
    for name, source in sources.items():
        file = folder / FOLDER / name
        file.parent.mkdir(parents=True, exist_ok=True)
        with atomic_path(file) as temporary:
            temporary.write_bytes(source)


def kept_sources(folder: Path) -> dict[str, bytes]:
    """Return the copies in the run folder, by their paths in the folder `reward/`."""
    root = folder / FOLDER
    files = [file for file in root.rglob("*") if file.is_file()]
    return {file.relative_to(root).as_posix(): file.read_bytes() for file in files}


def kept_expression(folder: Path, expression: str) -> str:
    """Return `expression` with the copies in the run folder in place of the user's files.

    An expression of built-in terms stays as it is. One without code gives one without code: whether
    code may be executed was decided by `expression`, and the folder may come from anyone.

    Raises:
        RunError: if the folder lacks a copy, or is damaged.
    """
    if not (has_code(expression) or has_learned(expression)):
        return expression
    root = folder.resolve() / FOLDER
    kept = root / EXPRESSION
    if kept.is_file():
        with open_file(kept) as file:
            content = file.read(LONGEST)
        try:
            text = content.decode()
        except UnicodeDecodeError:
            raise RunError(f"{kept} is damaged: it is not text") from None
        if has_code(text) and not has_code(expression):
            raise RunError(f"{kept} is damaged: it names code, and the reward {expression!r} none")
        expression = text
    return written([part._replace(term=_copy_of(root, part.term)) for part in parse(expression)])


def _copy_of(root: Path, term: str) -> str:
    """Return a term with the copy in `root` in place of the file or module that it names.

    Runs of earlier versions have no `EXPRESSION`, and all copies in one folder.
    """
    if is_learned(term):
        folder = root / LEARNED / Path(term).name
        if not folder.is_dir() or not folder.resolve().is_relative_to(root):
            raise RunError(f"{root.parent} has no copy of {term}; name the reward with --reward")
        return str(folder)
    if not is_code(term):
        return term
    place, colon, function = (term, "", "") if term.endswith(".py") else term.rpartition(":")
    name = place if place.endswith(".py") else f"{place.rpartition('.')[2]}.py"
    copies = [file for file in (root / name, root / Path(name).name) if file.is_file()]
    if not copies or not copies[0].resolve().is_relative_to(root):
        raise RunError(f"{root.parent} has no copy of {place}; name the reward with --reward")
    return f"{copies[0]}{colon}{function}"
