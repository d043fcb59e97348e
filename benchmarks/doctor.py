"""Tries the doctor on runs with one known fault each (ill), and on runs without (healthy).

Each run stays in its folder, so the benchmark can continue after a break. A run that was stopped
halfway begins again.
"""

from __future__ import annotations

import contextlib
import shlex
import shutil
from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console

import train
from agents.validation import at_least_one
from benchmarks.command import BenchmarkCommand, Names, interruptible_runs
from benchmarks.doctor_cases import HEALTHY, ILL, REWARDS, Case, register_ill_observations
from benchmarks.report import show_table
from benchmarks.training import in_processes
from training.doctor.diagnosis import diagnose
from training.messages import say

OUTPUT = "output.txt"
DONE = "done"
REWARDS_FILE = "ill_rewards.py"
HEADINGS = ("run", "expected", "first", "second", "third", "right")
COMMON = ("--eval-episodes", "30", "--video-frames", "0")


@dataclass(frozen=True)
class Outcome:
    """What the doctor said about a run."""

    case: Case
    findings: tuple[str, ...]
    """Names of the findings, the likeliest first."""

    @property
    def place(self) -> int | None:
        """Place of the expected finding, from 1; None if it is missing."""
        expected = self.case.expected
        return self.findings.index(expected) + 1 if expected in self.findings else None


@dataclass(frozen=True)
class DoctorCommand(BenchmarkCommand):
    """Try the doctor on runs with one known fault each, and on runs without a fault."""

    runs: Names = ()
    """Names of runs as in the table, or how they begin. Default: all."""
    results: Path = Path("runs", "benchmarks", "doctor")
    """Folder that keeps the runs. Those that it holds already are not made again."""
    jobs: int = 1
    """Number of runs in parallel, each in its own process."""

    def __post_init__(self) -> None:
        at_least_one(self, "jobs")

    def run(self, console: Console) -> dict[str, Any]:
        """Make the runs; print a line about each, then the table.

        Ctrl-C ends them; the table then shows those that were over.
        """
        outcomes: list[Outcome] = []
        found: dict[str, Any] = {}
        with interruptible_runs(found):
            for outcome in run_cases(self.results, self.runs, self.jobs):
                say(console, describe(outcome))
                outcomes.append(outcome)
        show_outcomes(console, outcomes)
        return found | {"doctor": [asdict(outcome) for outcome in outcomes]}


def run_cases(folder: Path, names: Collection[str], jobs: int) -> Iterator[Outcome]:
    """Yield what the doctor says about each run, making those that `folder` lacks.

    `names` are how the names of runs begin; all if there are none.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / REWARDS_FILE).write_text(REWARDS, encoding="utf-8")
    cases = [each for each in (*ILL, *HEALTHY) if not names or each.name.startswith(tuple(names))]
    missing = [case for case in cases if not (_place(folder, case) / DONE).exists()]
    for case in cases:
        if case not in missing:
            yield judge(folder, case)
    for case in in_processes(partial(make_run, folder), missing, jobs):
        yield judge(folder, case)


def make_run(folder: Path, case: Case) -> Case:
    """Train as a case says, in a folder of its own, and return the case.

    What train.py prints goes into a file.
    """
    place = _place(folder, case)
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    register_ill_observations()
    given = case.arguments.replace("REWARDS", str(folder / REWARDS_FILE))
    arguments = [*shlex.split(given), *COMMON, "--run-dir", str(place)]
    with (
        (place / OUTPUT).open("w", encoding="utf-8") as output,
        contextlib.redirect_stdout(output),
        contextlib.redirect_stderr(output),
    ):
        train.run(arguments)  # a run that diverges is a result, too
    (place / DONE).touch()
    return case


def judge(folder: Path, case: Case) -> Outcome:
    """Return what the doctor says about the run of a case."""
    (run,) = (path for path in _place(folder, case).iterdir() if path.is_dir())
    return Outcome(case, tuple(finding.name for finding in diagnose(run).findings))


def _place(folder: Path, case: Case) -> Path:
    return folder / "".join(letter if letter.isalnum() else "_" for letter in case.name)


def describe(outcome: Outcome) -> str:
    """Return the line to print about a run."""
    found = ", ".join(outcome.findings) or "no findings"
    return f"{outcome.case.name}: {found}"


def show_outcomes(console: Console, outcomes: Sequence[Outcome]) -> None:
    """Print a line per run, and how many were right."""
    ordered = sorted(outcomes, key=lambda each: (*ILL, *HEALTHY).index(each.case))
    show_table(console, HEADINGS, [_line(outcome) for outcome in ordered])
    ill = [each for each in ordered if each.case.expected]
    for what, chosen in (
        ("all ill runs", ill),
        ("those held back", [each for each in ill if each.case.held_back]),
    ):
        first = sum(each.place == 1 for each in chosen)
        among = sum(each.place in (1, 2, 3) for each in chosen)
        say(
            console,
            f"{what}: right finding first in {first} of {len(chosen)}, among the first three in "
            f"{among} of {len(chosen)}",
        )
    healthy = [each for each in ordered if not each.case.expected]
    alarms = sum(bool(each.findings) for each in healthy)
    say(console, f"healthy runs: false alarms in {alarms} of {len(healthy)}")


def _line(outcome: Outcome) -> tuple[str, ...]:
    shown = (*outcome.findings[:3], "", "", "")[:3]
    if not outcome.case.expected:
        return outcome.case.name, "nothing", *shown, "NO" if outcome.findings else "yes"
    place = outcome.place
    return outcome.case.name, outcome.case.expected, *shown, "NO" if place is None else str(place)
