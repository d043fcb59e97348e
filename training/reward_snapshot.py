"""The reward's own source, kept in the run folder, and put to use again only when asked for."""

from __future__ import annotations

from pathlib import Path

from rewards.expression import RewardError, is_code, parse
from rewards.terms import Term
from training.run_folder import RunError, atomic_path

FOLDER = "reward"


def has_code(expression: str | None) -> bool:
    """Would making this reward execute a file or module that it names?"""
    return expression is not None and any(is_code(part.term) for part in parse(expression))


def reward_sources(terms: list[Term]) -> dict[str, str]:
    """The source files of the terms, by file name.

    Raises:
        RewardError: if two files bear the same name.
    """
    files: dict[str, Path] = {}
    for term in terms:
        file = term.source_file
        if files.setdefault(file.name, file) != file:
            raise RewardError(f"two reward files are both called {file.name}; rename one of them")
    return {name: file.read_text(encoding="utf-8") for name, file in files.items()}


def keep_reward(folder: Path, sources: dict[str, str]) -> None:
    """Copy the sources into the run folder."""
    (folder / FOLDER).mkdir(exist_ok=True)
    for name, text in sources.items():
        with atomic_path(folder / FOLDER / name) as temporary:
            temporary.write_text(text, encoding="utf-8")


def kept_sources(folder: Path) -> dict[str, str]:
    """The copies in the run folder, by file name."""
    return {file.name: file.read_text(encoding="utf-8") for file in (folder / FOLDER).iterdir()}


def kept_expression(folder: Path, expression: str) -> str:
    """`expression` with the copies in the run folder in place of the user's own files.

    Raises:
        RunError: if the folder lacks a copy.
    """
    parts = []
    for weight, term in parse(expression):
        copied = _copy_of(folder, term) if is_code(term) else term
        parts.append(f"{'-' if weight < 0 else '+'} {abs(weight)!r}*{copied}")
    return " ".join(parts).removeprefix("+ ")


def _copy_of(folder: Path, term: str) -> str:
    place, colon, function = (term, "", "") if term.endswith(".py") else term.rpartition(":")
    name = Path(place).name if place.endswith(".py") else f"{place.rpartition('.')[2]}.py"
    copy = folder.resolve() / FOLDER / name
    if not copy.is_file():
        raise RunError(f"{folder} keeps no copy of {place}; name the reward with --reward")
    return f'"{copy}{colon}{function}"'
