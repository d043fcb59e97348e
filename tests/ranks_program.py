"""Trains several runs one after the other, in as many processes as `torchrun` starts.

torchrun --nproc-per-node 2 -m tests.ranks_program FOLDER

FOLDER/runs.json has the command line of each run by name. Rank 0 writes to FOLDER/outcomes.json
how each has ended. In two more runs, rank 1 gets a signal to stop, and then it is killed.
"""

from __future__ import annotations

import json
import os
import shlex
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

import train
from agents import ranks
from training.run_folder import TENSORS
from training.session import run_session
from training.train_options import parse

FOREVER = "--steps 1000000000 --eval-every 1000000000"


def session(command: str) -> str:
    """Train as a command line says; return the error, or whether training was interrupted."""
    try:
        options, config = parse(shlex.split(command))
        console = Console(quiet=True)
        ending = run_session(config, options.run_dir, options.resume, "", console=console)
    except ValueError as error:
        return str(error)
    return "interrupted" if ending.interrupted else "finished"


def once_saved(folder: Path, do: Callable[[], object]) -> None:
    """Do something in another thread, some time after a run in `folder` has a checkpoint."""

    def wait() -> None:
        while not list(folder.glob(f"*/{TENSORS}")):
            time.sleep(0.01)
        time.sleep(0.1)
        do()

    threading.Thread(target=wait, daemon=True).start()


def main(folder: Path) -> None:
    """Run everything."""
    with ranks.joined():
        runs: dict[str, str] = json.loads((folder / "runs.json").read_text())
        outcomes = {name: session(command) for name, command in runs.items()}
        (half,) = (folder / "two" / "half").iterdir()
        outcomes["resume"] = session(f"--resume '{half}' --steps 204")
        if ranks.rank() == 1:
            once_saved(folder / "interrupted", lambda: os.kill(os.getpid(), signal.SIGTERM))
        outcomes["interrupted"] = session(
            f"{runs['ppo']} {FOREVER} --run-dir '{folder}/interrupted'"
        )
        if ranks.rank() == 0:
            (folder / "outcomes.json").write_text(json.dumps(outcomes))
        else:
            once_saved(folder / "killed", lambda: os._exit(9))
        train.main(shlex.split(f"{runs['ppo']} {FOREVER} --run-dir '{folder}/killed'"))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
