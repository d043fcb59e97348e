"""The command line: python -m training COMMAND ..., with one of the COMMANDS."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import NamedTuple

import gymnasium

from envs.names import load, suggest
from rewards.command_line import INTERRUPTED, USAGE_ERROR, as_typed, use_utf8
from training.messages import one_line
from training.workers import WorkerError

PROGRAM = as_typed("python -m training")


class Command(NamedTuple):
    """A command."""

    usage: str
    """Its arguments, as help shows them."""
    summary: str
    """What it does."""
    target: str
    """A function of its arguments, "module:attribute". It raises errors that are one line."""


COMMANDS = {
    "export": Command(
        "RUN --out FILE",
        "Export the best model of a run, to ONNX or to a small folder for play.py.",
        "training.export:main",
    ),
    "doctor": Command(
        "RUN", "Say why the agent of a run may not have learned.", "training.doctor.command:main"
    ),
    "sweep": Command(
        "--env ENV --agent AGENT --trials N",
        "Search the settings of an agent with Optuna.",
        "training.sweep:main",
    ),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    name = given[0] if given else ""
    label = f"training {name}" if name in COMMANDS else "training"
    if name in ("-h", "--help"):
        print(overview())
        return 0
    try:
        if not name or name.startswith("-"):
            raise ValueError(f"name a command: {', '.join(COMMANDS)}; {PROGRAM} --help lists them")
        if name not in COMMANDS:
            raise ValueError(f"there is no command `{name}`; {suggest(name, COMMANDS)}")
        load(COMMANDS[name].target)(given[1:])
    except (ValueError, OSError, WorkerError, gymnasium.error.Error) as error:
        print(f"{label}: {one_line(error)}", file=sys.stderr)
        return USAGE_ERROR
    except KeyboardInterrupt as error:
        print(f"{label}: {str(error) or 'interrupted'}", file=sys.stderr)
        return INTERRUPTED
    return 0


def overview() -> str:
    """Return the help: all commands, and what they do."""
    lines = [f"usage: {PROGRAM} COMMAND ...", ""]
    for name, command in COMMANDS.items():
        lines += [f"  {name} {command.usage}", f"      {command.summary}"]
    return "\n".join([*lines, "", f"{PROGRAM} COMMAND --help lists the options of a command."])


if __name__ == "__main__":
    use_utf8("training")
    sys.exit(main())
