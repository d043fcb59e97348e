"""Fingerprints of what decides a result: a reward's source with its helpers, and our code.

Nothing is executed to find them.
"""

from __future__ import annotations

import ast
import functools
import hashlib
from collections.abc import Iterator
from importlib.machinery import PathFinder
from pathlib import Path

from rewards.expression import file_named, is_code, is_learned, parse

ROOT = Path(__file__).parents[1]
PACKAGES = ("envs", "rewards", "agents", "training")
"""Packages whose code decides what a training computes."""


def reward_digest(reward: str) -> str:
    """Return a fingerprint of a reward: its text, the files that it names, and their helpers.

    Raises:
        ValueError: if it is not a reward.
    """
    found = hashlib.sha256(reward.encode())
    for part in parse(reward):
        for file in files_of(part.term):
            found.update(f"{file.name} {len(file.read_bytes())}\n".encode() + file.read_bytes())
    return found.hexdigest()


@functools.cache
def code_digest() -> str:
    """Return a fingerprint of the code that trains."""
    found = hashlib.sha256()
    for package in PACKAGES:
        for file in sorted((ROOT / package).rglob("*")):
            if file.suffix in (".py", ".toml"):
                found.update(f"{file.relative_to(ROOT)}\n".encode() + file.read_bytes())
    return found.hexdigest()


def files_of(term: str) -> list[Path]:
    """Return the files of a term as written, in a fixed order; a built-in term has none.

    They are the file that it names and the files of its folder that this one imports, directly or
    not; for a module, all files of its package; for a learned reward, those in its folder.
    """
    if is_learned(term):
        return _all_in(Path(term), "*")
    if not is_code(term):
        return []
    if name := file_named(term):
        return list(_with_helpers(Path(name))) if Path(name).is_file() else []
    spec = PathFinder.find_spec(term.partition(":")[0].partition(".")[0])
    if spec is None or spec.origin is None:
        return []
    file = Path(spec.origin)
    return _all_in(file.parent, "*.py") if spec.submodule_search_locations else [file]


def _with_helpers(file: Path) -> Iterator[Path]:
    """Yield a file, and the modules of its folder that it imports, each once."""
    folder, waiting, seen = file.parent, [file], set[Path]()
    while waiting:
        file = waiting.pop(0)
        if file in seen:
            continue
        seen.add(file)
        yield file
        for name in _imported(file):
            if (module := folder / f"{name}.py").is_file():
                waiting.append(module)
            waiting += _all_in(folder / name, "*.py")


def _imported(file: Path) -> list[str]:
    """Return the first parts of the names that a file imports, sorted."""
    try:
        nodes = list(ast.walk(ast.parse(file.read_bytes())))
    except (SyntaxError, ValueError):  # reported when it is loaded
        return []
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
    names |= {
        alias.name
        for node in nodes
        if isinstance(node, ast.ImportFrom) and not node.module
        for alias in node.names
    }
    return sorted({name.partition(".")[0] for name in names} - {""})


def _all_in(folder: Path, pattern: str) -> list[Path]:
    return sorted(file for file in folder.rglob(pattern) if file.is_file())
