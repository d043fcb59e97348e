"""Starts `training.live`: python -m training.trainer_process [--supervised]

With `--supervised`, a light parent process says how the training ended, if not by itself; see
`training.supervisor`. This module imports little, because it is also that parent.
"""

from __future__ import annotations

import contextlib
import os
import sys

from rewards.command_line import USAGE_ERROR
from training.ipc import send
from training.supervisor import VARIABLE, leave, supervise, supervised

FLAG = "--supervised"


def start() -> int:
    """Train, or supervise the process that trains; return the exit code.

    The supervisor sends its message after those of the training, which is then at its end.
    """
    if FLAG in sys.argv and VARIABLE not in os.environ:
        try:
            return supervise(reads_input=True)
        except (ValueError, OSError) as error:
            with contextlib.suppress(OSError):  # the window is closed
                send(sys.stdout.buffer, {"end": str(error)})
            return USAGE_ERROR
    with supervised(reads_input=True):
        from training.live import main

        code = main()
    return leave(code)


if __name__ == "__main__":
    sys.exit(start())
