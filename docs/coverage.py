"""Write the page that goes through the lecture row by row: python docs/coverage.py [--check]

docs/coverage.toml has the rows. Every command is checked: its program, its options and their values
must exist. With --check, docs/coverage.md is compared with the rows and not written.
"""

from __future__ import annotations

import argparse
import shlex
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import gymnasium

from benchmarks.__main__ import read as read_benchmark
from classroom.options import ClassroomOptions
from envs.__main__ import TABLES
from envs.names import load
from envs.registry import DATASETS, EXPERIMENTS, entry_of
from playing.selection import read as read_play
from rewards.__main__ import COMMANDS
from rewards.expression import parse
from stages.__main__ import DEFAULT
from stages.lab.summary import SummaryOptions
from stages.pretraining.generate import GenerateOptions
from stages.pretraining.next_token import NextTokenOptions
from stages.pretraining.token_map import TokenMapOptions
from stages.supervised.agreement import AgreementOptions
from stages.supervised.preparing import PreparingOptions
from stages.supervised.tries import TriesOptions
from training.__main__ import COMMANDS as TRAINING_COMMANDS
from training.cli import read_options
from training.train_options import parse as parse_train

FOLDER = Path(__file__).parent
PAGE = FOLDER / "coverage.md"
NOT_COVERED = "not covered"
HEAD = """\
# The lecture, row by row

What the [lecture](lecture.md) says, and the command that shows it. Of {rows} rows, {covered} have a
command. `python docs/coverage.py` makes this page from [coverage.toml](coverage.toml) and checks
that every command exists.
"""
OTHER_STAGES = {
    "generate": GenerateOptions,
    "next_token": NextTokenOptions,
    "tries": TriesOptions,
    "claims": SummaryOptions,
    "preparing": PreparingOptions,
    "token_map": TokenMapOptions,
    "agreement": AgreementOptions,
}
"""Options of the commands of `python -m stages` that are not experiments."""


class Row(NamedTuple):
    """A row of the lecture."""

    says: str
    """What the lecture says."""
    command: str
    """Command that shows it; empty if the row is not covered."""
    remark: str = ""
    """What is different here."""

    def __str__(self) -> str:
        shown = f"`{self.command}`" if self.command else NOT_COVERED
        return "; ".join(filter(None, (shown, self.remark)))


def check_train(arguments: Sequence[str]) -> None:
    """Check a command line of train.py, including the options of its environment."""
    _, config = parse_train(arguments)
    entry = entry_of(config.env, DATASETS)
    if entry is None:
        gymnasium.make(config.env, **config.make_options).close()
        return
    kind = load(entry.target)
    names = kind.__dataclass_fields__
    kind(**{name: value for name, value in config.env_options.items() if name in names})


def check_stages(arguments: Sequence[str]) -> None:
    """Check a command line of `python -m stages`."""
    named = arguments and not arguments[0].startswith("-")
    name, *rest = arguments if named else (DEFAULT, *arguments)
    options: Any = OTHER_STAGES.get(name) or load(EXPERIMENTS[name].target).options
    read_options(options, rest, f"-m stages {name}")


def check_rewards(arguments: Sequence[str]) -> None:
    """Check a command line of `python -m rewards`."""
    name, *rest = arguments
    if target := COMMANDS[name].target:
        load(target).read(rest)
    elif rest:
        parse(rest[0])


def check_envs(arguments: Sequence[str]) -> None:
    """Check a command line of `python -m envs`."""
    for name in arguments:
        TABLES[name]


def check_training(arguments: Sequence[str]) -> None:
    """Check the name of a command of `python -m training`."""
    TRAINING_COMMANDS[arguments[0]]


def check_classroom(arguments: Sequence[str]) -> None:
    """Check a command line of `python -m classroom`."""
    options: ClassroomOptions = read_options(ClassroomOptions, arguments, "-m classroom")
    options.check()


CHECKS = {
    "python train.py": check_train,
    "python play.py": read_play,
    "python -m stages": check_stages,
    "python -m rewards": check_rewards,
    "python -m classroom": check_classroom,
    "python -m envs": check_envs,
    "python -m training": check_training,
    "python -m benchmarks": read_benchmark,
}


def check(command: str) -> None:
    """Check that a command exists.

    Raises:
        ValueError: if it does not.
    """
    for program, check_arguments in CHECKS.items():
        if f"{command} ".startswith(f"{program} "):
            try:
                check_arguments(shlex.split(command.removeprefix(program)))
            except (ValueError, LookupError, TypeError) as error:
                raise ValueError(f"`{command}` does not exist: {error}") from None
            return
    raise ValueError(f"`{command}` does not begin with one of {', '.join(CHECKS)}")


def page(sections: Sequence[dict[str, Any]]) -> str:
    """Return the page as Markdown.

    Raises:
        ValueError: if a command does not exist.
    """
    tables, number = [], 0
    rows = [[Row(*row) for row in section["rows"]] for section in sections]
    for section, of_section in zip(sections, rows, strict=True):
        lines = [f"## {section['title']}", "", "| | the lecture | here |", "| ---: | --- | --- |"]
        for row in of_section:
            number += 1
            if row.command:
                check(row.command)
            lines.append(f"| {number} | {row.says} | {row} |")
        tables.append("\n".join(lines))
    covered = sum(bool(row.command) for of_section in rows for row in of_section)
    return "\n".join([HEAD.format(rows=number, covered=covered), "\n\n".join(tables), ""])


def main(arguments: Sequence[str] | None = None) -> int:
    """Write or check the page and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="only compare the page")
    options = parser.parse_args(arguments)
    try:
        text = page(tomllib.loads((FOLDER / "coverage.toml").read_text("utf-8"))["sections"])
    except ValueError as error:
        print(f"coverage: {error}", file=sys.stderr)
        return 2
    if not options.check:
        PAGE.write_text(text, "utf-8")
    elif not PAGE.is_file() or PAGE.read_text("utf-8") != text:
        print("coverage: docs/coverage.md differs; run python docs/coverage.py", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
