"""A program that `training.supervisor` supervises, like train.py, but that starts at once.

python -m tests.supervised_program HOW FOLDER
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import time
from pathlib import Path

from rewards.guard import MARKS, STEP, Call, loading
from training.supervisor import VARIABLE, announce_run, leave, supervise, supervised

SECONDS = 3
"""Limit of a call of the reward."""


def reward(how: str) -> None:
    """Stand for a reward that fails in training."""
    if how == "leaves a thread":
        threading.Thread(target=time.sleep, args=(3600,)).start()
    if how == "sleeps":
        time.sleep(3600)
    if how == "holds the interpreter":
        ctypes.PyDLL(None).sleep(10_000)
    if how == "os._exit":
        os._exit(0)
    if how == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if how == "abort":
        os.abort()


def work(how: str, folder: Path) -> int:
    """Stand for the training."""
    if how == "waits for a signal":
        received: list[int] = []
        signal.signal(signal.SIGINT, lambda number, _: received.append(number))
        (folder / "ready").touch()
        while not received:
            time.sleep(0.01)
        return 130
    announce_run(folder)
    MARKS.words[STEP] = 1234
    call = Call("reward", f"{__file__}:{reward.__code__.co_firstlineno}", [__file__])
    if how == "killed from outside":
        os.kill(os.getpid(), signal.SIGKILL)
    if how == "ends while it is loaded":
        with loading(__file__):
            os._exit(0)
    with call:
        reward(how)
    return 7


def main() -> int:
    """Run the command line, like `train.start`."""
    how, folder = sys.argv[1], Path(sys.argv[2])
    if VARIABLE not in os.environ:
        try:
            return supervise(seconds=SECONDS)
        except ValueError as error:
            print(error, file=sys.stderr)
            return 2
    with supervised():
        code = work(how, folder)
    return leave(code)


if __name__ == "__main__":
    sys.exit(main())
