"""A command of the reward lab: the options that all have, and errors in one line."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Literal, TypeVar

from rewards.command_line import INTERRUPTED, USAGE_ERROR
from rewards.errors import message_of
from stages.lab.slides import slide_file
from training.cli import File, check_file, read_options
from training.messages import one_line
from training.workers import WorkerError

Options = TypeVar("Options")


@dataclass(frozen=True, kw_only=True)
class LabOptions:
    """Options of every command that measures something."""

    lang: Literal["en", "ko"] = "en"
    """Language of the table, the sentences and the figure."""
    out: File = None
    """File of the figure; by default NAME.png (NAME.ko.png) in the current folder."""
    json: File = None
    """Also write all numbers to this JSON file."""

    def figure(self, name: str) -> Path:
        """Return the file of the figure of the command `name`.

        Call it before the work begins, which may take minutes.

        Raises:
            ValueError: if the figure or the JSON file cannot be written.
        """
        path = slide_file(self.out, name, self.lang)
        check_file("--json", self.json)
        return path


@dataclass(frozen=True)
class LabCommand(Generic[Options]):
    """A command of `python -m rewards`, named in the table of `rewards/__main__.py`."""

    name: str
    """Name on the command line."""
    options: type[Options]
    """Dataclass of the options. Its docstrings are the help."""
    work: Callable[[Options], int | None]
    """Function that does the work and prints it. It raises ValueError or OSError with one line.
    It may return an exit code; None is 0."""

    def read(self, arguments: Sequence[str]) -> Options:
        """Return the options of a command line.

        Raises:
            ValueError: for arguments that cannot be used.
            SystemExit: after --help.
        """
        options: Options = read_options(self.options, arguments, f"-m rewards {self.name}")
        return options

    def main(self, arguments: Sequence[str]) -> int:
        """Run the command line and return the exit code."""
        try:
            return self.work(self.read(arguments)) or 0
        except (ValueError, OSError, WorkerError) as error:
            return self._fail(message_of(error))
        except KeyboardInterrupt as error:
            self._fail(str(error) or "interrupted")
            return INTERRUPTED

    def warn(self, text: str) -> None:
        """Print a warning in one line."""
        self._tell(f"warning: {text}")

    def _fail(self, text: str) -> int:
        self._tell(text)
        return USAGE_ERROR

    def _tell(self, text: str) -> None:
        print(f"rewards {self.name}: {one_line(text)}", file=sys.stderr)
