"""tyro's command lines, with mistakes told in one line instead of a box."""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Sequence
from typing import Any

import tyro

FRAME = " │"
RULE = re.compile(r"[-─╭╮╰╯]*")
OF_A_CLASS = re.compile(r"^Error parsing \w+(\[\w+\])?: ")  # whose name tells a student nothing
USAGE_ERROR = 2
INTERRUPTED = 130


def read_options(kind: Any, arguments: Sequence[str], program: str, **options: Any) -> Any:
    """An instance of the dataclass `kind` from command line arguments.

    Raises:
        ValueError: for arguments that do not fit, in one line.
        SystemExit: after --help.
    """
    told = io.StringIO()
    try:
        with contextlib.redirect_stderr(told):
            return tyro.cli(kind, args=list(arguments), prog=program, **options)
    except SystemExit as error:
        if error.code != USAGE_ERROR:
            raise
    raise ValueError(f"{_in_one_line(told.getvalue())} (python {program} --help lists all options)")


def _in_one_line(box: str) -> str:
    """The message of tyro's box: what stands above its first rule, and the first suggestion."""
    parts: list[list[str]] = [[]]
    for line in box.splitlines()[1:]:
        words = line.strip(FRAME)
        if not RULE.fullmatch(words):
            parts[-1].append(words)
        elif parts[-1]:
            parts.append([])
    message = OF_A_CLASS.sub("", " ".join(parts[0]))
    if len(parts) > 1 and parts[1][:1] == ["Perhaps you meant:"]:
        message += f"; perhaps you meant {parts[1][1]}"
    return message
