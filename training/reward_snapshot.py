"""The source files of a run's reward, kept in its folder; executed only if the user asks for it."""

from __future__ import annotations

from pathlib import Path

from rewards.expression import RewardError, is_code, parse
from rewards.terms import Term
from training.run_folder import RunError, atomic_path

FOLDER = "reward"


def has_code(expression: str | None) -> bool:
    """Return whether a reward names a file or module, whose code would be executed."""
    return expression is not None and any(is_code(part.term) for part in parse(expression))


def reward_sources(terms: list[Term]) -> dict[str, str]:
    """Return the source files of the terms, by file name.

    Raises:
        RewardError: if two files have the same name.
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
    """Return the copies in the run folder, by file name."""
    return {file.name: file.read_text(encoding="utf-8") for file in (folder / FOLDER).iterdir()}


def kept_expression(folder: Path, expression: str) -> str:
    """Return `expression` with the copies in the run folder in place of the user's files.

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
        raise RunError(f"{folder} has no copy of {place}; name the reward with --reward")
    return f'"{copy}{colon}{function}"'
