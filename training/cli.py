"""Command lines read by tyro, with errors in one line instead of a box."""

from __future__ import annotations

import contextlib
import io
import itertools
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import tyro

from envs.names import one_of, unused_argument
from rewards.command_line import USAGE_ERROR, as_typed
from training.workers import WORKERS_HELP

# Types of options whose default is None; each help text says what happens then.
Text = Annotated[str | None, tyro.conf.arg(metavar="TEXT", help_behavior_hint="")]
Count = Annotated[int | None, tyro.conf.arg(metavar="NUMBER", help_behavior_hint="")]
File = Annotated[Path | None, tyro.conf.arg(metavar="PATH", help_behavior_hint="")]

Workers = Annotated[str, tyro.conf.arg(metavar="NUMBER|ray", help=WORKERS_HELP)]
"""Where runs are made; see `training.workers.run_jobs`."""

Switch = Annotated[bool, tyro.conf.FlagCreatePairsOff, tyro.conf.arg(help_behavior_hint="")]
"""An option that is off by default, which help need not say."""

FRAME = " │"
RULE = re.compile(r"[-─╭╮╰╯]+")
FLAG = r"Error parsing (--[\w-]+):"
FLAG_IN_HELP = re.compile(r"^(?:│ |  )(--[\w-]+)", re.MULTILINE)


def _wrong_choice(message: re.Match[str]) -> str:
    value, argument, choices = message.groups()
    known = re.findall("'(.*?)'", choices)
    return f"{argument} must be {one_of(known)}, got {value!r}"


PLAINER = (  # tyro's messages, and what a user reads instead
    (r"Missing from .*?: (\S+) (.*?)\.? \(required\).*", r"\1 is missing: \2"),
    (r"Missing value for argument '(.*?)'.*", r"\1 needs a value"),
    (r"invalid choice '(.*)' for argument '(.*)'\. Expected one of \((.*)\)\.", _wrong_choice),
    (rf"{FLAG}.* for int\(\) with base 10: ('.*?').*", r"\1 must be a whole number, got \2"),
    (rf"{FLAG}.* string to float: ('.*?').*", r"\1 must be a number, got \2"),
    (rf"{FLAG} no type .* from \[(.*?)\].*", r"\1 cannot be read, got \2"),
    (r"Error parsing (\w+(\[\w+\])?: )?", ""),  # class names tell a user nothing
)
UNUSED = "Unrecognized options: "


def check_file(option: str, path: Path | None) -> None:
    """Check the place of a file that an option names, before the work that may take hours.

    Raises:
        ValueError: if it cannot be written there.
    """
    if path is None:
        return
    if path.is_dir():
        raise ValueError(f"{option} must be a file, but {path} is a folder")
    if not path.parent.is_dir():
        raise ValueError(f"{option}: there is no folder {path.parent}")
    try:
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise ValueError(f"{option}: cannot write into {path.parent}: {error.strerror}") from None


def read_options(kind: Any, arguments: Sequence[str], program: str, **options: Any) -> Any:
    """Return an instance of the dataclass `kind`, read from command line arguments.

    Raises:
        ValueError: for arguments that cannot be used; the message is one line.
        SystemExit: after --help.
    """
    settings = {
        "prog": as_typed(f"python {program}"),
        "config": (tyro.conf.OmitArgPrefixes,),
        **options,
    }
    box = io.StringIO()
    try:
        with contextlib.redirect_stderr(box):
            return tyro.cli(kind, args=list(arguments), **settings)
    except SystemExit as error:
        if error.code != USAGE_ERROR:
            raise
    message = _in_one_line(box.getvalue())
    if message.startswith(UNUSED):
        unused = message.removeprefix(UNUSED).split(", ")
        message = unused_argument(unused, _flags(kind, settings), settings["prog"])
    raise ValueError(message)


def _flags(kind: Any, settings: dict[str, Any]) -> list[str]:
    """Return the flags of a command line: those that its help explains."""
    text = io.StringIO()
    with contextlib.redirect_stdout(text), contextlib.suppress(SystemExit):
        tyro.cli(kind, args=["--help"], **settings)
    return FLAG_IN_HELP.findall(text.getvalue())


def _in_one_line(box: str) -> str:
    """Return the message in tyro's box: the lines after the title, up to the next rule."""
    _, *lines = (line.strip(FRAME) for line in box.splitlines())
    texts = itertools.dropwhile(RULE.fullmatch, lines)  # without Unicode, a rule follows the title
    message = " ".join(itertools.takewhile(lambda line: not RULE.fullmatch(line), texts))
    for pattern, replacement in PLAINER:
        message = re.sub(f"^{pattern}", replacement, message)
    return message
