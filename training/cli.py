"""Command lines read by tyro, with errors in one line instead of a box."""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import tyro

# Types of options whose default is None; each help text says what happens then.
Text = Annotated[str | None, tyro.conf.arg(metavar="TEXT", help_behavior_hint="")]
Count = Annotated[int | None, tyro.conf.arg(metavar="NUMBER", help_behavior_hint="")]
File = Annotated[Path | None, tyro.conf.arg(metavar="PATH", help_behavior_hint="")]

FRAME = " │"
RULE = re.compile(r"[-─╭╮╰╯]*")
PLAINER = (
    (re.compile(r"^Error parsing (\w+(\[\w+\])?: )?"), ""),  # class names tell a user nothing
    (re.compile(r"invalid literal for int\(\) with base 10: (.*)"), r"\1 is not a whole number"),
    (re.compile(r"could not convert string to float: (.*)"), r"\1 is not a number"),
)
USAGE_ERROR = 2
INTERRUPTED = 130


def read_options(kind: Any, arguments: Sequence[str], program: str, **options: Any) -> Any:
    """Return an instance of the dataclass `kind`, read from command line arguments.

    Raises:
        ValueError: for arguments that cannot be used; the message is one line.
        SystemExit: after --help.
    """
    output = io.StringIO()
    try:
        with contextlib.redirect_stderr(output):
            return tyro.cli(kind, args=list(arguments), prog=f"python {program}", **options)
    except SystemExit as error:
        if error.code != USAGE_ERROR:
            raise
    message = _in_one_line(output.getvalue())
    raise ValueError(f"{message} (python {program} --help lists all options)")


def _in_one_line(box: str) -> str:
    """Return the message in tyro's box, above its first rule, and the first suggestion."""
    parts: list[list[str]] = [[]]
    for line in box.splitlines()[1:]:
        words = line.strip(FRAME)
        if not RULE.fullmatch(words):
            parts[-1].append(words)
        elif parts[-1]:
            parts.append([])
    message = " ".join(parts[0])
    for pattern, replacement in PLAINER:
        message = pattern.sub(replacement, message)
    if len(parts) > 1 and parts[1][:1] == ["Perhaps you meant:"]:
        message += f"; perhaps you meant {parts[1][1]}"
    return message
