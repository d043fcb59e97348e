"""A command of the reward lab: its options, and its errors in one line."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from typing import Generic, TypeVar

from rewards.command_line import INTERRUPTED, USAGE_ERROR
from rewards.errors import message_of
from training.cli import read_options
from training.messages import one_line

Options = TypeVar("Options")


@dataclass(frozen=True)
class LabCommand(Generic[Options]):
    """A command of `python -m rewards`, named in the table of `rewards/__main__.py`."""

    name: str
    """Name on the command line."""
    options: type[Options]
    """Dataclass of the options. Its docstrings are the help."""
    work: Callable[[Options], None]
    """Function that does the work and prints it. It raises ValueError or OSError with one line."""

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
            self.work(self.read(arguments))
        except (ValueError, OSError) as error:
            return self._fail(message_of(error))
        except BrokenProcessPool:
            return self._fail("a worker process died, perhaps because memory ran out")
        except KeyboardInterrupt as error:
            self._fail(str(error) or "interrupted")
            return INTERRUPTED
        return 0

    def _fail(self, text: str) -> int:
        print(f"rewards {self.name}: {one_line(text)}", file=sys.stderr)
        return USAGE_ERROR
