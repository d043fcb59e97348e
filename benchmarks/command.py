"""A command of the benchmarks: its options, and what it measures."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any

import tyro
from rich.console import Console

from training.cli import File

Names = Annotated[tuple[str, ...], tyro.conf.arg(metavar="NAME ...", help_behavior_hint="")]
Seconds = Annotated[float | None, tyro.conf.arg(metavar="SECONDS", help_behavior_hint="")]
Steps = Annotated[int | None, tyro.conf.arg(metavar="STEPS", help_behavior_hint="")]


@dataclass(frozen=True)
class BenchmarkCommand(ABC):
    """Options that all commands have. A command is a dataclass with options of its own."""

    json: File = None
    """Also write everything that was measured to this JSON file."""

    def check(self) -> None:  # noqa: B027 - most commands need no package
        """Raise ValueError if a package is missing."""

    @abstractmethod
    def run(self, console: Console) -> dict[str, Any]:
        """Measure and print; return what `--json` writes.

        Raises:
            ValueError: for options that cannot be used; the message is one line.
        """


@contextmanager
def interruptible_runs(found: dict[str, Any]) -> Iterator[None]:
    """Let Ctrl-C end the runs, and note it in what `--json` writes: `"interrupted": true`."""
    try:
        yield
    except KeyboardInterrupt:
        found["interrupted"] = True


def select_names(names: Sequence[str], known: Collection[str]) -> Sequence[str]:
    """Return the requested names, or all known names if none were requested.

    Raises:
        ValueError: for a name that is not known; the message is one line.
    """
    for name in names:
        if name not in known:
            names_known = ", ".join(map(repr, known))
            raise ValueError(f"unknown name {name!r}; choose from {names_known}")
    return names or list(known)
