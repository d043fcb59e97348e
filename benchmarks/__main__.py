"""The command line: python -m benchmarks [SUITE ...], or python -m benchmarks COMMAND ..."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import NamedTuple

from rich.console import Console

from benchmarks.command import BenchmarkCommand
from benchmarks.machine import machine_facts
from benchmarks.report import show_facts
from benchmarks.tables import SUITES
from envs.names import load, suggest
from rewards.command_line import INTERRUPTED, USAGE_ERROR, use_utf8
from rewards.output import forgiving_output
from training.cli import check_file, read_options
from training.workers import WorkerError


class Command(NamedTuple):
    """A command."""

    summary: str
    """What it does."""
    target: str
    """A `BenchmarkCommand`, "module:attribute", imported when it is used."""


TABLES = Command("Measure the speed of this project.", "benchmarks.tables:TablesCommand")
COMMANDS = {
    "agents": Command(
        "Train every agent on every game that it supports.",
        "benchmarks.learner_commands:AgentsCommand",
    ),
    "compare": Command(
        "Compare with the agents of other libraries.",
        "benchmarks.learner_commands:CompareCommand",
    ),
    "tune": Command(
        "Search settings for `compare`.",
        "benchmarks.learner_commands:TuneCommand",
    ),
    "scale": Command(
        "Train with the same rewards on different scales.",
        "benchmarks.scale:ScaleCommand",
    ),
    "past_solved": Command(
        "Train far past solved: what was learned should stay.",
        "benchmarks.past_solved:PastSolvedCommand",
    ),
    "cluster": Command(
        "Run jobs on a Ray cluster of several nodes on this machine.",
        "benchmarks.cluster:ClusterCommand",
    ),
    "ranks": Command(
        "Train with one process and with several, and compare the speeds.",
        "benchmarks.ranks:RanksCommand",
    ),
    "preferences": Command(
        "Learn rewards from comparisons, and train on them.",
        "benchmarks.preferences:PreferencesCommand",
    ),
    "damage": Command(
        "Damage run folders, then resume and play them.",
        "benchmarks.damage:DamageCommand",
    ),
    "classroom": Command(
        "Let simulated students work in a classroom.",
        "benchmarks.classroom:ClassroomCommand",
    ),
    "exercises": Command(
        "Grade the solutions of `python -m rewards exercise`.",
        "benchmarks.exercises:ExercisesCommand",
    ),
    "doctor": Command(
        "Try `python -m training doctor` on runs with and without known faults.",
        "benchmarks.doctor:DoctorCommand",
    ),
}
HELP = f"""usage: python -m benchmarks [SUITE ...] [options]
       python -m benchmarks COMMAND [options]

{TABLES.summary} These suites share one table; the default is all of them:
{", ".join(SUITES)}

Commands:

{chr(10).join(f"{name:11}  {command.summary}" for name, command in COMMANDS.items())}

`python -m benchmarks SUITE --help` and `python -m benchmarks COMMAND --help` list the options.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given[:1] in (["--help"], ["-h"]):
        print(HELP, end="")
        return 0
    console = Console()
    try:
        command = read(given)
        check_file("--json", command.json)
        command.check()
        facts = machine_facts()
        show_facts(console, facts)
        found = {"machine": facts, **command.run(console)}
    except (ModuleNotFoundError, OSError, ValueError, WorkerError) as error:
        Console(stderr=True).print(f"benchmarks: {error}", markup=False, soft_wrap=True)
        return USAGE_ERROR
    except KeyboardInterrupt:
        Console(stderr=True).print("benchmarks: interrupted")
        return INTERRUPTED
    if command.json is not None:
        command.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    return INTERRUPTED if found.get("interrupted") else 0


def read(arguments: Sequence[str]) -> BenchmarkCommand:
    """Return the command of a command line, with its options.

    Raises:
        ValueError: for arguments that cannot be used; the message is one line.
    """
    name = next(iter(arguments), "-")
    if name in COMMANDS:
        kind, rest, program = load(COMMANDS[name].target), arguments[1:], f"benchmarks {name}"
    elif name in SUITES or name.startswith("-"):
        kind, program = load(TABLES.target), "benchmarks"
        rest = ["--help"] if {"--help", "-h"} & set(arguments) else arguments
    else:
        hint = suggest(name, [*SUITES, *COMMANDS])
        raise ValueError(f"there is no suite or command `{name}`; {hint}")
    command: BenchmarkCommand = read_options(kind, rest, f"-m {program}")
    return command


if __name__ == "__main__":
    use_utf8("benchmarks")
    forgiving_output()
    sys.exit(main())
