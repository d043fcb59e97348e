"""Starts a process that trains: python -m training.trainer_process [--supervised SECONDS]

With `--supervised`, a light parent process says how the training ended, if not by itself. A call of
the reward may take SECONDS; see `training.supervisor`. This module imports little, because it is
also that parent.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import sys

from rewards.command_line import USAGE_ERROR
from training.ipc import send
from training.supervisor import SECONDS, VARIABLE, leave, supervise, supervised

FLAG = "--supervised"


def supervision_flags(has_code: bool, seconds: int = SECONDS) -> list[str]:
    """Return the arguments of the process, which has a supervisor if it executes a user's code."""
    return [FLAG, str(seconds)] if has_code else []


def start(module: str) -> int:
    """Run `main` of a module, or supervise the process that does; return the exit code.

    `main` reads requests from standard input, and sends messages as `training.ipc` does. The
    supervisor sends its message after those of the training, which is then at its end.
    """
    if FLAG in sys.argv and VARIABLE not in os.environ:
        try:
            seconds = int(sys.argv[sys.argv.index(FLAG) + 1])
            return supervise(reads_input=True, seconds=seconds)
        except (ValueError, OSError) as error:
            with contextlib.suppress(OSError):  # the parent has ended
                send(sys.stdout.buffer, {"end": str(error)})
            return USAGE_ERROR
    with supervised(reads_input=True):
        code: int = importlib.import_module(module).main()
    return leave(code)


if __name__ == "__main__":
    sys.exit(start("training.live"))
