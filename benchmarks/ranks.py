"""Train with one process and with several, as `torchrun` starts them, and compare the speeds."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from statistics import median
from typing import Any

from rich.console import Console

from agents.validation import at_least_one
from benchmarks.command import BenchmarkCommand
from benchmarks.machine import ROOT
from benchmarks.report import number, show_table, spread
from training.messages import say

TASKS = {
    "ppo, paddle from screens": "--env paddle --observation screen --agent ppo",
    "pqn, paddle from screens": "--env paddle --observation screen --agent pqn",
    "supervised, classify": "--env classify --agent supervised --num-envs 256",
}
"""Arguments for `python train.py`."""
ONLY_TRAINING = "--solved-score inf --eval-every 1000000000 --eval-episodes 1 --video-frames 0"
TRAINED = re.compile(r"Trained for ([\d,]+) steps in ([\d.]+) s")


@dataclass(frozen=True)
class RanksCommand(BenchmarkCommand):
    """Compare the speed of one process with that of several that train one agent."""

    processes: int = 2
    """Number of processes. Each uses one thread, so there should be as many cores."""
    steps: int = 65_536
    """Environment steps of each run."""
    repeats: int = 3
    """Number of runs, in turn with one process and with several."""

    def run(self, console: Console) -> dict[str, Any]:
        at_least_one(self, "processes", "steps", "repeats")
        found: dict[str, Any] = {}
        for task, arguments in TASKS.items():
            rates: dict[int, list[float]] = {1: [], self.processes: []}
            for _ in range(self.repeats):
                for processes, measured in rates.items():
                    measured.append(steps_per_second(arguments, processes, self.steps))
            found[task] = rates
        headings = ("steps/s", "1 process", f"{self.processes} processes", "times as fast")
        lines = []
        for task, rates in found.items():
            one, several = rates[1], rates[self.processes]
            factor = number(median(several) / median(one))
            lines.append((task, spread(one), spread(several), factor))
        show_table(console, headings, lines)
        say(console, "Only the training is measured, without the start and the last evaluation.")
        return {"ranks": found}


def steps_per_second(arguments: str, processes: int, steps: int) -> float:
    """Train in new processes, and return the environment steps per second of the training.

    Raises:
        ValueError: if the training fails.
    """
    launch = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)]
    with tempfile.TemporaryDirectory() as folder:
        options = [*arguments.split(), *ONLY_TRAINING.split(), "--steps", str(steps)]
        command = [sys.executable, *(launch if processes > 1 else []), "train.py", *options]
        command += ["--run-dir", folder]
        ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    found = TRAINED.search(ended.stdout)
    if found is None:
        reason = (ended.stderr.strip() or "no output").splitlines()[0]
        raise ValueError(f"training with {processes} processes failed: {reason}")
    return int(found[1].replace(",", "")) / float(found[2])
